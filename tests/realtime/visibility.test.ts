/** What is not for a member goes out as its number alone, live, in a resume and in `sync.pull`; and is never seen by coming back. */
import t, { type Test } from 'tap'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { Advanced, Change } from '../../src/topics.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually } from '../helpers/process.ts'
import { startServer } from '../helpers/server.ts'
import { startDatabaseProxy } from './database-proxy.ts'
import { type Person, type Socket, send, until } from './people.ts'

const server = await startServer(t)

const people = (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))

/** Whoever joins sees what is said from then on. */
async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id), historyVisibility: 'sinceJoined' })
  return conversation.id
}

/** A message gets a new number, as when it is edited. @returns the number */
async function touch(id: string, seq: number, on = server): Promise<number> {
  const { rows } = await on.database.pool.query(
    `with head as (update conversations set last_change_seq = last_change_seq + 1 where id = $1 returning last_change_seq)
     update messages set change_seq = (select last_change_seq from head), edited_at = now() where conversation_id = $1 and seq = $2 returning change_seq`,
    [id, seq],
  )
  const changeSeq: number = rows[0].change_seq
  on.app.topics.publish('conversation', id as ConversationId, { type: 'advanced', conversationId: id as ConversationId, changeSeq })
  return changeSeq
}

const databaseUrl = server.database.pool.options.connectionString ?? ''

/** As when another process does something and tells nothing of it. */
const startSilent = (t: Test, url = databaseUrl) => startServer(t, { databaseUrl: url, env: { REDIS_URL: 'redis://127.0.0.1:1' } })

async function resume(socket: Socket, cursors: Record<string, number>) {
  const from = socket.frames.length
  socket.send({ type: 'resume', data: { cursors } })
  await socket.frame(({ type }) => type === 'ready', from)
  return socket.frames.slice(from).filter(({ changeSeq }) => changeSeq !== undefined)
}

t.test('a message from before one’s joining is a number alone, for those who joined later and for nobody else', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice)
  await send(alice, id, 'secret')
  await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
  const { changeSeq: seen } = await send(alice, id, 'open')
  const [ofAlice, ofBob] = [await server.socket(alice.accessToken), await server.socket(bob.accessToken)]

  const changeSeq = await touch(id, 1)
  t.match(await until(ofAlice, id, changeSeq), { type: 'message.updated', data: { message: { content: 'secret' } } })
  const hidden = await until(ofBob, id, changeSeq)
  t.same(hidden, { type: 'change.hidden', conversationId: id, changeSeq, data: {} })
  const next = await touch(id, 2)
  t.match(await until(ofBob, id, next), { type: 'message.updated', data: { message: { content: 'open' } } })

  t.same(
    (await resume(ofBob, { [id]: seen })).map(({ type }) => type),
    ['change.hidden', 'message.updated'],
    'in a resume',
  )
  const pulled = await bob.api.sync.pull({ cursors: { [id]: 3 } })
  t.notOk(JSON.stringify(pulled).includes('secret'))
  t.same(
    pulled.changes.map(({ type, changeSeq }) => [type, changeSeq]),
    [
      ['member.joined', 4],
      ['change.hidden', changeSeq],
      ['message.created', next],
    ],
  )
})

t.test('how one has arranged a conversation is told to one’s own sockets alone', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const [ofAlice, ofBob] = [await server.socket(alice.accessToken), await server.socket(bob.accessToken)]
  await bob.api.conversations.updateMembership(id, { muted: true })
  t.match(await until(ofBob, id, 4), { type: 'membership.updated', data: { muted: true, pinned: false } })
  t.same(await until(ofAlice, id, 4), { type: 'change.hidden', conversationId: id, changeSeq: 4, data: {} })
  t.equal((await resume(ofAlice, { [id]: 3 }))[0]?.type, 'change.hidden')
  t.equal((await resume(ofBob, { [id]: 3 }))[0]?.type, 'membership.updated')
  t.equal((await alice.api.sync.pull({ cursors: { [id]: 3 } })).changes[0]?.type, 'change.hidden')
})

t.test('what was said while one was away stays unseen', async (t) => {
  const leaveAndComeBack = async () => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, bob)
    const { changeSeq: cursor } = await send(alice, id, 'together')
    return { alice, bob, id, cursor }
  }
  const spend = async ({ alice, bob, id }: Awaited<ReturnType<typeof leaveAndComeBack>>) => {
    await alice.api.conversations.removeMember(id, bob.id)
    for (let times = 0; times < 5; times++) await send(alice, id, 'secret')
    await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
    return send(alice, id, 'together again')
  }

  t.test('by a cursor from before', async (t) => {
    const world = await leaveAndComeBack()
    const { changeSeq } = await spend(world)
    const socket = await server.socket(world.bob.accessToken)
    const frames = await resume(socket, { [world.id]: world.cursor })
    t.same(
      frames.map(({ type }) => type),
      [...Array(5).fill('change.hidden'), 'member.joined', 'message.created'],
    )
    t.equal(frames.at(-1)?.changeSeq, changeSeq)
    t.notOk(JSON.stringify(await world.bob.api.sync.pull({ cursors: { [world.id]: world.cursor } })).includes('secret'))
  })

  t.test('by a socket that did not hear of the leaving', async (t) => {
    const world = await leaveAndComeBack()
    const socket = await server.socket(world.bob.accessToken)
    const silent = await startSilent(t)
    const alice = { ...world.alice, api: silent.client({ accessToken: world.alice.accessToken }) }
    const { changeSeq } = await spend({ ...world, alice })
    server.app.topics.publishStale()
    await until(socket, world.id, changeSeq)
    t.notOk(JSON.stringify(socket.frames).includes('secret'))
  })
})

t.test('of several pages, what is new since the cursor comes as new', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const socket = await server.socket(bob.accessToken)
  await Promise.all(Array.from({ length: 150 }, () => send(alice, id)))
  const last = await touch(id, 1)
  await until(socket, id, last)
  const frames = await resume(socket, { [id]: 2 })
  t.match(frames.at(-1), { changeSeq: last, type: 'message.created', data: { message: { seq: 1 } } })
})

t.test('what was told while something was missed is not new any more', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const proxy = await startDatabaseProxy(t, database.url)
  const [slow, silent] = [await startServer(t, { databaseUrl: proxy.url }), await startSilent(t, database.url)]
  const [alice, bob] = [await slow.signUp(), await slow.signUp()]
  const id = (await createGroup(alice, bob)) as ConversationId
  const socket = await slow.socket(bob.accessToken)
  await silent.client({ accessToken: alice.accessToken }).conversations.sendMessage(id, { content: 'hello' })
  const publish = (event: Change | Advanced) => slow.app.topics.publish('conversation', id, event)

  const first = proxy.hold('changes\0')
  publish({ type: 'advanced', conversationId: id, changeSeq: 6 })
  const second = first.then((read) => {
    const next = proxy.hold('changes\0')
    read.release()
    return next
  })
  t.equal((await until(socket, id, 4)).type, 'message.created')
  ;(await second).release()
  // Now it waits for a while before it reads again.
  await alice.api.conversations.get(id)
  for (const changeSeq of [5, 6]) publish({ type: 'delivered', conversationId: id, changeSeq, userId: bob.id, deliveredSeq: 1 })
  await until(socket, id, 6)
  await slow.database.pool.query('update conversations set last_change_seq = 6 where id = $1', [id])
  const changeSeq = await touch(id, 1, slow)
  t.equal((await until(socket, id, changeSeq)).type, 'message.updated')
})

t.test('an answer to something from before one’s joining shows nothing of it, wherever one looks', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice)
  const original = await send(alice, id, 'secret')
  await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
  const sockets = [await server.socket(alice.accessToken), await server.socket(bob.accessToken)] as const
  const [ofAlice, ofBob] = sockets
  const { message } = await alice.api.conversations.sendMessage(id, { content: 'pineapple', replyTo: original.id, mentions: [bob.id] })
  t.match(message.replyTo, { messageId: original.id, excerpt: 'secret' })
  t.match(await until(ofAlice, id, message.changeSeq), { type: 'message.created', data: { message } }, 'who saw it sees the answer whole')
  const seen = { ...message, replyTo: null }
  t.same((await until(ofBob, id, message.changeSeq)).data.message, seen, 'live')
  t.same((await ofBob.frame(({ type }) => type === 'message.mentioned')).data.message, seen, 'called')
  t.same((await resume(ofBob, { [id]: message.changeSeq - 1 }))[0]?.data.message, seen, 'in a resume')
  t.match(await resume(ofAlice, { [id]: message.changeSeq - 1 }), [{ data: { message } }])
  t.match((await bob.api.sync.pull({ cursors: { [id]: message.changeSeq - 1 } })).changes, [{ data: { message: seen } }], 'in sync.pull')
  t.same((await bob.api.messages.list(id)).items, [seen], 'in a page')
  t.same((await bob.api.messages.list(id, { senderId: alice.id })).items, [seen], 'in a page of a part')
  t.same((await bob.api.messages.get(message.id)).message, seen)
  t.same((await bob.api.conversations.get(id)).conversation.lastMessage, seen, 'in the list of conversations')
  t.same((await bob.api.search.messages({ q: 'pineapple' })).items[0]?.message, seen, 'in what is found')
  t.equal((await bob.api.messages.addReaction(message.id, '👍')).message.replyTo, null, 'reacted to')

  const { message: own } = await bob.api.conversations.sendMessage(id, { content: 'mine', replyTo: message.id, clientId: 'again' })
  await alice.api.conversations.removeMember(id, bob.id)
  await alice.api.messages.addReaction(own.id, '👍')
  await alice.api.messages.update(message.id, { content: 'said later' })
  const retry = () => bob.api.conversations.sendMessage(id, { content: 'mine', replyTo: message.id, clientId: 'again' })
  t.match((await retry()).message, { id: own.id, content: 'mine', replyTo: null, reactions: { length: 0 } }, 'who is no member learns nothing by a retry')
  await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
  t.match((await retry()).message, { id: own.id, replyTo: null, reactions: { length: 0 } }, 'nor who came back')
  for (const socket of sockets) socket.close()
  t.notOk(JSON.stringify(ofBob.frames).includes('secret'))
})

t.test('nor does a mention that another process tells of and that is too large to be told whole', async (t) => {
  const there = await startServer(t, { databaseUrl })
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice)
  const { id: replyTo } = await send(alice, id, 'secret')
  await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
  const socket = await there.socket(bob.accessToken)
  const mention = async (content: string) => (await alice.api.conversations.sendMessage(id, { content, replyTo, mentions: [bob.id] })).message
  const heard = () => socket.frames.filter(({ type }) => type === 'message.mentioned')
  // Until both know of each other.
  await eventually(async () => (await mention('hello')) && heard().length > 0)
  const message = await mention('ü'.repeat(9_000))
  const { data } = await socket.frame(({ type, data }) => type === 'message.mentioned' && data.message.id === message.id)
  t.same(data.message, { ...message, replyTo: null })
  t.notOk(JSON.stringify(socket.frames).includes('secret'))
})
