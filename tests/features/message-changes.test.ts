/** What becomes of messages after they were sent: answers, mentions, edits, deletions, reactions; and who sees how much of it. */
import { randomUUID } from 'node:crypto'
import type { Message } from '@parley/sdk'
import t, { type Test } from 'tap'
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import type { Change } from '../../src/topics.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const server = await startServer(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
const { pool } = server.database

const people = (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))
const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)))
const distinct = <T>(values: T[]): T[] => [...new Set(values)]

async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id) })
  return conversation.id
}

async function send({ api }: Person, id: string, content = 'hello', fields: Partial<Parameters<Person['api']['conversations']['sendMessage']>[1]> = {}) {
  return (await api.conversations.sendMessage(id, { content, ...fields })).message
}

const get = async ({ api }: Person, id: string): Promise<Message> => (await api.messages.get(id)).message
const view = async ({ api }: Person, id: string) => (await api.conversations.get(id)).conversation

const ask = (person: Person, method: string, path: string, body?: unknown) =>
  server.request(method, `/v1/${path}`, { token: person.accessToken, ...(body !== undefined && { body }) })

/** `200`, `403 forbidden` … */
async function outcome(...asked: Parameters<typeof ask>): Promise<string> {
  const { status, json } = await ask(...asked)
  return status < 400 ? String(status) : `${status} ${json.error.code}`
}

/** What is told of a conversation from now on. */
function listen(id: string): Change[] {
  const heard: Change[] = []
  server.app.topics.subscribe('conversation', id as ConversationId, (event) => {
    if ('changeSeq' in event && event.type !== 'advanced') heard.push(event)
  })
  return heard
}

/** Until some statement waits for a lock. */
async function untilLockIsAwaited(): Promise<void> {
  const { rowCount } = await pool.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
  if (rowCount === 0) await untilLockIsAwaited()
}

const all = async (list: AsyncIterable<Message>): Promise<Message[]> => Array.fromAsync(list)

t.test('an answer', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const original = await send(alice, id, `${'🙂'.repeat(99)}xyz`)
  const heard = listen(id)
  const answer = await send(bob, id, 'Yes', { replyTo: original.id, clientId: 'yes' })
  const replyTo = { messageId: original.id, seq: original.seq, senderId: alice.id, excerpt: `${'🙂'.repeat(99)}x` }

  t.test('shows the beginning of what it answers, wherever it is read', async (t) => {
    t.same(answer.replyTo, replyTo)
    t.same((await get(alice, answer.id)).replyTo, replyTo)
    t.same((await alice.api.messages.list(id)).items[0]?.replyTo, replyTo)
    t.same(heard[0]?.type === 'message.created' && heard[0].message.replyTo, replyTo, 'also live')
    const { changes } = await alice.api.sync.pull({ cursors: { [id]: original.changeSeq } })
    t.same(changes[0]?.type === 'message.created' && changes[0].data.message.replyTo, replyTo)
  })

  t.test('shows what it answers as that is now, however many answers there are: its own number stays, and only the original is told', async (t) => {
    heard.length = 0
    await alice.api.messages.update(original.id, { content: 'Lunch?' })
    t.same(await get(bob, answer.id), { ...answer, replyTo: { ...replyTo, excerpt: 'Lunch?' } })
    await alice.api.messages.delete(original.id)
    t.same(await get(bob, answer.id), { ...answer, replyTo: { ...replyTo, excerpt: null } })
    t.same(
      heard.map((change) => [change.type, 'message' in change && change.message.seq]),
      [
        ['message.updated', original.seq],
        ['message.deleted', original.seq],
      ],
    )
  })

  t.test('is of something in the conversation that can be answered', async (t) => {
    const elsewhere = await send(alice, await createGroup(alice), 'elsewhere')
    const wrong = async (replyTo: string, fields = {}) => {
      const { status, json } = await ask(bob, 'POST', `conversations/${id}/messages`, { content: 'Yes', replyTo, ...fields })
      return [status, json.error?.details?.[0]?.field]
    }
    for (const replyTo of [elsewhere.id, randomUUID(), original.id]) t.same(await wrong(replyTo), [400, 'body.replyTo'])
    t.equal((await wrong('nonsense'))[0], 400)
    t.same((await send(bob, id, 'Yes', { replyTo: original.id, clientId: 'yes' })).id, answer.id, 'and a retry is one, though that is deleted by now')
  })

  t.test('of a message that is deleted at the same moment shows nothing of it', async (t) => {
    for (let round = 0; round < 10; round++) {
      const secret = await send(alice, id, 'secret')
      heard.length = 0
      const [, sent] = await Promise.all([
        alice.api.messages.delete(secret.id),
        ask(bob, 'POST', `conversations/${id}/messages`, { content: 'Yes', replyTo: secret.id }),
      ])
      const deletedAt = heard.findIndex(({ type }) => type === 'message.deleted')
      const shown = heard.slice(deletedAt).filter((change) => 'message' in change && change.message.replyTo?.excerpt === 'secret')
      t.same(shown, [], `round ${round}`)
      if (sent.status === 201) t.equal((await get(bob, sent.json.message.id)).replyTo?.excerpt, null)
    }
  })
})

t.test('mentions', async (t) => {
  const [alice, bob, carol, stranger] = (await people(4)) as [Person, Person, Person, Person]
  const id = await createGroup(alice, bob, carol)
  const sockets = await Promise.all([bob, bob, carol, alice].map(({ accessToken }) => server.socket(accessToken)))
  const [first, second, ofCarol, ofAlice] = sockets as [(typeof sockets)[0], (typeof sockets)[0], (typeof sockets)[0], (typeof sockets)[0]]
  const mentionsIn = ({ frames }: (typeof sockets)[0]) => frames.filter(({ type }) => type === 'message.mentioned').map(({ data }) => data.message.id)
  t.teardown(() => {
    for (const socket of sockets) socket.close()
  })

  t.test('reach every socket of those who are mentioned, once, and nobody else', async (t) => {
    const message = await send(alice, id, 'Bob!', { mentions: [bob.id, alice.id], clientId: 'call' })
    t.same(message.mentions, [bob.id, alice.id])
    for (const socket of [first, second]) t.same((await socket.frame(({ type }) => type === 'message.mentioned')).data.message, message)
    await send(alice, id, 'Bob!', { mentions: [bob.id], clientId: 'call' })
    const last = await send(alice, id, 'the end', { mentions: [carol.id] })
    for (const socket of sockets) await socket.frame(({ type, data }) => type === 'message.created' && data.message.id === last.id)
    await ofCarol.frame(({ type }) => type === 'message.mentioned')
    t.same(sockets.map(mentionsIn), [[message.id], [message.id], [last.id], []], 'not oneself, and not by a retry')
    t.same((await get(carol, message.id)).mentions, [bob.id, alice.id])
  })

  t.test('reach nobody who was removed before the message was stored', async (t) => {
    const dave = await server.signUp()
    const group = await createGroup(alice, bob, dave)
    const called: string[] = []
    for (const { id: userId } of [bob, dave]) server.app.topics.subscribe('user', userId as UserId, ({ type }) => called.push(`${type} ${userId}`))
    const client = await pool.connect()
    await client.query('begin')
    await client.query('select from conversations where id = $1 for update', [group])
    const sending = send(alice, group, 'Dave!', { mentions: [bob.id, dave.id] })
    await untilLockIsAwaited()
    await client.query('update members set left_at = now() where conversation_id = $1 and user_id = $2', [group, dave.id])
    await client.query('commit')
    client.release()
    await sending
    t.same(called, [`message.mentioned ${bob.id}`])
  })

  t.test('by an edit reach those who were not mentioned before', async (t) => {
    const message = await send(alice, id, 'Bob!', { mentions: [bob.id] })
    await first.frame(({ type, data }) => type === 'message.mentioned' && data.message.id === message.id)
    const { message: edited } = await alice.api.messages.update(message.id, { mentions: [carol.id, bob.id] })
    t.same((await ofCarol.frame(({ type, data }) => type === 'message.mentioned' && data.message.id === message.id)).data.message, edited)
    for (const socket of sockets) await socket.frame(({ type, data }) => type === 'message.updated' && data.message.id === message.id)
    const callsOfBob = () => mentionsIn(first).filter((mentioned) => mentioned === message.id).length
    t.equal(callsOfBob(), 1)
    t.same(mentionsIn(ofAlice), [])

    await alice.api.messages.update(message.id, { mentions: [] })
    const { message: again } = await alice.api.messages.update(message.id, { mentions: [bob.id] })
    await first.frame(({ type, changeSeq }) => type === 'message.updated' && changeSeq === again.changeSeq)
    t.equal(callsOfBob(), 1, 'nor by one who takes it away and puts it back')
  })

  t.test('are of members, and the others are named', async (t) => {
    const wrong = async (mentions: unknown[]) => {
      const { status, json } = await ask(alice, 'POST', `conversations/${id}/messages`, { content: 'hello', mentions })
      return [status, json.error?.details?.map(({ field }: { field: string }) => field)]
    }
    t.same(await wrong([bob.id, stranger.id, randomUUID()]), [400, ['body.mentions.1', 'body.mentions.2']])
    t.equal((await wrong([bob.id, bob.id]))[0], 400)
    t.equal((await wrong(Array.from({ length: 51 }, () => randomUUID())))[0], 400)
    const message = await send(alice, id)
    t.equal(await outcome(alice, 'PATCH', `messages/${message.id}`, { mentions: [stranger.id] }), '400 validation_error')
    t.equal(await outcome(stranger, 'POST', `conversations/${id}/messages`, { content: 'hello', mentions: [bob.id] }), '404 not_found')
  })
})

t.test('whoever joined later sees nothing of before', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice)
  await alice.api.conversations.update(id, { historyVisibility: 'sinceJoined' })
  const before = [await send(alice, id, 'before'), await send(alice, id, 'before too')] as const
  await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
  const since = [await send(alice, id, 'since'), await send(alice, id, 'since too'), await send(alice, id, 'since as well')] as const
  const [hidden, unknown] = [before[1].id, randomUUID()]

  t.test('in pages, which end where it begins', async (t) => {
    const seqs = async (query: string) => {
      const { json } = await ask(bob, 'GET', `conversations/${id}/messages${query}`)
      return [json.items.map(({ seq }: Message) => seq), json.hasMore]
    }
    t.same(await seqs(''), [[5, 4, 3], false])
    t.same(await seqs('?limit=3'), [[5, 4, 3], false])
    t.same(await seqs('?limit=2'), [[5, 4], true])
    t.same(await seqs(`?before=${since[0].id}`), [[], false])
    t.same(await seqs(`?after=${since[0].id}`), [[4, 5], false])
    t.same(await seqs(`?senderId=${alice.id}`), [[5, 4, 3], false])
    t.same(await seqs(`?to=${since[0].createdAt}`), [[], false])
    const { headers } = await ask(bob, 'GET', `conversations/${id}/messages?includeTotal=true`)
    t.equal(headers.get('x-pagination-total'), '3')
    t.same(
      (await all(bob.api.messages.list(id, { limit: 1 }))).map(({ seq }) => seq),
      [5, 4, 3],
    )
  })

  t.test('by id: it is as if it did not exist', async (t) => {
    const asked: [string, (messageId: string) => string, unknown?][] = [
      ['GET', (messageId) => `messages/${messageId}`],
      ['GET', (messageId) => `messages/${messageId}/history`],
      ['GET', (messageId) => `messages/${messageId}/receipts`],
      ['GET', (messageId) => `messages/${messageId}/reactions`],
      ['PATCH', (messageId) => `messages/${messageId}`, { content: 'mine' }],
      ['DELETE', (messageId) => `messages/${messageId}`],
      ['PUT', (messageId) => `messages/${messageId}/reactions/x`],
      ['DELETE', (messageId) => `messages/${messageId}/reactions/x`],
      ['GET', (messageId) => `conversations/${id}/messages?before=${messageId}`],
      ['GET', (messageId) => `conversations/${id}/messages?after=${messageId}`],
    ]
    for (const [method, path, body] of asked) {
      const answers = [await ask(bob, method, path(hidden), body), await ask(bob, method, path(unknown), body)]
      const [one, other] = answers.map(({ status, json }) => [status, json.error.code, json.error.message])
      t.same(one, other, `${method} ${path('…')}`)
      t.equal(one?.[0], 404)
    }
    t.equal(await outcome(bob, 'POST', 'messages/read', { messageIds: [hidden] }), '404 not_found')
    t.equal(await outcome(bob, 'POST', `conversations/${id}/messages`, { content: 'Yes', replyTo: hidden }), '400 validation_error')
    t.equal((await get(alice, hidden)).content, 'before too', 'it is as it was')
  })
})

t.test('pages end where a retention has ended the history', async (t) => {
  const [alice] = (await people(1)) as [Person]
  const id = await createGroup(alice)
  for (let number = 1; number <= 5; number++) await send(alice, id)
  await pool.query('delete from messages where conversation_id = $1 and seq < 4', [id])
  await pool.query('update conversations set first_seq = 4 where id = $1', [id])
  t.match(await alice.api.messages.list(id, { limit: 2 }), { items: [{ seq: 5 }, { seq: 4 }], hasMore: false })
  t.match(await alice.api.messages.list(id, { limit: 1 }), { items: [{ seq: 5 }], hasMore: true })
})

t.test('a conversation that is not active is only read', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]

  t.test('archived or closed', async (t) => {
    for (const status of ['archived', 'closed'] as const) {
      const id = await createGroup(alice, bob)
      const message = await send(alice, id, 'hello', { clientId: `once ${status}` })
      await alice.api.messages.addReaction(message.id, '👍')
      await alice.api.conversations.update(id, { status })
      t.equal(await outcome(bob, 'POST', `conversations/${id}/messages`, { content: 'hello' }), '409 conflict')
      t.equal(await outcome(alice, 'PATCH', `messages/${message.id}`, { content: 'bye' }), '409 conflict')
      t.equal(await outcome(bob, 'PUT', `messages/${message.id}/reactions/x`), '409 conflict')
      t.equal((await send(alice, id, 'hello', { clientId: `once ${status}` })).id, message.id, 'a retry gets the first result')
      t.equal(await outcome(alice, 'DELETE', `messages/${message.id}/reactions/👍`), '204', 'and one takes back what is one’s own')
      t.equal(await outcome(alice, 'DELETE', `messages/${message.id}`), '204')
      await alice.api.conversations.update(id, { status: 'active' })
      t.equal((await send(bob, id)).seq, 2)
    }
  })

  t.test('from the very change on, whoever is sending', async (t) => {
    for (let round = 0; round < 5; round++) {
      const id = await createGroup(alice, bob)
      const answers = await Promise.all([
        ...Array.from({ length: 6 }, () => ask(bob, 'POST', `conversations/${id}/messages`, { content: 'hello' })),
        alice.api.conversations.update(id, { status: 'archived' }).then(() => undefined),
        ...Array.from({ length: 3 }, () => ask(bob, 'POST', `conversations/${id}/messages`, { content: 'hello' })),
      ])
      const { rows } = await pool.query<{ archived: number; last: number | null }>(
        'select change_seq as archived, (select max(change_seq) from messages where conversation_id = $1) as last from conversations where id = $1',
        [id],
      )
      t.ok((rows[0]?.last ?? 0) < (rows[0]?.archived ?? 0), `round ${round}: nothing was stored after it`)
      t.same(
        distinct(answers.map((answer) => answer?.status ?? 201)).filter((status) => status !== 201 && status !== 409),
        [],
      )
    }
  })
})

t.test('an edit', async (t) => {
  const [alice, bob, stranger] = (await people(3)) as [Person, Person, Person]
  const id = await createGroup(alice, bob)

  t.test('changes what is given, tells it, and keeps what was', async (t) => {
    const sent = await send(alice, id, 'first', { metadata: { mood: 'good' }, mentions: [bob.id] })
    const heard = listen(id)
    const { message } = await alice.api.messages.update(sent.id, { content: 'second' })
    t.match(message, { content: 'second', metadata: { mood: 'good' }, mentions: [bob.id], seq: sent.seq, changeSeq: sent.changeSeq + 1, editedAt: String })
    t.same(await get(bob, sent.id), message)
    t.match(heard, [{ type: 'message.updated', changeSeq: message.changeSeq, message: { content: 'second' } }])
    await alice.api.messages.update(sent.id, { content: 'third', metadata: {}, mentions: [] })
    t.same((await bob.api.messages.listHistory(sent.id)).items, [
      { version: 2, content: 'second', metadata: { mood: 'good' }, mentions: [bob.id], createdAt: message.editedAt },
      { version: 1, content: 'first', metadata: { mood: 'good' }, mentions: [bob.id], createdAt: sent.createdAt },
    ])
    const pages: number[] = []
    for await (const { version } of bob.api.messages.listHistory(sent.id, { limit: 1 })) pages.push(version)
    t.same(pages, [2, 1])
    const { changes } = await bob.api.sync.pull({ cursors: { [id]: sent.changeSeq } })
    t.match(changes, [{ type: 'message.updated', data: { message: { content: 'third' } } }])
  })

  t.test('that changes nothing is none', async (t) => {
    const sent = await send(alice, id, 'same', { metadata: { a: 1, b: true } })
    const { changeSeq } = await view(alice, id)
    t.same((await alice.api.messages.update(sent.id, { content: 'same', metadata: { b: true, a: 1 }, mentions: [] })).message, sent)
    t.equal((await view(alice, id)).changeSeq, changeSeq)
    t.same((await alice.api.messages.listHistory(sent.id)).items, [])
  })

  t.test("is its sender's, while a member", async (t) => {
    const sent = await send(bob, id)
    const edit = (person: Person) => outcome(person, 'PATCH', `messages/${sent.id}`, { content: 'changed' })
    t.equal(await edit(alice), '403 forbidden', 'not even the owner’s')
    t.equal(await edit(stranger), '404 not_found')
    await bob.api.conversations.removeMember(id, bob.id)
    t.equal(await edit(bob), '404 not_found')
    await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
    t.equal(await edit(bob), '200')
    await bob.api.messages.delete(sent.id)
    t.equal(await edit(bob), '409 conflict')
  })

  t.test('says something', async (t) => {
    const sent = await send(alice, id)
    for (const body of [{}, { content: '' }, { content: 'x'.repeat(10_001) }, { content: null }, { title: 'x' }, { metadata: { a: {} } }])
      t.equal(await outcome(alice, 'PATCH', `messages/${sent.id}`, body), '400 validation_error', JSON.stringify(body).slice(0, 50))
  })

  t.test('is refused where the other one has blocked its sender', async (t) => {
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    const sent = await send(bob, conversation.id)
    await alice.api.users.block(bob.id)
    t.equal(await outcome(bob, 'PATCH', `messages/${sent.id}`, { content: 'changed' }), '403 forbidden')
    t.equal(await outcome(bob, 'PUT', `messages/${sent.id}/reactions/x`), '403 forbidden')
    t.equal(await outcome(bob, 'DELETE', `messages/${sent.id}`), '204', 'what one said can be taken back')
    await alice.api.users.unblock(bob.id)
  })

  t.test('of many at once keeps each version', async (t) => {
    const sent = await send(alice, id, '0')
    const contents = Array.from({ length: 10 }, (_, index) => String(index + 1))
    await Promise.all(contents.map((content) => alice.api.messages.update(sent.id, { content })))
    const versions = (await alice.api.messages.listHistory(sent.id)).items.map(({ content }) => content)
    t.equal(versions.at(-1), '0')
    t.same([...versions, (await get(alice, sent.id)).content].sort(), ['0', ...contents].sort())
  })
})

t.test('a deletion', async (t) => {
  const [alice, bob, carol, stranger] = (await people(4)) as [Person, Person, Person, Person]

  t.test("is its sender's, and in a group its owners' and admins'", async (t) => {
    const id = await createGroup(alice, bob, carol)
    const attempt = async (sender: Person, person: Person) => outcome(person, 'DELETE', `messages/${(await send(sender, id)).id}`)
    t.equal(await attempt(bob, bob), '204')
    t.equal(await attempt(bob, carol), '403 forbidden')
    t.equal(await attempt(bob, stranger), '404 not_found')
    t.equal(await attempt(bob, alice), '204', 'an owner')
    await alice.api.conversations.updateMember(id, carol.id, { role: 'admin' })
    t.equal(await attempt(alice, carol), '204', 'an admin')
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    t.equal(await outcome(bob, 'DELETE', `messages/${(await send(alice, conversation.id)).id}`), '403 forbidden', 'two people are equals')
  })

  t.test('leaves nothing but its number', async (t) => {
    const id = await createGroup(alice, bob)
    const original = await send(bob, id, 'original')
    const secret = `secret${randomUUID()}`
    const fields = { replyTo: original.id, mentions: [bob.id], metadata: { note: secret }, clientId: 'once' }
    const sent = await send(alice, id, secret, fields)
    await alice.api.messages.update(sent.id, { content: `${secret} again` })
    await bob.api.messages.addReaction(sent.id, '👍')
    const heard = listen(id)
    t.equal(await outcome(alice, 'DELETE', `messages/${sent.id}`), '204')
    const empty = { content: '', metadata: {}, clientId: null, replyTo: null, mentions: [], attachments: [], reactions: [], editedAt: null, type: 'text' }
    const left = await get(bob, sent.id)
    t.same(left, { ...sent, ...empty, changeSeq: sent.changeSeq + 3, deletedAt: left.deletedAt })
    t.match(left.deletedAt, String)
    t.match(heard, [{ type: 'message.deleted', changeSeq: left.changeSeq }])
    t.same((await bob.api.messages.listHistory(sent.id)).items, [])
    t.same((await bob.api.messages.listReactions(sent.id)).items, [])
    t.match(await view(bob, id), { messageCount: 1, lastSeq: 2, lastMessage: left })
    t.same((await bob.api.messages.list(id)).items[0], left)
    t.same(await findInDatabase(secret), [], 'no table has what it said')

    t.equal(await outcome(alice, 'DELETE', `messages/${sent.id}`), '204', 'again it succeeds')
    t.equal(heard.length, 1, 'and is no change')
    t.same(await send(alice, id, secret, fields), left, 'a send that is tried again does not bring it back')
    t.equal((await alice.api.messages.list(id)).items.length, 2)
  })

  t.test('wins over an edit and a reaction of the same moment', async (t) => {
    const id = await createGroup(alice, bob)
    for (let round = 0; round < 10; round++) {
      const sent = await send(alice, id, 'secret')
      const answers = await Promise.all([
        outcome(alice, 'PATCH', `messages/${sent.id}`, { content: 'secret too' }),
        outcome(bob, 'PUT', `messages/${sent.id}/reactions/x`),
        outcome(alice, 'DELETE', `messages/${sent.id}`),
        outcome(bob, 'PUT', `messages/${sent.id}/reactions/y`),
        outcome(alice, 'PATCH', `messages/${sent.id}`, { content: 'secret as well' }),
      ])
      t.equal(answers[2], '204')
      t.same(
        distinct(answers).filter((answer) => !['200', '204', '409 conflict'].includes(answer)),
        [],
      )
      t.match(await get(bob, sent.id), { content: '', reactions: [], editedAt: null, deletedAt: String }, `round ${round}`)
      const { rows } = await pool.query(
        `select (select count(*) from reactions where conversation_id = $1 and seq = $2) + (select count(*) from message_versions where conversation_id = $1 and seq = $2) as rows`,
        [id, sent.seq],
      )
      t.equal(Number(rows[0].rows), 0)
    }
    await numbersAreWhole(t, id)
  })
})

/** The tables with a row in which the text stands, however it is written. */
async function findInDatabase(text: string): Promise<string[]> {
  const { rows: tables } = await pool.query<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')",
  )
  const found: string[] = []
  for (const { name } of tables) {
    const { rowCount } = await pool.query(`select from ${name} t where t::text like '%' || $1 || '%' limit 1`, [text])
    if (rowCount !== 0) found.push(name)
  }
  return found
}

async function numbersAreWhole(t: Test, id: string): Promise<void> {
  const { rows } = await pool.query<{ doubled: number; beyond: number; deleted: number }>(
    `select count(*) - count(distinct m.change_seq) as doubled, count(*) filter (where m.change_seq > c.last_change_seq) as beyond,
       count(*) filter (where m.deleted_at is not null) - max(c.deleted_count) as deleted
     from messages m join conversations c on c.id = m.conversation_id where c.id = $1`,
    [id],
  )
  t.same(
    rows.map(({ doubled, beyond, deleted }) => [doubled, beyond, deleted].map(Number)),
    [[0, 0, 0]],
    'no number stands twice, none is beyond the counter, and what is deleted is counted',
  )
}

t.test('reactions', async (t) => {
  const [alice, bob, stranger] = (await people(3)) as [Person, Person, Person]
  const id = await createGroup(alice, bob)

  t.test('are shown with the message, by kind, in the order in which they came', async (t) => {
    const { id: messageId, changeSeq } = await send(alice, id)
    const heard = listen(id)
    await bob.api.messages.addReaction(messageId, '🎉')
    await alice.api.messages.addReaction(messageId, '👍')
    const { message } = await alice.api.messages.addReaction(messageId, '🎉')
    const reactions = [
      { emoji: '🎉', count: 2, userIds: [bob.id, alice.id] },
      { emoji: '👍', count: 1, userIds: [alice.id] },
    ]
    t.same(message.reactions, reactions)
    t.equal(message.changeSeq, changeSeq + 3)
    t.same(await get(bob, messageId), message)
    t.same((await alice.api.messages.addReaction(messageId, '🎉')).message, message, 'again is no change')
    t.same(
      heard.map((change) => [change.type, change.changeSeq]),
      [1, 2, 3].map((number) => ['message.updated', changeSeq + number]),
    )
    await bob.api.messages.removeReaction(messageId, '🎉')
    await bob.api.messages.removeReaction(messageId, '🎉')
    await bob.api.messages.removeReaction(messageId, '👍')
    t.match(await get(bob, messageId), { changeSeq: changeSeq + 4, reactions: [{ emoji: '🎉', count: 1, userIds: [alice.id] }, { emoji: '👍' }] })
    for (const emoji of ['🎉', '👍']) await alice.api.messages.removeReaction(messageId, emoji)
    t.same((await get(bob, messageId)).reactions, [])
    t.equal(await outcome(stranger, 'PUT', `messages/${messageId}/reactions/x`), '404 not_found')
    t.equal(await outcome(stranger, 'DELETE', `messages/${messageId}/reactions/x`), '404 not_found')
  })

  t.test('are of 1 to 64 characters, none of them a control character, and one however they are composed', async (t) => {
    const { id: messageId } = await send(alice, id)
    const react = (emoji: string) => outcome(alice, 'PUT', `messages/${messageId}/reactions/${encodeURIComponent(emoji)}`)
    for (const emoji of ['👩‍👩‍👧‍👦', ':ship-it:', 'é', 'e\u0301', '+1/2', '🏴'.repeat(64)]) t.equal(await react(emoji), '200', emoji)
    for (const emoji of ['\u0000', '\n', '\u0085', ' ', '\u202e', '\u200d\ufe0f', 'x'.repeat(65)]) t.equal(await react(emoji), '400 validation_error')
    t.equal(await react('\ufb2c'.repeat(22)), '400 validation_error', 'of which each becomes three when it is composed')
    const cursors: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; cursor && cursors.push(cursor))
      cursor = (await alice.api.messages.listReactions(messageId, { limit: 1, ...(cursor && { cursor }) })).nextCursor
    t.equal(cursors.length, 4, 'and a cursor holds the longest')
    t.same(
      (await get(alice, messageId)).reactions.map(({ emoji }) => emoji),
      ['👩‍👩‍👧‍👦', ':ship-it:', 'é', '+1/2', '🏴'.repeat(64)],
    )
    await alice.api.messages.removeReaction(messageId, 'e\u0301')
    t.equal((await get(alice, messageId)).reactions.length, 4)
  })

  t.test('are of at most 20 kinds, also when they come at once', async (t) => {
    const { id: messageId } = await send(alice, id)
    const answers = await times(25, (index) => outcome(alice, 'PUT', `messages/${messageId}/reactions/kind${index}`))
    t.same(answers.toSorted(), [...Array(20).fill('200'), ...Array(5).fill('409 conflict')])
    const [kind] = (await get(bob, messageId)).reactions
    t.equal(await outcome(bob, 'PUT', `messages/${messageId}/reactions/${kind?.emoji}`), '200', 'one that is there is none more')
    t.equal(await outcome(bob, 'PUT', `messages/${messageId}/reactions/another`), '409 conflict')
  })

  t.test('of 50 members at once are all told, and 20 of them with the message', async (t) => {
    const others = await people(50)
    const crowd = await createGroup(alice, ...others)
    const { id: messageId, seq } = await send(alice, crowd)
    await Promise.all(others.map(({ api }, index) => api.messages.addReaction(messageId, index % 5 === 0 ? '👍' : '🎉')))
    await Promise.all(others.slice(0, 10).map(({ api }, index) => api.messages.removeReaction(messageId, index % 5 === 0 ? '👍' : '🎉')))
    const { rows } = await pool.query<{ emoji: string; count: number; userIds: string[] }>(
      `select emoji, count(*)::int as count, (array_agg(user_id order by created_at, user_id))[1:20] as "userIds"
       from reactions where conversation_id = $1 and seq = $2 group by emoji order by min(created_at), emoji`,
      [crowd, seq],
    )
    t.same(
      (await get(alice, messageId)).reactions.toSorted((a, b) => a.count - b.count),
      rows.toSorted((a, b) => a.count - b.count),
    )
    t.same(
      rows.map(({ count }) => count).toSorted((a, b) => a - b),
      [8, 32],
    )
    await numbersAreWhole(t, crowd)

    const listed: string[] = []
    for await (const { emoji, user } of alice.api.messages.listReactions(messageId, { limit: 7 })) listed.push(`${emoji} ${user.id}`)
    t.equal(distinct(listed).length, 40)
    t.equal(listed.length, 40, 'each once')
    t.equal((await alice.api.messages.listReactions(messageId, { emoji: '👍' })).items.length, 8)
    for (const cursor of [
      'nonsense',
      ...[
        ['\u0000', 1, alice.id],
        ['x', -1, alice.id],
        ['x', 1, 'y'],
      ].map((values) => Buffer.from(JSON.stringify(values)).toString('base64url')),
    ])
      t.equal(await outcome(alice, 'GET', `messages/${messageId}/reactions?cursor=${cursor}`), '400 validation_error')
  })
})

t.test('a message is edited at most 100 times', async (t) => {
  const [alice] = (await people(1)) as [Person]
  const id = await createGroup(alice)
  const sent = await send(alice, id)
  await pool.query(
    `insert into message_versions (conversation_id, seq, version, content, metadata, mentions, created_at)
     select $1, 1, n, 'earlier', '{}', '{}', now() from generate_series(1, 99) n`,
    [id],
  )
  t.equal(await outcome(alice, 'PATCH', `messages/${sent.id}`, { content: 'once more' }), '200')
  const { changeSeq } = await view(alice, id)
  t.equal(await outcome(alice, 'PATCH', `messages/${sent.id}`, { content: 'and again' }), '409 conflict')
  t.equal(await outcome(alice, 'PATCH', `messages/${sent.id}`, { content: 'once more' }), '200', 'what changes nothing is no edit')
  t.match(await view(alice, id), { changeSeq, lastMessage: { content: 'once more' } })
})

t.test('what is deleted by others while its sender is erased keeps no name of it', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  await send(bob, id, 'hello', { clientId: 'named by bob' })
  await alice.api.conversations.removeMember(id, bob.id)
  await pool.query("update users set deletion_at = now() - interval '1 minute' where id = $1", [bob.id])
  const client = await pool.connect()
  await client.query('begin')
  await client.query('select from conversations where id = $1 for update', [id])
  const erasing = server.app.services.erasure.erase(bob.id)
  await untilLockIsAwaited()
  await client.query("update messages set content = '', deleted_at = now() where conversation_id = $1", [id])
  await client.query('commit')
  client.release()
  await erasing
  t.same((await pool.query('select client_id from messages where conversation_id = $1', [id])).rows, [{ client_id: null }])
})

t.test('with an account that is erased go its messages, its reactions, and what answers showed of them', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const secret = `secret${randomUUID()}`
  const sent = await send(bob, id, secret)
  const answer = await send(alice, id, 'Yes', { replyTo: sent.id })
  const deleted = await send(bob, id, 'deleted', { clientId: `${secret} too` })
  await bob.api.messages.delete(deleted.id)
  await bob.api.messages.update(sent.id, { content: `${secret} again` })
  await alice.api.messages.addReaction(sent.id, '👍')
  for (const emoji of ['👍', '🎉', '❤️']) await bob.api.messages.addReaction(answer.id, emoji)
  for (const emoji of ['👍', '❤️']) await alice.api.messages.addReaction(answer.id, emoji)
  const exported = await (await fetch(`${server.url}/v1/users/me/export`, { headers: { authorization: `Bearer ${bob.accessToken}` } })).json()
  t.match(exported, {
    sections: {
      reactions: [{ emoji: '❤️' }, { emoji: '🎉' }, { conversationId: id, seq: answer.seq, emoji: '👍' }],
      messages: [{ content: `${secret} again`, versions: [{ version: 1, content: secret }] }],
    },
  })

  const heard = listen(id)
  await pool.query("update users set deletion_at = now() - interval '1 minute' where id = $1", [bob.id])
  await server.app.services.erasure.erase(bob.id)
  t.same(await findInDatabase(secret), [])
  t.match(await get(alice, sent.id), { content: '', reactions: [], deletedAt: String })
  t.match(await get(alice, answer.id), { replyTo: { excerpt: null } })
  t.same(
    (await get(alice, answer.id)).reactions,
    ['👍', '❤️'].map((emoji) => ({ emoji, count: 1, userIds: [alice.id] })),
  )
  t.equal(Number((await pool.query('select count(*) as left from reactions where user_id = $1', [bob.id])).rows[0].left), 0)
  t.match(await view(alice, id), { messageCount: 1 })
  const told = heard.filter(({ type }) => type.startsWith('message.')).map(({ type, changeSeq }) => [type, changeSeq])
  t.same(
    told.map(([type]) => type),
    ['message.updated', 'message.deleted'],
    'the reaction and the message',
  )
  await numbersAreWhole(t, id)
})
