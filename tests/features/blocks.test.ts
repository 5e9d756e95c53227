/** A blocked user can neither write directly nor see presence; everything else goes on. */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { UserId } from '../../openapi/shared/ids.ts'
import { createAnnouncements } from '../../src/features/presence/announcements.ts'
import { createPresenceRepository } from '../../src/features/presence/repository.ts'
import { createTopics } from '../../src/topics.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { type Options, startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>
type Socket = Awaited<ReturnType<TestServer['socket']>>

const start = (t: Pick<Test, 'teardown'>, options: Options = {}) =>
  startServer(t, { presenceTimes: { graceMilliseconds: 0, beatMilliseconds: 5_000 }, ...options })
const database = await createTestDatabase()
t.teardown(async () => {
  for (const one of [server, other]) await one.stop()
  await database.drop()
})
const server = await start(t, { databaseUrl: database.url })
const other = await start(t, { databaseUrl: database.url })

const people = async (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))
const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)))

interface Asked {
  on?: TestServer
  body?: unknown
}

const ask = (person: Person, method: string, path: string, { on = server, body }: Asked = {}) =>
  on.request(method, `/v1${path}`, { token: person.accessToken, body })
const block = (person: Person, { id }: { id: string }, on = server) => ask(person, 'PUT', `/users/${id}/block`, { on })
const unblock = (person: Person, { id }: { id: string }) => ask(person, 'DELETE', `/users/${id}/block`)
const write = (person: Person, { id }: Person, content = 'hello', on = server) => ask(person, 'POST', '/messages', { on, body: { recipientId: id, content } })
const send = (person: Person, conversationId: string, body: object, on = server) =>
  ask(person, 'POST', `/conversations/${conversationId}/messages`, { on, body })
const openDirect = (person: Person, { id }: Person, on = server) => ask(person, 'POST', '/conversations', { on, body: { type: 'direct', memberIds: [id] } })

const refusal = ({ status, json }: { status: number; json: { error: { code: string; message: string } } }) => [status, json.error.code, json.error.message]
const forbidden = [403, 'forbidden', 'You cannot write to this user.']

/** The numbers of a conversation's messages, as its members read them. */
async function numbers({ api }: Person, id: string): Promise<number[]> {
  const seqs: number[] = []
  for await (const { seq } of api.messages.list(id)) seqs.push(seq)
  return seqs.reverse()
}

t.test('a blocked user cannot write directly, in whatever way, and the one who blocked still can', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const first = await write(bob, alice, 'before')
  const { conversationId } = first.json.message
  t.equal((await block(alice, bob)).status, 200)

  t.same(refusal(await write(bob, alice)), forbidden)
  t.same(refusal(await send(bob, conversationId, { content: 'hello' }, other)), forbidden, 'on another process too')
  const socket = await server.socket(bob.accessToken)
  socket.send({ type: 'conversations.sendMessage', id: 1, data: { conversationId, content: 'hello' } })
  t.equal((await socket.frame(({ id }) => id === 1)).error?.code, 'forbidden')

  t.equal((await write(alice, bob, 'but I can')).status, 201)
  t.same(await numbers(bob, conversationId), [1, 2], 'both still read it')
  t.equal((await openDirect(bob, alice)).status, 200, 'and find it')
  t.equal((await ask(bob, 'POST', `/conversations/${conversationId}/read`, { body: { seq: 2 } })).status, 200, 'and mark it as read')

  await unblock(alice, bob)
  t.equal((await write(bob, alice, 'after')).status, 201)
  t.same(await numbers(alice, conversationId), [1, 2, 3], 'no number was spent on what was refused')
})

t.test('a blocked user changes nothing that the one who blocked reads, only what is for themselves', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const { conversationId } = (await write(bob, alice, 'before')).json.message
  await block(alice, bob)
  const path = `/conversations/${conversationId}`
  const before = (await ask(alice, 'GET', path)).json
  for (const given of [{ summary: 'You coward' }, { tags: ['coward'] }, { status: 'closed' }, { metadata: { says: 'coward' } }, { title: 'no group' }])
    t.same(refusal(await ask(bob, 'PATCH', path, { body: given })), forbidden, `${Object.keys(given)}`)
  t.same(refusal(await ask(bob, 'DELETE', path)), forbidden)
  t.same((await ask(alice, 'GET', path)).json, before)
  t.equal((await ask(bob, 'PATCH', `${path}/membership`, { body: { muted: true, pinned: true } })).status, 200)
  t.equal((await ask(alice, 'PATCH', path, { body: { summary: 'We do not speak' } })).status, 200, 'the one who blocked may')
  t.equal((await ask(alice, 'DELETE', path)).status, 204)
  await unblock(alice, bob)
  t.equal((await ask(bob, 'PATCH', path, { body: { status: 'active' } })).status, 200)
})

t.test('groups are not affected', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id] })
  await block(alice, bob)
  t.equal((await send(bob, conversation.id, { content: 'hello' })).status, 201)
})

t.test('a blocked user cannot bring the one who blocked into a group, and everybody else still can', async (t) => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const createGroup = (person: Person, ...members: Person[]) =>
    ask(person, 'POST', '/conversations', { body: { type: 'group', memberIds: members.map(({ id }) => id) } })
  const add = (person: Person, id: string, ...members: Person[]) =>
    ask(person, 'POST', `/conversations/${id}/members`, { body: { userIds: members.map(({ id }) => id) } })
  const earlier = (await createGroup(bob, alice)).json.conversation.id
  const later = (await createGroup(bob, carol)).json.conversation.id
  await block(alice, bob)

  const from = (await ask(bob, 'GET', '/conversations')).json.items.length
  t.same(refusal(await createGroup(bob, alice)), forbidden)
  t.same(refusal(await createGroup(bob, carol, alice)), forbidden, 'not among others either')
  t.equal((await ask(bob, 'GET', '/conversations')).json.items.length, from, 'nothing is left of the attempt')
  const [dave] = (await people(1)) as [Person]
  t.same(refusal(await add(bob, later, dave, alice)), forbidden)
  t.equal((await ask(bob, 'GET', `/conversations/${later}`)).json.conversation.memberCount, 2, 'nor is anybody else added')

  t.equal((await add(bob, earlier, alice, dave)).status, 200, 'who is a member stays one')
  t.equal((await add(carol, (await createGroup(carol, bob)).json.conversation.id, alice)).status, 200, 'somebody else may bring them together')
  t.equal((await createGroup(alice, bob)).status, 201, 'and so may the one who blocked')
  await ask(alice, 'DELETE', `/conversations/${earlier}/members/${alice.id}`)
  t.same(refusal(await add(bob, earlier, alice)), forbidden, 'who has left is not brought back')
  await unblock(alice, bob)
  t.equal((await add(bob, earlier, alice)).status, 200)
  t.equal((await createGroup(bob, alice)).status, 201)
})

t.test('a blocked sender fails alone among what is sent at the same time', async (t) => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const { conversationId } = (await write(bob, alice)).json.message
  const { conversation: group } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id] })
  await block(alice, bob)
  const answers = await times(90, (index) => {
    if (index % 3 === 0) return send(bob, conversationId, { content: 'refused' })
    return send(index % 3 === 1 ? alice : bob, index % 3 === 1 ? conversationId : group.id, { content: String(index) })
  })
  t.same(
    answers.map(({ status }) => status),
    answers.map((_, index) => (index % 3 === 0 ? 403 : 201)),
  )
  t.same(
    await numbers(bob, conversationId),
    Array.from({ length: 31 }, (_, index) => index + 1),
  )
  t.same(
    await numbers(alice, group.id),
    Array.from({ length: 30 }, (_, index) => index + 1),
  )
})

t.test('who is blocked while a message waits for its turn is refused, and the others of its batch are not', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const { conversationId } = (await write(bob, alice)).json.message
  const { pool } = server.database
  const lock = await pool.connect()
  await lock.query('begin')
  await lock.query('select from conversations where id = $1 for update', [conversationId])
  const sends = [send(bob, conversationId, { content: 'too late' }), send(alice, conversationId, { content: 'mine' })]
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  for (let count: number | null = 0; count !== 1; ) count = (await lock.query(waiting)).rowCount
  await block(alice, bob, other)
  await lock.query('commit')
  lock.release()
  const [late, own] = await Promise.all(sends)
  t.equal(late?.status, 403)
  t.equal(own?.status, 201)
  t.same(await numbers(alice, conversationId), [1, 2])
})

t.test('a retry of what was stored before the block still gets the first result', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const body = { recipientId: alice.id, content: 'hello', clientId: 'first' }
  const first = await ask(bob, 'POST', '/messages', { body })
  await block(alice, bob)
  const again = await ask(bob, 'POST', '/messages', { body, on: other })
  t.same([again.status, again.json], [201, first.json])
  t.same(refusal(await ask(bob, 'POST', '/messages', { body: { ...body, clientId: 'second' } })), forbidden)
})

t.test('a blocked user cannot begin the conversation; when the other one does, it is born blocked', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await block(alice, bob)
  t.same(refusal(await openDirect(bob, alice)), forbidden)
  t.same(refusal(await write(bob, alice)), forbidden)
  t.same((await ask(bob, 'GET', '/conversations')).json.items, [], 'nothing is left of the attempt')
  t.equal((await openDirect(alice, bob)).status, 201)
  t.same(refusal(await write(bob, alice)), forbidden)
  t.equal((await write(alice, bob)).status, 201)

  const [carol, dave] = (await people(2)) as [Person, Person]
  await Promise.all([block(carol, dave), block(dave, carol)])
  for (const [one, two] of [
    [carol, dave],
    [dave, carol],
  ] as const)
    t.same(refusal(await write(one, two)), forbidden, 'both, when each has blocked the other')
  await unblock(carol, dave)
  t.equal((await write(dave, carol)).status, 201)
  t.same(refusal(await write(carol, dave)), forbidden)
})

t.test('of a block and the creation of the conversation at once, on two processes, one waits: the conversation is never open to the blocked one', async (t) => {
  const { pool } = server.database
  for (let round = 0; round < 6; round++) {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const [creator, partner] = round % 2 === 0 ? [bob, alice] : [alice, bob]
    const lock = await pool.connect()
    await lock.query('begin')
    await lock.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [[alice.id, bob.id].sort().join(' ')])
    const both = Promise.all([block(alice, bob), openDirect(creator, partner, other)])
    const waiting = "select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"
    for (let count: number | null = 0; count !== 2; ) count = (await lock.query(waiting)).rowCount
    await lock.query('commit')
    lock.release()
    const [blocked, created] = await both
    t.equal(blocked.status, 200)
    t.ok(created.status === 201 || (creator === bob && created.status === 403), `${created.status}`)
    t.same(refusal(await write(bob, alice)), forbidden, `round ${round}`)
    t.equal((await write(alice, bob)).status, 201)
  }
})

t.test('blocks and unblocks of one pair at once end in what the list says', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await write(bob, alice)
  for (let round = 0; round < 5; round++) {
    const answers = await times(8, (index) => (index % 2 === 0 ? block(alice, bob, index % 4 === 0 ? server : other) : unblock(alice, bob)))
    t.same(
      answers.map(({ status }) => status),
      answers.map((_, index) => (index % 2 === 0 ? 200 : 204)),
    )
    const { items } = (await ask(alice, 'GET', '/users/me/blocked')).json
    t.equal((await write(bob, alice)).status, items.length === 1 ? 403 : 201)
  }
})

t.test('typing of a blocked user is told to nobody', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const { conversationId } = (await write(bob, alice)).json.message
  await block(alice, bob)
  const [alices, bobs] = (await Promise.all([alice, bob].map(({ accessToken }) => server.socket(accessToken)))) as [Socket, Socket]
  t.same(refusal(await ask(bob, 'POST', `/conversations/${conversationId}/typing`, { body: { typing: true } })), forbidden)
  bobs.send({ type: 'conversations.setTyping', id: 1, data: { conversationId, typing: true } })
  t.equal((await bobs.frame(({ id }) => id === 1)).error?.code, 'forbidden')
  await unblock(alice, bob)
  t.equal((await ask(bob, 'POST', `/conversations/${conversationId}/typing`, { body: { typing: false } })).status, 204)
  t.equal((await alices.frame(({ type }) => type === 'typing')).data.typing, false)
})

t.test('a blocked user sees presence no more, at once and on every process, and sees it again afterwards', async (t) => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id] })
  const bobs = await other.socket(bob.accessToken)
  const carols = await server.socket(carol.accessToken)
  const heard = ({ frames }: Socket, from = 0) =>
    frames.slice(from).flatMap(({ type, data }) => (type === 'presence.changed' && data.userId === alice.id ? [data.status] : []))
  const until = (socket: Socket, status: string, from = 0) =>
    socket.frame(({ type, data }) => type === 'presence.changed' && data.userId === alice.id && data.status === status, from)
  const seen = async (viewer: Person, on = server) => (await ask(viewer, 'GET', `/users/${alice.id}`, { on })).json

  await server.socket(alice.accessToken)
  await Promise.all([until(bobs, 'online'), until(carols, 'online')])
  await block(alice, bob)
  t.equal((await until(bobs, 'offline')).data.lastSeen, null)
  t.match(await seen(bob, other), { status: 'offline', lastSeen: null })
  t.match(await seen(carol), { status: 'online', lastSeen: String })

  const from = bobs.frames.length
  for (const status of ['busy', 'away']) {
    await ask(alice, 'PUT', '/users/me/presence', { body: { status } })
    await until(carols, status)
  }
  await unblock(alice, bob)
  await until(bobs, 'away', from)
  t.same(heard(bobs, from), ['away'], 'what happened meanwhile is not told')
  t.same(heard(carols), ['online', 'busy', 'away'], 'nobody else hears of the block')
  t.match(await seen(bob, other), { status: 'away' })
  t.equal((await ask(bob, 'PUT', '/users/me/presence', { body: { status: 'busy' } })).json.status, 'busy')
})

t.test('a presence that was read before the block is not told after it', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await write(alice, bob)
  await server.socket(alice.accessToken)
  const { pool, db } = server.database
  while ((await pool.query('select from online_users where user_id = $1', [alice.id])).rowCount === 0) await setImmediate()
  const presence = createPresenceRepository({ pool, db })
  const [read, toldOfBlock] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const audiences: typeof presence.audiences = async (...asked) => {
    const found = await presence.audiences(...asked)
    read.resolve()
    await toldOfBlock.promise
    return found
  }
  const topics = createTopics({ log: silentLog })
  const told: string[] = []
  topics.subscribe('user', bob.id, (event) => {
    if (event.type === 'presence.changed') told.push(event.presence.status)
  })
  const announcements = createAnnouncements({ presence: { ...presence, audiences }, connected: () => [bob.id], topics, log: silentLog })
  announcements.announce([alice.id])
  await read.promise
  await block(alice, bob)
  announcements.announceTo(bob.id, alice.id)
  // Whoever did not wait would have told by now.
  for (let round = 0; round < 20; round++) await pool.query('select')
  toldOfBlock.resolve()
  while (told.length < 2) await setImmediate()
  t.same(told, ['online', 'offline'])
})

t.test('any number of blocks at once is one question, about those who are connected here; nobody else is asked about', async (t) => {
  const [alice, bob, carol, dave] = (await people(4)) as [Person, Person, Person, Person]
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id] })
  await Promise.all([server.socket(alice.accessToken), server.socket(carol.accessToken)])
  const { pool, db } = server.database
  const areThere = async () => (await pool.query('select from online_users where user_id = any($1)', [[alice.id, carol.id]])).rowCount === 2
  while (!(await areThere())) await setImmediate()
  await block(alice, bob)
  const presence = createPresenceRepository({ pool, db })
  const questions: string[][] = []
  const views: typeof presence.views = (pairs) => {
    questions.push(pairs.map(({ viewerId }) => viewerId))
    return presence.views(pairs)
  }
  const topics = createTopics({ log: silentLog })
  const told: unknown[] = []
  for (const { id } of [bob, carol, dave]) {
    topics.subscribe('user', id, (event) => event.type === 'presence.changed' && told.push([id, event.presence.userId, event.presence.status]))
  }
  const announcements = createAnnouncements({
    ...{ presence: { ...presence, views }, topics, log: silentLog },
    connected: () => [bob, carol, dave].map(({ id }) => id),
  })
  announcements.announce([dave.id])
  for (let index = 0; index < 500; index++) announcements.announceTo(randomUUID() as UserId, alice.id)
  for (const viewer of [bob, dave, bob, carol]) announcements.announceTo(viewer.id, alice.id)
  announcements.announceTo(bob.id, carol.id)
  announcements.announceTo(carol.id, bob.id)
  while (told.length < 3) await setImmediate()
  t.same(questions, [[bob, dave, carol, bob, carol].map(({ id }) => id)])
  const expected = [
    [bob.id, alice.id, 'offline'],
    [bob.id, carol.id, 'online'],
    [carol.id, alice.id, 'online'],
  ]
  t.same([...told].sort(), expected.sort(), 'not of whom they share no conversation with, nor of whom is not there')

  await alice.api.conversations.removeMember(conversation.id, bob.id)
  announcements.announceTo(bob.id, alice.id)
  announcements.announceTo(carol.id, alice.id)
  while (told.length < 4) await setImmediate()
  t.same(told.at(-1), [carol.id, alice.id, 'online'], 'and no more of whom they shared one with')
})

t.test('the one who blocked goes on seeing the blocked one', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await write(alice, bob)
  await block(alice, bob)
  const alices = await server.socket(alice.accessToken)
  await other.socket(bob.accessToken)
  t.equal((await alices.frame(({ type, data }) => type === 'presence.changed' && data.userId === bob.id)).data.status, 'online')
})

t.test('blocking twice keeps the first time, and answers as the first did', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const first = await block(alice, bob)
  t.match(first.json, { user: { id: bob.id, username: null, deleted: false }, blockedAt: String })
  const again = await times(4, (index) => block(alice, bob, index % 2 === 0 ? server : other))
  for (const answer of again) t.same([answer.status, answer.json], [200, first.json])
})

t.test('the list says whom I have blocked, the latest first, page by page, and nobody else can see it', async (t) => {
  const [alice, ...others] = (await people(6)) as [Person, ...Person[]]
  for (const person of others) await block(alice, person)
  await block(alice, others[0] as Person)
  const pages: string[][] = []
  let cursor = ''
  do {
    const { json } = await ask(alice, 'GET', `/users/me/blocked?limit=2${cursor}`)
    pages.push(json.items.map(({ user }: { user: { id: string } }) => user.id))
    t.equal(json.hasMore, json.nextCursor !== null)
    cursor = json.nextCursor === null ? '' : `&cursor=${json.nextCursor}`
  } while (cursor !== '')
  const expected = others.map(({ id }) => id).reverse()
  t.same(pages, [expected.slice(0, 2), expected.slice(2, 4), expected.slice(4)])
  t.same((await ask(others[0] as Person, 'GET', '/users/me/blocked')).json.items, [])

  await server.database.pool.query(`update blocks set created_at = '2026-01-01' where blocker_id = $1`, [alice.id])
  const together = (await ask(alice, 'GET', '/users/me/blocked?limit=3')).json
  const rest = (await ask(alice, 'GET', `/users/me/blocked?limit=3&cursor=${together.nextCursor}`)).json
  const all = [...together.items, ...rest.items].map(({ user }: { user: { id: string } }) => user.id)
  t.same([all.length, new Set(all).size], [5, 5], 'those of one moment are on one page each')

  for (const wrong of ['limit=0', 'limit=101', 'cursor=bm90aGluZw', `cursor=${Buffer.from('[1,"x"]').toString('base64url')}`]) {
    t.equal((await ask(alice, 'GET', `/users/me/blocked?${wrong}`)).json.error.code, 'validation_error', wrong)
  }
})

t.test('blocking oneself is a conflict, and a stranger is as not found as one who was erased', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  t.equal((await block(alice, alice)).json.error.code, 'conflict')
  await block(alice, bob)
  await server.database.pool.query('update users set erased_at = now() where id = $1', [bob.id])
  const bytes = async (method: string, id: string) => {
    const { status, json } = await ask(alice, method, `/users/${id}/block`)
    const { requestId, timestamp, ...error } = json.error
    return [status, error]
  }
  for (const method of ['PUT', 'DELETE']) {
    t.same(await bytes(method, bob.id), await bytes(method, randomUUID()))
    t.equal((await bytes(method, randomUUID()))[0], 404)
    t.equal((await ask(alice, method, '/users/nobody/block')).status, 400)
  }
  t.same((await ask(alice, 'GET', '/users/me/blocked')).json.items, [])
})

t.test('unblocking someone who is not blocked is no error', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  t.equal((await unblock(alice, bob)).status, 204)
})

t.test('no credentials, no block', async (t) => {
  for (const [method, path] of [
    ['PUT', `/users/${randomUUID()}/block`],
    ['DELETE', `/users/${randomUUID()}/block`],
    ['GET', '/users/me/blocked'],
  ] as const) {
    t.equal((await server.request(method, `/v1${path}`)).status, 401)
  }
})

t.test('nobody writes to a user who is erased', async (t) => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const { conversationId } = (await write(alice, bob)).json.message
  await block(bob, alice)
  await unblock(bob, alice)
  const alices = await server.socket(alice.accessToken)
  const hears = async (status: string) => (await alices.frame(({ type, data }) => type === 'presence.changed' && data.status === status)).data
  await other.socket(bob.accessToken)
  await hears('online')
  await server.database.pool.query(`update users set deletion_at = now() - interval '1 minute' where id = $1`, [bob.id])
  await server.app.services.erasure.erase(bob.id)
  t.same(await hears('offline'), { userId: bob.id, status: 'offline', lastSeen: null }, 'who is erased goes, and was never seen')
  t.equal((await write(alice, bob)).status, 404)
  t.equal((await send(alice, conversationId, { content: 'hello' })).status, 404)
  t.equal((await openDirect(carol, bob)).status, 404)
  t.equal((await write(carol, bob)).status, 404)
  t.same(await numbers(alice, conversationId), [1], 'what was said can still be read')
})
