import { randomUUID } from 'node:crypto'
import type { Message } from '@parley/sdk'
import type { QueryConfig } from 'pg'
import t, { type Test } from 'tap'
import type { ConversationId, MessageId, UserId } from '../../openapi/shared/ids.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createMessageWriter, type Incomplete } from '../../src/features/messages/writer.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

/** Two servers on one database, as behind a load balancer: tokens of one are good for the other. */
const shared = await createTestDatabase()
t.teardown(() => shared.drop())
const servers = [await startServer(t, { databaseUrl: shared.url }), await startServer(t, { databaseUrl: shared.url })] as const
const [server, otherServer] = servers

const people = (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))
const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)))
const distinct = <T>(values: T[]): T[] => [...new Set(values)]
const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id) })
  return conversation.id
}

interface Body {
  content: string
  clientId?: string
  metadata?: Record<string, unknown>
}

/** A bare send: the SDK would add a `clientId`. */
const send = (person: Person, id: string, body: Body, { on = server, key }: { on?: TestServer; key?: string } = {}) =>
  on.request('POST', `/v1/conversations/${id}/messages`, { token: person.accessToken, body, headers: key === undefined ? {} : { 'idempotency-key': key } })

async function readAll({ api }: Person, id: string): Promise<Message[]> {
  const messages: Message[] = []
  for await (const message of api.messages.list(id, { limit: 100 })) messages.push(message)
  return messages.reverse()
}

/** The rows of a conversation against its counters. */
async function holdsTogether(t: Test, ids: string[], expected?: number): Promise<void> {
  const { rows } = await server.database.pool.query<Record<'lastSeq' | 'lastChangeSeq' | 'seqs' | 'changeSeqs', number & number[]>>(
    `select c.last_seq as "lastSeq", c.last_change_seq as "lastChangeSeq",
       array(select m.seq from messages m where m.conversation_id = c.id order by m.seq) as seqs,
       array(select n.number from (
         select change_seq as number from messages where conversation_id = c.id
         union all select change_seq from members where conversation_id = c.id
         union all select read_change_seq from members where conversation_id = c.id and read_change_seq > 0
         union all select change_seq from conversations where id = c.id) n order by n.number) as "changeSeqs"
     from conversations c where c.id = any($1::uuid[])`,
    [ids],
  )
  t.equal(rows.length, ids.length)
  for (const { lastSeq, lastChangeSeq, seqs, changeSeqs } of rows) {
    t.same(seqs.map(Number), numbersTo(Number(lastSeq)), 'seq is 1, 2, 3 … up to the counter')
    t.same(changeSeqs.map(Number), numbersTo(Number(lastChangeSeq)), 'changeSeq has no hole and no number twice')
  }
  if (expected !== undefined)
    t.equal(
      rows.reduce((sum, { lastSeq }) => sum + Number(lastSeq), 0),
      expected,
    )
}

t.test('a message is what was sent, numbered', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const { status, json } = await send(alice, id, { content: 'hello', clientId: 'first', metadata: { mood: 'good', count: 2, done: false } })
  t.equal(status, 201)
  t.match(json.message, { conversationId: id, seq: 1, changeSeq: 4, senderId: alice.id, type: 'text', content: 'hello', clientId: 'first' })
  t.same(json.message.metadata, { mood: 'good', count: 2, done: false })
  t.same(await readAll(bob, id), [json.message], 'others read the same')
  t.equal((await send(bob, id, { content: 'hi' })).json.message.clientId, null)
})

t.test('a retried send returns the first message', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]

  t.test('one after the other, whatever it says the second time', async (t) => {
    const id = await createGroup(alice)
    const first = await send(alice, id, { content: 'first', clientId: 'one' })
    const second = await send(alice, id, { content: 'second', clientId: 'one' })
    t.same([second.status, second.json], [201, first.json])
    const third = await send(alice, id, { content: 'third' }, { key: 'one' })
    t.same(third.json, first.json, 'the header is another way to say it')
    const torn = await send(alice, id, { content: 'third', clientId: 'two' }, { key: 'one' })
    t.same([torn.status, torn.json.error.details[0].field], [400, 'body.clientId'], 'as long as both say the same')
    t.equal((await readAll(alice, id)).length, 1)
  })

  t.test('to a user, with files that the first one has sent meanwhile', async (t) => {
    const proxy = await startDatabaseProxy(t, shared.url)
    const slow = await startServer(t, { databaseUrl: proxy.url })
    const [carol] = (await people(1)) as [Person]
    const { id } = await alice.api.files.upload({ file: { name: 'menu.txt', content: 'Soup' } })
    const body = { recipientId: carol.id, attachments: [id], clientId: 'menu' }
    const held = proxy.hold('known-client-id')
    const retried = slow.request('POST', '/v1/messages', { token: alice.accessToken, body })
    const answer = await held
    const first = await server.request('POST', '/v1/messages', { token: alice.accessToken, body })
    answer.release()
    const { status, json } = await retried
    t.same([status, json], [201, first.json])
  })

  t.test('20 at once, which are one batch and its followers', async (t) => {
    const id = await createGroup(alice)
    const answers = await times(20, (index) => send(alice, id, { content: `attempt ${index}`, clientId: 'batch' }))
    t.equal(distinct(answers.map(({ text }) => text)).length, 1)
    await holdsTogether(t, [id], 1)
  })

  t.test('across two servers, among messages of others, and no number is spent on it', async (t) => {
    const id = await createGroup(alice, bob)
    for (let round = 0; round < 10; round++) {
      const answers = await times(8, (index) => {
        const on = servers[index % 2 === 0 ? 0 : 1]
        return index < 4 ? send(alice, id, { content: 'raced', clientId: `race ${round}` }, { on }) : send(bob, id, { content: `${round} ${index}` }, { on })
      })
      t.same(distinct(answers.map(({ status }) => status)), [201])
      t.equal(distinct(answers.slice(0, 4).map(({ text }) => text)).length, 1, `round ${round}`)
    }
    await holdsTogether(t, [id], 50)
  })

  t.test('also when two servers have both found that there is none yet', async (t) => {
    const id = await createGroup(alice, bob)
    const lock = await server.database.pool.connect()
    await lock.query('begin')
    await lock.query('select from conversations where id = $1 for update', [id])
    const sends = servers.map((on) => send(alice, id, { content: 'raced', clientId: 'both' }, { on }))
    const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    for (let count: number | null = 0; count !== 2; ) count = (await lock.query(waiting)).rowCount
    await lock.query('commit')
    lock.release()
    const [one, other] = await Promise.all(sends)
    t.same([one?.status, other?.status], [201, 201])
    t.same(one?.json, other?.json)
    await holdsTogether(t, [id], 1)
  })

  t.test('also to whoever has left meanwhile', async (t) => {
    const id = await createGroup(alice, bob)
    const first = await send(bob, id, { content: 'bye', clientId: 'last words' })
    await bob.api.conversations.removeMember(id, bob.id)
    t.same((await send(bob, id, { content: 'bye', clientId: 'last words' })).json, first.json)
    t.equal((await send(bob, id, { content: 'again' })).status, 404)
  })

  t.test('and whoever listens hears what became of it meanwhile, though that was told to nobody here', async (t) => {
    const id = await createGroup(alice, bob)
    const unheard = await startServer(t, { databaseUrl: shared.url, env: { REDIS_URL: 'redis://127.0.0.1:1' } })
    const socket = await server.socket(bob.accessToken)
    const again = async (clientId: string): Promise<Message> => (await send(alice, id, { content: 'first', clientId })).json.message
    for (const [method, type, body] of [['PATCH', 'message.updated', { content: 'second' }] as const, ['DELETE', 'message.deleted'] as const]) {
      const message = await again(type)
      await unheard.request(method, `/v1/messages/${message.id}`, { token: alice.accessToken, body })
      const { changeSeq } = await again(type)
      t.equal(changeSeq, message.changeSeq + 1)
      t.match(await socket.frame((frame) => frame.changeSeq === changeSeq), { type, data: { message: { id: message.id } } })
    }
    socket.close()
  })

  t.test('the same clientId of two users are two messages', async (t) => {
    const id = await createGroup(alice, bob)
    const answers = await Promise.all([alice, bob].map((person) => send(person, id, { content: 'hello', clientId: 'ours' })))
    t.same(
      answers.map(({ json }) => json.message.senderId),
      [alice.id, bob.id],
    )
    await holdsTogether(t, [id], 2)
  })

  t.test('the same clientId in another conversation is a conflict, also at once', async (t) => {
    const [one, two] = [await createGroup(alice), await createGroup(alice)]
    const answers = await times(10, (index) => send(alice, index % 2 === 0 ? one : two, { content: 'hello', clientId: 'either' }))
    t.equal(answers.filter(({ status }) => status === 201).length, 5)
    t.equal(answers.filter(({ status, json }) => status === 409 && json.error.code === 'conflict').length, 5)
    await holdsTogether(t, [one, two], 1)
  })
})

t.test('500 sends of 10 people to 8 conversations over two servers at once', async (t) => {
  const members = await people(10)
  const [stranger] = (await people(1)) as [Person]
  const owner = members[0] as Person
  const ids = await times(8, () => createGroup(owner, ...members.slice(1)))
  const sends = Array.from({ length: 500 }, (_, index) => ({
    person: index % 50 === 7 ? stranger : (members[index % 10] as Person),
    id: ids[(index * 7) % 8] as string,
    clientId: `storm ${index - (index % 25 === 3 ? 3 : 0)}`,
    index,
  }))
  const started = Date.now()
  const answers = await Promise.all(
    sends.map(({ person, id, clientId, index }) => send(person, id, { content: String(index), clientId }, { on: servers[(index % 3) % 2 === 0 ? 0 : 1] })),
  )
  t.comment(`${Date.now() - started} ms`)

  const refused = answers.filter((_, index) => sends[index]?.person === stranger)
  t.same(distinct(refused.map(({ status }) => status)), [404], 'a stranger is refused, and nobody else with them')
  const accepted = answers.flatMap(({ status, json }, index) =>
    sends[index]?.person === stranger ? [] : [{ status, message: json.message as Message, ...sends[index] }],
  )
  t.same(distinct(accepted.map(({ status }) => status)), [201])
  t.same(
    accepted.filter(({ message, person, id, clientId }) => message.senderId !== person?.id || message.conversationId !== id || message.clientId !== clientId),
    [],
  )
  await holdsTogether(t, ids, distinct(accepted.map(({ message }) => message.id)).length)
  for (const id of ids) {
    const stored = await readAll(owner, id)
    const answered = new Map(accepted.filter((sent) => sent.id === id).map(({ message }) => [message.id, message]))
    t.same(
      stored,
      [...answered.values()].sort((a, b) => a.seq - b.seq),
      'what was answered is what is stored',
    )
  }
})

t.test('what is stored is not stored again when it cannot be read back: it is told by its number, and found by a retry', async (t) => {
  const [alice] = (await people(1)) as [Person]
  const id = (await createGroup(alice)) as ConversationId
  const { message } = (await send(alice, id, { content: 'original' })).json
  const database = createDatabase({ url: shared.url, maxConnections: 2, log: silentLog })
  t.teardown(() => database.close())
  let fails = true
  const query = (config: QueryConfig) =>
    fails && config.name === 'completions' ? Promise.reject(new Error('canceling statement due to statement timeout')) : database.pool.query(config)
  const told: Incomplete[] = []
  const writer = createMessageWriter({
    pool: Object.create(database.pool, { query: { value: query } }),
    onStored: (stored) => {
      if ('error' in stored) told.push(stored)
    },
  })
  const write = (content: string, replyToSeq: number | null) =>
    writer.write({
      ...{ id: randomUUID() as MessageId, conversationId: id, senderId: alice.id as UserId, clientId: content, content, metadata: {}, replyToSeq },
      ...{ mentions: [], createdAt: new Date() },
    })
  const outcomes = await Promise.allSettled([write('plain', null), write('answer', message.seq), write('plain too', null)])
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.same(
    (await readAll(alice, id)).map(({ content }) => content),
    ['original', 'plain', 'answer', 'plain too'],
  )
  t.match(told, [{ created: true, message: { content: 'answer', seq: 3 } }])
  fails = false
  t.match(await write('answer', message.seq), { created: false, forSender: { seq: 3, replyTo: { excerpt: 'original' } } })
})

t.test('what one client sends without waiting keeps its order', async (t) => {
  const [alice] = (await people(1)) as [Person]
  const id = await createGroup(alice)
  const socket = await server.socket(alice.accessToken)
  for (let number = 0; number < 300; number++)
    socket.send({ type: 'conversations.sendMessage', id: number, data: { conversationId: id, content: String(number) } })
  await socket.frame(({ type, id }) => type === 'ack' && id === 299)
  t.same(
    (await readAll(alice, id)).map(({ content }) => Number(content)),
    numbersTo(300).map((number) => number - 1),
  )
})

t.test('pages', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, bob)
  const list = (query: string, conversationId = id) =>
    server.request('GET', `/v1/conversations/${conversationId}/messages${query}`, { token: alice.accessToken })
  const seqs = ({ json }: Awaited<ReturnType<typeof list>>) => json.items.map(({ seq }: Message) => seq)

  t.test('of nothing, of one, of many', async (t) => {
    t.same((await list('')).json, { items: [], nextCursor: null, hasMore: false })
    const { json } = await send(alice, id, { content: '1' })
    t.same((await list('')).json, { items: [json.message], nextCursor: null, hasMore: false })
    t.same((await list(`?before=${json.message.id}`)).json, { items: [], nextCursor: null, hasMore: false })
    t.same((await list(`?after=${json.message.id}`)).json, { items: [], nextCursor: null, hasMore: false })
    for (let number = 2; number <= 60; number++) await send(alice, id, { content: String(number) })
    t.same(seqs(await list('')), numbersTo(60).slice(10).reverse(), 'newest first, 50 unless told otherwise')
  })

  t.test('before a message towards the past, after it towards the present', async (t) => {
    const messages = await readAll(alice, id)
    const idOf = (seq: number) => messages[seq - 1]?.id
    t.same(seqs(await list(`?before=${idOf(30)}&limit=3`)), [29, 28, 27])
    t.same(seqs(await list(`?after=${idOf(30)}&limit=3`)), [31, 32, 33])
    t.same(seqs(await list(`?before=${idOf(3)}`)), [2, 1])
    t.same(seqs(await list(`?after=${idOf(58)}`)), [59, 60])
    t.match((await list(`?after=${idOf(58)}&limit=2`)).json, { hasMore: false, nextCursor: null }, 'exactly the last are the last')
    t.match((await list(`?after=${idOf(58)}&limit=1`)).json, { hasMore: true, nextCursor: String })
  })

  t.test('visit each message once, back and forth, while others send', async (t) => {
    let stop = false
    const sending = (async () => {
      for (let number = 1; !stop; number++) await send(bob, id, { content: `meanwhile ${number}` }, { on: otherServer })
    })()
    const walk = async (query: string, pages: number): Promise<number[]> => {
      const visited: number[] = []
      let page = await list(`?limit=7${query}`)
      for (let number = 1; ; number++) {
        visited.push(...seqs(page))
        const { nextCursor } = page.json
        if (nextCursor === null || number === pages) return visited
        page = await list(`?limit=7&cursor=${nextCursor}`)
      }
    }
    const back = await walk('', Number.POSITIVE_INFINITY)
    t.same(back, numbersTo(back[0] ?? 0).reverse())
    const [first] = (await readAll(alice, id)) as [Message]
    const forth = await walk(`&after=${first.id}`, 12)
    t.same(forth, numbersTo(forth.length + 1).slice(1))
    t.ok(forth.length >= 59, 'it went as far as there was something')
    stop = true
    await sending
    await holdsTogether(t, [id])
  })

  t.test('a message of another conversation, or of none, is 404', async (t) => {
    const other = await createGroup(alice)
    const { json } = await send(alice, other, { content: 'elsewhere' })
    for (const place of ['before', 'after']) {
      t.equal((await list(`?${place}=${json.message.id}`)).status, 404)
      t.equal((await list(`?${place}=${randomUUID()}`)).status, 404)
      t.equal((await list(`?${place}=${json.message.id}`, other)).status, 200)
    }
  })

  t.test('limits and positions are bounded, and one position is enough', async (t) => {
    const [first] = (await readAll(alice, id)) as [Message]
    for (const query of ['?limit=0', '?limit=101', '?limit=1.5', '?limit=many', '?before=1', '?cursor=', '?page=2'])
      t.equal((await list(query)).status, 400, query)
    t.equal((await list(`?before=${first.id}&after=${first.id}`)).status, 400)
    t.equal(seqs(await list('?limit=60')).length, 60)
  })
})

t.test('content', async (t) => {
  const [alice] = (await people(1)) as [Person]
  const id = await createGroup(alice)

  const kept: Record<string, string> = {
    'one character': 'a',
    'a space': ' ',
    'ten thousand characters': 'x'.repeat(10_000),
    'ten thousand emoji, which are two units each': '🙂'.repeat(10_000),
    'a family and a flag': '👩‍👩‍👧‍👦🏴‍☠️',
    'right to left, with marks': '\u202Bשלום עולם\u202C مرحبا',
    'combining marks, unnormalized': 'e\u0301 é',
    'quotes, backslashes and control characters': '"\'\\\b\f\n\r\t\u0001\u001f\u007f\u2028\u2029',
    'what looks like a value': '__proto__ null {"a":1} \\u0000 $1 %s',
    'a byte order mark and a non-character': '\uFEFF\uFFFF',
  }
  for (const [name, content] of Object.entries(kept)) {
    t.test(`${name} comes back as it was, over REST and socket`, async (t) => {
      const socket = await server.socket(alice.accessToken)
      const { status, json } = await send(alice, id, { content })
      t.same([status, json.message?.content === content], [201, true])
      const event = await socket.frame(({ type }) => type === 'message.created')
      t.ok(event.data.message.content === content)
      const [newest] = (await alice.api.messages.list(id, { limit: 1 })).items
      t.ok(newest?.content === content)
      socket.close()
    })
  }

  const refused: Record<string, unknown> = {
    nothing: '',
    'one character too many': 'x'.repeat(10_001),
    'one emoji too many': '🙂'.repeat(10_001),
    'U+0000': 'a\u0000b',
    'the first half of a pair': 'a\uD83D',
    'the second half of a pair': '\uDE42b',
    'a pair the wrong way round': '\uDE42\uD83D',
    'a number': 12,
    null: null,
    'a list': ['a'],
  }
  for (const [name, content] of Object.entries(refused)) {
    t.test(`${name} is refused, and nobody else's message with it`, async (t) => {
      const path = `/v1/conversations/${id}/messages`
      const [good, bad] = await Promise.all([
        send(alice, id, { content: 'good' }),
        server.request('POST', path, { token: alice.accessToken, body: { content } }),
      ])
      t.equal(good.status, 201)
      t.match(bad.json.error, { code: 'validation_error', details: [{ field: 'body.content' }] })
    })
  }

  t.test('a clientId is any text of 1 to 128 characters that can be stored', async (t) => {
    for (const clientId of ['🙂'.repeat(128), ' ', "'; drop table messages; --"]) {
      const first = await send(alice, id, { content: 'first', clientId })
      t.equal(first.status, 201)
      t.same((await send(alice, id, { content: 'second', clientId })).json, first.json)
    }
    for (const clientId of ['', 'x'.repeat(129), '\u0000', '\uD83D']) t.equal((await send(alice, id, { content: 'a', clientId })).status, 400)
  })

  t.test('metadata is up to 50 plain values under plain names', async (t) => {
    const entries = (count: number) => Object.fromEntries(numbersTo(count).map((number) => [`key-${number}`, number]))
    const good = [{}, entries(50), { [`${'k'.repeat(64)}`]: 'v'.repeat(500) }, { a: '🙂', b: -1.5e300, c: true, 'd.e_f-9': '' }]
    for (const metadata of good) {
      const { status, json } = await send(alice, id, { content: 'a', metadata })
      t.same([status, json.message?.metadata], [201, metadata])
    }
    const bad = [entries(51), { ['k'.repeat(65)]: 1 }, { '': 1 }, { 'a b': 1 }, { a: 'v'.repeat(501) }, { a: null }, { a: {} }, { a: [1] }, { a: '\u0000' }]
    for (const metadata of bad) t.equal((await send(alice, id, { content: 'a', metadata })).status, 400, JSON.stringify(metadata).slice(0, 60))
    const infinite = '{"content":"a","metadata":{"a":1e999}}'
    const headers = { 'content-type': 'application/json' }
    t.equal((await server.request('POST', `/v1/conversations/${id}/messages`, { token: alice.accessToken, body: infinite, headers })).status, 400)
  })

  await holdsTogether(t, [id])
})

t.test('a message to a user', async (t) => {
  t.test('makes the direct conversation once, also when both write at once over two servers', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const answers = await times(20, (index) => {
      const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice]
      const on = servers[index % 4 < 2 ? 0 : 1]
      return on.request('POST', '/v1/messages', { token: from.accessToken, body: { recipientId: to.id, content: String(index) } })
    })
    t.same(distinct(answers.map(({ status }) => status)), [201])
    const [id, ...more] = distinct(answers.map(({ json }) => json.message.conversationId))
    t.same(more, [])
    await holdsTogether(t, [id], 20)
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    t.equal(conversation.id, id)
  })

  t.test('is idempotent by clientId, to oneself a conflict, to nobody 404', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const write = (recipientId: string, clientId: string) =>
      server.request('POST', '/v1/messages', { token: alice.accessToken, body: { recipientId, content: 'hello', clientId } })
    t.same((await write(bob.id, 'one')).json, (await write(bob.id, 'one')).json)
    t.match((await write(alice.id, 'two')).json.error, { code: 'conflict' })
    t.match((await write(randomUUID(), 'three')).json.error, { code: 'not_found' })
    t.equal((await alice.api.conversations.list()).items.length, 1)
  })
})

t.test('a send that races with the removal of its sender is before it or refused', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  for (let round = 0; round < 15; round++) {
    const id = await createGroup(alice, bob)
    const answers = await Promise.all([
      ...numbersTo(6).map((number) => send(bob, id, { content: String(number) }, { on: servers[number % 2 === 0 ? 0 : 1] })),
      alice.api.conversations.removeMember(id, bob.id).then(() => undefined),
    ])
    const { rows } = await server.database.pool.query<{ left: number }>('select change_seq as left from members where conversation_id = $1 and user_id = $2', [
      id,
      bob.id,
    ])
    const late = answers.filter((answer) => answer?.status === 201 && answer.json.message.changeSeq > (rows[0]?.left ?? 0))
    t.equal(late.length, 0, `round ${round}`)
  }
})

t.test('a part of a conversation', async (t) => {
  const [alice, bob, stranger] = (await people(3)) as [Person, Person, Person]
  const id = await createGroup(alice, bob)
  const count = 12_000
  const start = Date.UTC(2026, 0, 1)
  const at = (seq: number) => new Date(start + seq * 1_000).toISOString()
  /** One by bob, and then only alice speaks; the last two come from the API. */
  await server.database.pool.query(
    `insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, content, type, created_at)
     select $1, n, c.last_change_seq + n, c.last_change_seq + n, gen_random_uuid(), case when n in (3, 11000) then $3::uuid else $2::uuid end, 'message ' || n,
       case when n % 1000 = 0 then 'file' else 'text' end, to_timestamp($5::float8 / 1000 + n)
     from generate_series(1, $4::int) n, conversations c where c.id = $1`,
    [id, alice.id, bob.id, count, start],
  )
  await server.database.pool.query(
    'update conversations set last_seq = $2, last_change_seq = last_change_seq + $2, updated_at = to_timestamp($3::float8 / 1000) where id = $1',
    [id, count, start + count * 1_000],
  )
  const ask = (query: string, person = alice) => server.request('GET', `/v1/conversations/${id}/messages?${query}`, { token: person.accessToken })
  const seqs = async (query: string) => (await ask(query)).json.items.map(({ seq }: Message) => seq)
  const first = (await ask(`from=${at(3)}&to=${at(4)}`)).json.items[0] as Message

  t.test('of a time, which is a place among the numbers', async (t) => {
    t.same(await seqs(`from=${at(100)}&to=${at(103)}`), [102, 101, 100], 'then or later, and before')
    t.same(await seqs(`to=${at(4)}`), [3, 2, 1])
    t.same(await seqs(`from=${at(count)}`), [count])
    t.same(await seqs(`from=${at(count + 1)}`), [])
    t.same(await seqs(`to=${at(1)}`), [])
    t.same(await seqs(`from=${at(5)}&to=${at(4)}`), [])
    t.same(await seqs(`from=${at(10)}&to=${at(13)}&after=${first.id}`), [10, 11, 12], 'together with a position')
    t.same(await seqs(`to=${at(5)}&before=${first.id}`), [2, 1])
    const walked: number[] = []
    for await (const { seq } of alice.api.messages.list(id, { from: at(10), to: at(25), limit: 4 })) walked.push(seq)
    t.same(walked, numbersTo(24).slice(9).reverse())
  })

  t.test('of a sender or a type, page by page, some of which are empty', async (t) => {
    const page = (await ask(`senderId=${bob.id}&limit=5`)).json
    t.match(page, { items: [{ seq: 11_000 }], hasMore: true, nextCursor: String }, 'it has looked at 10,000')
    t.match((await ask(`senderId=${bob.id}&cursor=${page.nextCursor}`)).json, { items: [{ seq: 3 }], hasMore: false, nextCursor: null })
    const empty = (await ask(`senderId=${stranger.id}`)).json
    t.match(empty, { items: [], hasMore: true, nextCursor: String })
    const walk = async (query: Parameters<Person['api']['messages']['list']>[1]) =>
      (await Array.fromAsync(alice.api.messages.list(id, query))).map(({ seq }) => seq)
    t.same(await walk({ senderId: bob.id }), [11_000, 3], 'the SDK goes on where nothing was found')
    t.same(await walk({ senderId: stranger.id }), [])
    t.same(
      await walk({ type: 'file', limit: 5 }),
      numbersTo(12)
        .map((number) => number * 1_000)
        .reverse(),
    )
    t.same(
      await walk({ type: 'file', limit: 5, after: first.id }),
      numbersTo(12).map((number) => number * 1_000),
    )
    t.same(await walk({ type: 'file', senderId: bob.id, from: at(5) }), [11_000])
    t.same(await walk({ status: 'read', limit: 100 }), [], 'nobody has read any')
  })

  t.test('of a status, looks at no more marks than a request may cost, however many members there are', async (t) => {
    const setCount = (members: number) => server.database.pool.query('update conversations set member_count = $2 where id = $1', [id, members])
    await setCount(250_000)
    const { json } = await ask('status=sent&limit=100')
    await setCount(2)
    t.match(json, { items: { length: 2 }, hasMore: true })
  })

  t.test('with how many there are, where that is asked for', async (t) => {
    const counts = async (query: string) => {
      const { headers, json } = await ask(query)
      t.equal(json.total?.toString() ?? null, headers.get('x-pagination-total'), 'in the answer as in the headers')
      return ['total', 'pages', 'current-page', 'per-page'].map((name) => headers.get(`x-pagination-${name}`))
    }
    t.same(await counts('limit=100'), [null, null, null, null])
    t.same(await counts('limit=100&includeTotal=true'), ['12000', '120', '1', '100'])
    t.same(await counts(`includeTotal=true&before=${first.id}`), ['12000', '240', null, '50'])
    t.same(await counts(`includeTotal=true&from=${at(11_001)}`), ['1000', '20', '1', '50'])
    t.same(await counts('includeTotal=true&type=file'), ['10', '1', '1', '50'], 'of what is looked at for one page')
    await alice.api.messages.delete(first.id)
    t.same((await counts('includeTotal=true&limit=100'))[0], '12000', 'what is left of deleted ones is listed, and counted')
    t.same((await counts(`includeTotal=true&to=${at(10)}`))[0], '9')
  })

  t.test('as it is described', async (t) => {
    for (const query of ['status=seen', 'type=picture', 'senderId=x', 'from=yesterday', 'to=2026-13-01T00:00:00Z', 'includeTotal=perhaps'])
      t.equal((await ask(query)).status, 400, query)
    for (const query of [`senderId=${bob.id}`, `from=${at(3)}`, 'status=read', 'includeTotal=true']) t.equal((await ask(query, stranger)).status, 404, query)
  })
})
