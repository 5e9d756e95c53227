/** What a socket gets: all conversations of its user, or those that the client names; and where they stand. */
import { NotFoundError } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually } from '../helpers/process.ts'
import { type Options, type ReceivedFrame, startServer, type TestServer } from '../helpers/server.ts'
import { type DatabaseProxy, startDatabaseProxy } from './database-proxy.ts'
import { createGroup, numbers, type Person, type Socket, send, times, until } from './people.ts'

const server = await startServer(t)

const people = (count: number, on = server): Promise<Person[]> => times(count, () => on.signUp())

let commands = 0
async function ask(socket: Socket, type: string, data: object): Promise<ReceivedFrame> {
  const id = ++commands
  socket.send({ type, id, data })
  return socket.frame((frame) => frame.id === id)
}

/** A server whose database answers when a test says so. */
async function startSlow(t: Test) {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const proxy = await startDatabaseProxy(t, database.url)
  const slow = await startServer(t, { databaseUrl: proxy.url })
  const [alice, bob] = (await people(2, slow)) as [Person, Person]
  return { proxy, slow, alice, bob, id: await createGroup(alice, bob) }
}

/** @param read before the answer that is lost */
async function failToSubscribe(t: Test, proxy: DatabaseProxy, socket: Socket, conversationId: string, read: string[]): Promise<void> {
  let held = proxy.hold('"joined_change_seq"')
  socket.send({ type: 'subscribe', id: 'failing', data: { conversationIds: [conversationId] } })
  for (const _ of read) {
    const answer = await held
    held = proxy.hold('"joined_change_seq"')
    answer.release()
  }
  ;(await held).cut()
  t.match(await socket.frame(({ id }) => id === 'failing'), { type: 'error', error: { code: 'unavailable' } })
}

const idsIn = ({ frames }: Socket, from = 0) => new Set(frames.slice(from).flatMap(({ conversationId }) => conversationId ?? []))

/** Beside another one; it tells nobody what happens there. */
const startSilent = (t: Test, { database }: TestServer, options: Options = {}) =>
  startServer(t, { databaseUrl: database.pool.options.connectionString ?? '', env: { REDIS_URL: 'redis://127.0.0.1:1' }, ...options })

const joinings = ({ frames }: Socket): string[] => frames.flatMap(({ type, data }) => (type === 'conversation.joined' ? data.conversationId : []))

/** Two people and three conversations of theirs, at 3 each. */
async function begin() {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const ids = [await createGroup(alice, bob), await createGroup(alice, bob), await createGroup(alice, bob)] as const
  return { alice, bob, ids, socket: await server.socket(bob.accessToken) }
}

t.test('subscribe', async (t) => {
  t.test('narrows a socket to what is named, adds what is named later, and goes back to all', async (t) => {
    const { alice, ids, socket } = await begin()
    const [one, two, three] = ids
    t.same((await ask(socket, 'subscribe', { conversationIds: [one] })).data, { positions: { [one]: 3 } })
    for (const id of ids) await send(alice, id)
    await until(socket, one, 4)
    t.same((await ask(socket, 'subscribe', { conversationIds: [two, one] })).data, { positions: { [one]: 4, [two]: 4 } })
    for (const id of ids) await send(alice, id)
    await until(socket, two, 5)
    await ask(socket, 'ping', {})
    t.same(idsIn(socket), new Set([one, two]))
    t.same((await ask(socket, 'subscribe', {})).data, { positions: { [one]: 5, [two]: 5, [three]: 5 } })
    await send(alice, three)
    await until(socket, three, 6)
    t.same(
      socket.frames.filter(({ conversationId }) => conversationId === one).map(({ changeSeq }) => changeSeq),
      [4, 5],
      'what it had went on without a break',
    )
  })

  t.test('tells from where on it is: with a resume from there, nothing is missed in the middle of a storm', async (t) => {
    const { alice, ids, socket } = await begin()
    const [one, two] = ids
    await ask(socket, 'subscribe', { conversationIds: [one] })
    let stop = false
    const storm = Promise.all(
      [1, 2, 3].map(async () => {
        while (!stop) await send(alice, two)
      }),
    )
    for (let times = 0; times < 10; times++) {
      const from = socket.frames.length
      const { positions } = (await ask(socket, 'subscribe', { conversationIds: [two] })).data
      await until(socket, two, positions[two] + 5)
      const numbers = socket.frames.slice(from).flatMap(({ conversationId, changeSeq }) => (conversationId === two ? [changeSeq] : []))
      t.same(
        numbers.slice(0, 5),
        [1, 2, 3, 4, 5].map((step) => positions[two] + step),
      )
      await ask(socket, 'unsubscribe', { conversationIds: [two] })
    }
    stop = true
    await storm
  })

  t.test('to a conversation of strangers is refused, and changes nothing', async (t) => {
    const { alice, ids, socket } = await begin()
    const strange = await createGroup(alice)
    t.equal((await ask(socket, 'subscribe', { conversationIds: [ids[0], strange] })).error?.code, 'not_found')
    await send(alice, ids[1])
    await until(socket, ids[1], 4)
    await ask(socket, 'subscribe', { conversationIds: [ids[0]] })
    t.equal((await ask(socket, 'subscribe', { conversationIds: [ids[1], strange] })).error?.code, 'not_found')
    await send(alice, ids[1])
    const { changeSeq } = await send(alice, ids[0])
    await until(socket, ids[0], changeSeq)
    await ask(socket, 'ping', {})
    t.notOk(socket.frames.some((frame) => frame.conversationId === ids[1] && frame.changeSeq === 5))
    for (const data of [{ conversationIds: [] }, { conversationIds: ['no id'] }, { ids: [] }]) {
      t.equal((await ask(socket, 'subscribe', data)).error?.code, 'validation_error')
    }
  })

  t.test('a socket that has named what it wants is told of what is new, and of its own leaving', async (t) => {
    const { alice, bob, ids, socket } = await begin()
    await ask(socket, 'subscribe', { conversationIds: [ids[0]] })
    const created = await createGroup(alice, bob)
    t.same((await socket.frame(({ type }) => type === 'conversation.joined')).data, { conversationId: created })
    await alice.api.conversations.removeMember(ids[0], bob.id)
    t.equal((await until(socket, ids[0], 4)).type, 'member.left')
    t.equal((await ask(socket, 'subscribe', { conversationIds: [ids[0]] })).error?.code, 'not_found')
    t.notOk(idsIn(socket).has(created as never))
  })
})

t.test('subscribing that fails half-way can be tried again, and nothing is missed then', async (t) => {
  const { proxy, slow, alice, bob, id } = await startSlow(t)
  const socket = await slow.socket(bob.accessToken, '?subscribe=none')
  await failToSubscribe(t, proxy, socket, id, ['whose it is', 'where it stands'])
  t.same((await ask(socket, 'subscribe', { conversationIds: [id] })).data, { positions: { [id]: 3 } })
  const { changeSeq } = await send(alice, id)
  await until(socket, id, changeSeq)
})

t.test('subscribing that fails half-way leaves a socket that gets all with all', async (t) => {
  const { proxy, slow, alice, bob, id } = await startSlow(t)
  const other = await createGroup(alice, bob)
  const socket = await slow.socket(bob.accessToken)
  await failToSubscribe(t, proxy, socket, id, ['whose it is'])
  const { changeSeq } = await send(alice, other)
  await until(socket, other, changeSeq)
})

t.test('what is joined while subscribing to all fails is announced, for the socket goes back to what it had', async (t) => {
  const { proxy, slow, alice, bob } = await startSlow(t)
  const socket = await slow.socket(bob.accessToken, '?subscribe=none')
  const held = proxy.hold('"joined_change_seq"')
  socket.send({ type: 'subscribe', id: 'failing', data: {} })
  const answer = await held
  const created = await createGroup(alice, bob)
  await until(socket, created, 3)
  answer.cut()
  t.match(await socket.frame(({ id }) => id === 'failing'), { type: 'error', error: { code: 'unavailable' } })
  slow.app.topics.publishStale()
  await socket.frame(({ type, data }) => type === 'conversation.joined' && data.conversationId === created)
})

t.test('the answer to subscribe tells no less than hello did, though what is between has yet to be read', async (t) => {
  const { proxy, slow, alice, bob, id } = await startSlow(t)
  await slow.socket(alice.accessToken)
  await slow.database.pool.query('update conversations set last_change_seq = 5, change_seq = 5 where id = $1', [id])
  const reading = proxy.hold('changes\0')
  const socket = await slow.socket(bob.accessToken)
  t.same(socket.frames[0]?.data.positions, { [id]: 5 })
  const read = await reading
  t.same((await ask(socket, 'subscribe', {})).data, { positions: { [id]: 5 } })
  read.release()
  await send(alice, id)
  await until(socket, id, 6)
  t.same(numbers(socket, id), [6])
})

t.test('what a socket that has named what it wants did not hear of joining is found by comparing, and told once', async (t) => {
  const { alice, bob, ids, socket } = await begin()
  await ask(socket, 'subscribe', { conversationIds: [ids[0]] })
  await alice.api.conversations.removeMember(ids[0], bob.id)
  await until(socket, ids[0], 4)
  const silent = await startSilent(t, server)
  const there = { ...alice, api: silent.client({ accessToken: alice.accessToken }) }
  await there.api.conversations.addMembers(ids[0], { userIds: [bob.id] })
  const told: string[] = []
  for (const time of ['found', 'found again']) {
    // One that the socket has followed, and that was announced then.
    await there.api.conversations.removeMember(ids[1], bob.id)
    await there.api.conversations.addMembers(ids[1], { userIds: [bob.id] })
    const created = await createGroup(there, bob)
    told.push(ids[1], created)
    server.app.topics.publishStale()
    await socket.frame(({ type, data }) => type === 'conversation.joined' && data.conversationId === created)
    await ask(socket, 'ping', {})
    t.same(joinings(socket).sort(), told.toSorted(), time)
  }
  const { changeSeq } = await send(alice, ids[0])
  await until(socket, ids[0], changeSeq)
  t.same([...new Set(numbers(socket, ids[0]))], [4, 5, 6], 'what it has named it gets')
})

t.test('a socket that begins with nothing is not told of what was joined long before it', async (t) => {
  let ahead = 0
  const clock = { now: () => new Date(Date.now() + ahead) }
  const own = await startServer(t, { clock })
  const silent = await startSilent(t, own, { clock })
  const [alice, bob] = (await people(2, own)) as [Person, Person]
  await createGroup(alice, bob)
  ahead = 180_000
  const socket = await own.socket(bob.accessToken, '?subscribe=none')
  const created = await createGroup({ ...alice, api: silent.client({ accessToken: alice.accessToken }) }, bob)
  own.app.topics.publishStale()
  await socket.frame(({ type, data }) => type === 'conversation.joined' && data.conversationId === created)
  await ask(socket, 'ping', {})
  t.same(joinings(socket), [created])
})

t.test('unsubscribe takes some away, and of those that get all too', async (t) => {
  const { alice, bob, ids, socket } = await begin()
  t.equal((await ask(socket, 'unsubscribe', { conversationIds: [ids[0]] })).type, 'ack')
  for (const id of ids) await send(alice, id)
  for (const id of ids.slice(1)) await until(socket, id, 4)
  await ask(socket, 'ping', {})
  t.notOk(idsIn(socket).has(ids[0] as never))
  const created = await createGroup(alice, bob)
  t.same((await socket.frame(({ type }) => type === 'conversation.joined')).data, { conversationId: created })
})

t.test('connecting with ?subscribe=none begins with nothing', async (t) => {
  const { alice, bob, ids } = await begin()
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws?subscribe=none`, ['parley.v1', `bearer.${bob.accessToken}`])
  const frames: ReceivedFrame[] = []
  socket.on('message', (data) => void frames.push(JSON.parse(String(data))))
  await eventually(() => frames.length > 0)
  t.same(frames[0]?.data.positions, {})
  await send(alice, ids[0])
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, data: { conversationIds: [ids[1]] } }))
  await eventually(() => frames.some(({ id }) => id === 1))
  await send(alice, ids[1])
  await eventually(() => frames.some(({ changeSeq }) => changeSeq === 4))
  t.same(new Set(frames.flatMap(({ conversationId }) => conversationId ?? [])), new Set([ids[1]]))
  socket.close()
})

t.test('the positions of 2,500 conversations come in frames that are no longer than a client’s own may be', async (t) => {
  const [alice] = (await people(1)) as [Person]
  await server.database.pool.query(
    `with made as (insert into conversations (id, type, created_by, last_change_seq, change_seq)
       select gen_random_uuid(), 'group', $1::uuid, 1, 1 from generate_series(1, 2500) returning id)
     insert into members (conversation_id, user_id, role, change_seq, joined_change_seq) select id, $1, 'owner', 1, 1 from made`,
    [alice.id],
  )
  const socket = await server.socket(alice.accessToken)
  const last = await socket.frame(({ type, data }) => type === 'positions' && !data.hasMore)
  t.same(
    socket.frames.map(({ type, data }) => [type, Object.keys(data.positions).length, data.hasMore]),
    [
      ['hello', 1000, true],
      ['positions', 1000, true],
      ['positions', 500, false],
    ],
  )
  t.ok(Buffer.byteLength(JSON.stringify(socket.frames[0])) <= 65_536)
  t.equal(socket.frames.indexOf(last), 2)
  const again = await ask(socket, 'subscribe', {})
  t.equal(
    socket.frames.slice(3).reduce((sum, { data }) => sum + Object.keys(data.positions).length, 0),
    2500,
  )
  t.equal(Object.keys(again.data.positions).length, 500)

  const live = connect(alice.api, { cursors: {} })
  await live.ready()
  t.equal(Object.keys(live.cursors).length, 2500, 'the SDK puts them together')
  live.close()
})

t.test('the SDK', async (t) => {
  t.test('gets what was subscribed alone, also after it has reconnected', async (t) => {
    const { alice, bob, ids } = await begin()
    const [one, two, three] = ids
    const live = connect(bob.api, { WebSocket: BreakableSocket })
    t.teardown(() => live.close())
    const heard: string[] = []
    live.on('change', ({ conversationId, changeSeq }) => heard.push(`${ids.indexOf(conversationId)}/${changeSeq}`))
    await live.ready()
    await live.subscribe([one, two])
    for (const id of ids) await send(alice, id)
    await eventually(() => heard.length === 2)
    const broken = new Promise<void>((resolve) => {
      live.on('state', ({ state }) => state === 'connecting' && resolve())
    })
    BreakableSocket.last?.terminate()
    await broken
    for (const id of ids) await send(alice, id)
    live.reconnect()
    await live.ready()
    await eventually(() => heard.length === 4)
    for (const id of ids) await send(alice, id)
    await eventually(() => heard.length === 6)
    t.same(heard.sort(), ['0/4', '0/5', '0/6', '1/4', '1/5', '1/6'])

    await live.unsubscribe([two])
    await t.rejects(live.subscribe([await createGroup(alice)]), NotFoundError)
    await send(alice, two)
    await send(alice, one)
    await eventually(() => heard.includes('0/7'))
    t.notOk(heard.includes('1/7'))
    await live.subscribe([two, three])
    await eventually(() => heard.includes('1/7') && heard.includes('2/6'))
    t.equal(new Set(heard).size, heard.length, 'what was missed of it comes, and nothing twice')
  })

  t.test('tells of new conversations beside those, and goes back to all', async (t) => {
    const { alice, bob, ids } = await begin()
    const live = connect(bob.api)
    t.teardown(() => live.close())
    const heard = new Set<string>()
    live.on('change', ({ conversationId }) => heard.add(conversationId))
    await live.ready()
    await live.subscribe([ids[0]])
    const joined = new Promise((resolve) => {
      live.on('conversation.joined', ({ data }) => resolve(data.conversationId))
    })
    const created = await createGroup(alice, bob)
    t.equal(await joined, created)
    await live.subscribeAll()
    await send(alice, created)
    await eventually(() => heard.has(created))
  })
})

/** One that a test can break, as a network does. */
class BreakableSocket extends WebSocket {
  static last: BreakableSocket | undefined
  constructor(url: string, protocols: string[]) {
    super(url, protocols)
    BreakableSocket.last = this
  }
}
