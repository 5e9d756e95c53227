/** Who is there: told at once to those who may know, across processes, and to nobody else. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { UserId } from '../../openapi/shared/ids.ts'
import { createEventBus } from '../../src/bus/event-bus.ts'
import { newId } from '../../src/clock.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createAttendance } from '../../src/features/presence/attendance.ts'
import { createPresenceRepository } from '../../src/features/presence/repository.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { startProxy } from '../helpers/proxy.ts'
import { type Options, type ReceivedFrame, startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>
type Socket = Awaited<ReturnType<TestServer['socket']>>

/** Who leaves is not waited for. */
const atOnce = { graceMilliseconds: 0, beatMilliseconds: 5_000 }
const quickBeats = { ...atOnce, beatMilliseconds: 20 }

const start = (t: Pick<Test, 'teardown'>, options: Options = {}) => startServer(t, { presenceTimes: atOnce, ...options })
const server = await start(t)

async function startPair(t: Test, presenceTimes = atOnce): Promise<[TestServer, TestServer]> {
  const database = await createTestDatabase()
  const servers = [await start(t, { databaseUrl: database.url, presenceTimes }), await start(t, { databaseUrl: database.url, presenceTimes })] as const
  t.teardown(async () => {
    for (const one of servers) await one.stop()
    await database.drop()
  })
  return [...servers]
}

const people = async (count: number, on = server): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => on.signUp()))

async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id) })
  return conversation.id
}

const heardOf = ({ frames }: Socket, { id }: Person, from = 0): string[] =>
  frames.slice(from).flatMap(({ type, data }) => (type === 'presence.changed' && data.userId === id ? [data.status] : []))

const untilHeard = ({ frame }: Socket, { id }: Person, status: string, from = 0): Promise<ReceivedFrame> =>
  frame(({ type, data }) => type === 'presence.changed' && data.userId === id && data.status === status, from)

const setPresence = (person: Person, status: string, on = server) => on.request('PUT', '/v1/users/me/presence', { token: person.accessToken, body: { status } })

const seenBy = async (viewer: Person, person: Person, on = server): Promise<{ status: string; lastSeen: string | null }> => {
  const { json } = await on.request('GET', `/v1/users/${person.id}`, { token: viewer.accessToken })
  return { status: json.status, lastSeen: json.lastSeen }
}

/** Waits for what is written by itself. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

const isWritten = async (person: Person, on = server): Promise<boolean> =>
  (await on.database.pool.query('select from online_users where user_id = $1', [person.id])).rowCount === 1

/** From now on, those that ask whose processes live, but for the processes' own. */
function countStatements(t: Test): () => string[] {
  const { pool } = server.database
  const statements: string[] = []
  t.intercept(pool, 'query', {
    value: (...asked: unknown[]) => {
      statements.push(JSON.stringify(asked[0]))
      return Reflect.apply(pg.Pool.prototype.query, pool, asked)
    },
  })
  return () => statements.filter((text) => text.includes('last_beat_at') && !text.includes('insert into'))
}

/** Open, and known to everybody. */
async function come(person: Person, on = server): Promise<Socket> {
  const socket = await on.socket(person.accessToken)
  await until(() => isWritten(person, on))
  return socket
}

/** Whatever was told of somebody before has arrived then: what is told of one user is told in its order. */
async function barrier(socket: Socket, of: Person, on = server): Promise<void> {
  const from = socket.frames.length
  for (const status of ['away', 'busy']) {
    await setPresence(of, status, on)
    await untilHeard(socket, of, status, from)
  }
}

t.test('who shares a conversation hears me come, set another presence, and go', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await createGroup(alice, bob)
  const bobs = await come(bob)
  t.same(await seenBy(bob, alice), { status: 'offline', lastSeen: null }, 'who was never there was never seen')

  const before = Date.now()
  const alices = await server.socket(alice.accessToken)
  const { data } = await untilHeard(bobs, alice, 'online')
  t.ok(Math.abs(Date.parse(data.lastSeen) - before) < 60_000, 'seen last just now')
  t.equal((await seenBy(bob, alice)).status, 'online')

  for (const status of ['busy', 'away', 'online']) {
    const answer = await setPresence(alice, status)
    t.match([answer.status, answer.json], [200, { userId: alice.id, status }])
    await untilHeard(bobs, alice, status, bobs.frames.length - 1)
    t.equal((await seenBy(bob, alice)).status, status)
  }
  alices.close()
  const gone = await untilHeard(bobs, alice, 'offline')
  t.same(await seenBy(bob, alice), { status: 'offline', lastSeen: gone.data.lastSeen })
  t.same(heardOf(bobs, alice), ['online', 'busy', 'away', 'online', 'offline'], 'each once')
  t.same(heardOf(alices, alice), ['busy', 'away', 'online'], 'my own sockets hear what I set')
})

t.test('the presence that was set stays, and says nothing while there is no socket', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await createGroup(alice, bob)
  const bobs = await come(bob)
  const answer = await setPresence(alice, 'busy')
  t.same(answer.json, { userId: alice.id, status: 'offline', lastSeen: null })
  t.match((await server.request('GET', '/v1/users/me', { token: alice.accessToken })).json, { presence: 'busy' })
  await come(alice)
  await untilHeard(bobs, alice, 'busy')
  t.same(heardOf(bobs, alice), ['busy'])
})

t.test('who hides is not there, comes and goes unseen, and keeps the time at which the hiding began', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await createGroup(alice, bob)
  const bobs = await come(bob)
  const alices = await come(alice)
  t.match((await setPresence(alice, 'offline')).json, { status: 'offline' })
  const hidden = await untilHeard(bobs, alice, 'offline')
  const shown = await seenBy(bob, alice)
  t.same(shown, { status: 'offline', lastSeen: hidden.data.lastSeen })

  alices.close()
  await until(async () => !(await isWritten(alice)))
  await come(alice)
  t.same(await seenBy(bob, alice), shown, 'neither the going nor the coming shows')
  await setPresence(alice, 'online')
  await untilHeard(bobs, alice, 'online', bobs.frames.indexOf(hidden))
  t.same(heardOf(bobs, alice), ['online', 'offline', 'online'])
})

t.test('nobody hears of those with whom they share no conversation any more, or never did, or a very large one only', async (t) => {
  const [alice, bob, carol, dave, erin] = (await people(5)) as [Person, Person, Person, Person, Person]
  const id = await createGroup(alice, bob, carol)
  const large = await createGroup(alice, erin)
  await server.database.pool.query('update conversations set member_count = 251 where id = $1', [large])
  await alice.api.conversations.removeMember(id, carol.id)
  const [bobs, carols, daves, erins] = (await Promise.all([bob, carol, dave, erin].map((person) => come(person)))) as [Socket, Socket, Socket, Socket]
  await come(alice)
  await barrier(bobs, alice)
  for (const socket of [carols, daves, erins]) t.same(heardOf(socket, alice), [])
  t.equal((await seenBy(dave, alice)).status, 'busy', 'but the directory says it to everybody who asks')

  await server.database.pool.query('update conversations set member_count = 250 where id = $1', [large])
  await setPresence(alice, 'away')
  await untilHeard(erins, alice, 'away')
})

t.test('several sockets are one presence, and a reconnect within the grace is no absence', async (t) => {
  const patient = await start(t, { presenceTimes: { ...atOnce, graceMilliseconds: 3_600_000 } })
  const [alice, bob] = (await people(2, patient)) as [Person, Person]
  await createGroup(alice, bob)
  const bobs = await come(bob, patient)
  const first = await come(alice, patient)
  const second = await patient.socket(alice.accessToken)
  for (const socket of [first, second]) {
    socket.close()
    await socket.closed
  }
  await patient.socket(alice.accessToken)
  await barrier(bobs, alice, patient)
  t.same(heardOf(bobs, alice), ['online', 'away', 'busy'])

  const [carol, dave] = (await people(2)) as [Person, Person]
  await createGroup(carol, dave)
  const daves = await come(dave)
  const [one] = [await come(carol), await server.socket(carol.accessToken)]
  one.close()
  await one.closed
  await barrier(daves, carol)
  t.same(heardOf(daves, carol), ['online', 'away', 'busy'], 'without any grace the other socket still counts')
})

t.test('across processes', async (t) => {
  t.test('one hears whoever comes, sets a presence and goes on the other', async (t) => {
    const [one, two] = await startPair(t)
    const [alice, bob] = (await people(2, one)) as [Person, Person]
    await createGroup(alice, bob)
    const bobs = await come(bob, two)
    const alices = await one.socket(alice.accessToken)
    await untilHeard(bobs, alice, 'online')
    await setPresence(alice, 'busy', one)
    await untilHeard(bobs, alice, 'busy')
    t.equal((await seenBy(bob, alice, two)).status, 'busy')
    await setPresence(alice, 'away', two)
    await untilHeard(bobs, alice, 'away')
    await untilHeard(alices, alice, 'away')
    alices.close()
    await untilHeard(bobs, alice, 'offline')
    t.same(heardOf(bobs, alice), ['online', 'busy', 'away', 'offline'])
  })

  t.test('who is on both is there until the last socket of the two is closed, also when both go at once', async (t) => {
    const [one, two] = await startPair(t)
    const [alice, bob] = (await people(2, one)) as [Person, Person]
    await createGroup(alice, bob)
    const bobs = await come(bob, two)
    const rowsOfAlice = async () => (await one.database.pool.query('select from online_users where user_id = $1', [alice.id])).rowCount
    for (const way of ['one after the other', 'at once']) {
      const from = bobs.frames.length
      const here = await come(alice, one)
      await untilHeard(bobs, alice, 'online', from)
      const there = await two.socket(alice.accessToken)
      await until(async () => (await rowsOfAlice()) === 2)
      here.close()
      if (way === 'one after the other') await until(async () => (await rowsOfAlice()) === 1)
      there.close()
      await untilHeard(bobs, alice, 'offline', from)
      await until(async () => (await rowsOfAlice()) === 0)
      t.same(heardOf(bobs, alice, from), ['online', 'offline'], way)
    }
  })

  t.test('who was on a process that died is offline once it has been silent for 15 seconds, and was seen when it was heard last', async (t) => {
    const [one, two] = await startPair(t, quickBeats)
    const [alice, bob] = (await people(2, one)) as [Person, Person]
    await createGroup(alice, bob)
    const bobs = await come(bob, two)
    await come(alice, one)
    // What a process leaves that was killed a moment ago, and then 15 seconds ago.
    const dead = randomUUID()
    await one.database.pool.query(`insert into processes values ($1, now() - interval '10 seconds')`, [dead])
    const [carol] = (await people(1, one)) as [Person]
    await createGroup(carol, bob)
    await one.database.pool.query('insert into online_users select $1, unnest($2::uuid[])', [dead, [alice.id, carol.id]])
    t.equal((await seenBy(bob, carol, two)).status, 'online')
    const { rows } = await one.database.pool.query(`update processes set last_beat_at = now() - interval '16 seconds' where id = $1 returning last_beat_at`, [
      dead,
    ])
    const { data } = await untilHeard(bobs, carol, 'offline')
    t.equal(data.lastSeen, rows[0].last_beat_at.toISOString())
    t.same(await seenBy(bob, carol, two), { status: 'offline', lastSeen: data.lastSeen })
    t.equal((await one.database.pool.query('select from processes where id = $1', [dead])).rowCount, 0, 'nothing is left of it')
    t.equal((await seenBy(bob, alice, two)).status, 'online', 'who is on a living one as well is there')
    t.same(heardOf(bobs, alice), ['online'])
  })

  t.test('rows of a silent process count for nothing also before they are swept', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    await server.database.pool.query(`insert into processes values ($1, now() - interval '16 seconds')`, [alice.id])
    await server.database.pool.query('insert into online_users values ($1, $1)', [alice.id])
    t.equal((await seenBy(bob, alice)).status, 'offline')
  })

  t.test('a process that others took for dead says again who is there', async (t) => {
    const [one, two] = await startPair(t, quickBeats)
    const [alice, bob] = (await people(2, one)) as [Person, Person]
    await createGroup(alice, bob)
    const bobs = await come(bob, two)
    await come(alice, one)
    await untilHeard(bobs, alice, 'online')
    const from = bobs.frames.length
    await one.database.pool.query('delete from processes where id = (select process_id from online_users where user_id = $1)', [alice.id])
    await untilHeard(bobs, alice, 'online', from)
    t.equal((await seenBy(bob, alice, two)).status, 'online')
  })

  t.test('a process that ends hands its users over: those who connect elsewhere were never away, the others are swept', async (t) => {
    const [one, two] = await startPair(t, { graceMilliseconds: 10_000, beatMilliseconds: 20 })
    const [alice, bob, carol] = (await people(3, one)) as [Person, Person, Person]
    await createGroup(alice, bob, carol)
    const bobs = await come(bob, two)
    await come(alice, one)
    await come(carol, one)
    await untilHeard(bobs, carol, 'online')
    await one.stop()
    const { pool } = two.database
    const { rows } = await pool.query(
      `select process_id, extract(epoch from now() - last_beat_at)::float8 as age from online_users
      join processes on id = process_id where user_id = $1`,
      [carol.id],
    )
    t.ok(rows[0].age >= 5 && rows[0].age < 15, `10 of 15 seconds are left, for it counts as silent for ${rows[0].age}`)
    t.equal((await seenBy(bob, carol, two)).status, 'online')
    await two.socket(alice.accessToken)
    await until(async () => (await pool.query('select from online_users where user_id = $1', [alice.id])).rowCount === 2)

    await pool.query(`update processes set last_beat_at = now() - interval '16 seconds' where id = $1`, [rows[0].process_id])
    const { data } = await untilHeard(bobs, carol, 'offline')
    t.ok(Date.now() - Date.parse(data.lastSeen) < 60_000)
    t.same(heardOf(bobs, alice), ['online'])
  })
})

t.test('a thousand who come and go at once cost a handful of transactions, and each is told once', async (t) => {
  const database = await createTestDatabase()
  const { pool, db, close } = createDatabase({ url: database.url, maxConnections: 4, log: silentLog })
  const [bus, other] = [await createEventBus({ pool, log: silentLog }), await createEventBus({ pool, log: silentLog })]
  const ids = Array.from({ length: 1_000 }, () => newId<UserId>())
  await pool.query(`insert into users (id, email) select id, id || '@example.com' from unnest($1::uuid[]) id`, [ids])
  const presence = createPresenceRepository({ pool, db })
  let writes = 0
  const write: typeof presence.write = (...parts) => {
    writes += 1
    return presence.write(...parts)
  }
  const [told, heard]: [UserId[], UserId[]] = [[], []]
  const times = { graceMilliseconds: 20, beatMilliseconds: 5_000 }
  const attendance = createAttendance({ db, presence: { ...presence, write }, bus, onChanged: (userIds) => told.push(...userIds), log: silentLog, ...times })
  other.on('presence.changed', (userIds) => heard.push(...userIds))
  t.teardown(async () => {
    for (const end of [attendance.stop, bus.close, other.close, close, database.drop]) await end()
  })
  await attendance.start()
  const countRows = async () => (await pool.query('select from online_users')).rowCount

  ids.forEach(attendance.opened)
  ids.forEach(attendance.opened)
  await until(async () => heard.length === 1_000)
  t.equal(await countRows(), 1_000)
  ids.forEach(attendance.closed)
  ids.forEach(attendance.closed)
  ids.slice(500).forEach(attendance.opened)
  await until(async () => heard.length === 1_500)
  t.equal(await countRows(), 500)
  t.same([...told].sort(), [...ids, ...ids.slice(0, 500)].sort())
  t.same([...heard].sort(), [...told].sort())
  t.ok(writes <= 4, `${writes} transactions`)
})

t.test('administrators see when somebody was there last, in whichever answer, also whoever has blocked them', async (t) => {
  const [admin, alice, bob, carol, dave] = (await people(5)) as [Person, Person, Person, Person, Person]
  const { pool } = server.database
  await pool.query("update users set role = 'admin' where id = $1", [admin.id])
  const { accessToken: token } = await admin.api.auth.verifyEmail({ email: admin.email, code: '000000' })
  const seenAt = async (person: Person): Promise<string | null> => (await server.request('GET', `/v1/admin/users/${person.id}`, { token })).json.lastSeen
  await come(alice)
  await server.request('PUT', `/v1/users/${admin.id}/block`, { token: alice.accessToken })
  const bobs = await come(bob)
  bobs.close()
  await until(async () => !(await isWritten(bob)))
  await come(carol)
  await setPresence(carol, 'offline')
  const hidden = await seenAt(carol)

  t.ok(Math.abs(Date.parse((await seenAt(alice)) ?? '') - Date.now()) < 60_000, 'who is there for the first time')
  t.equal(await seenAt(bob), (await seenBy(dave, bob)).lastSeen, 'who has gone')
  t.not(await seenAt(bob), null)
  t.equal(hidden, (await seenBy(dave, carol)).lastSeen, 'who hides')
  t.equal(await seenAt(dave), null, 'who was never there')
  const { json } = await server.request('PATCH', `/v1/users/${alice.id}`, { token, body: { displayName: 'Alice' } })
  t.not(json.lastSeen, null)

  const statements = countStatements(t)
  const list = (await server.request('GET', '/v1/admin/users?limit=100', { token })).json.items
  t.equal(statements().length, 1, 'a page of them is one question')
  const listed = new Map(list.map(({ id, lastSeen }: { id: string; lastSeen: string | null }) => [id, lastSeen]))
  t.equal(listed.get(bob.id), await seenAt(bob))
  t.equal(listed.get(carol.id), hidden)
  t.not(listed.get(alice.id), null)
})

t.test('the export says when somebody was there last, as administrators see it', async (t) => {
  const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
  const exported = async ({ accessToken: token }: Person): Promise<string | null> =>
    (await server.request('GET', '/v1/users/me/export', { token })).json.sections.account[0].lastSeenAt
  await come(alice)
  const bobs = await come(bob)
  bobs.close()
  await until(async () => !(await isWritten(bob)))
  t.ok(Math.abs(Date.parse((await exported(alice)) ?? '') - Date.now()) < 60_000, 'who is there for the first time')
  t.equal(await exported(bob), (await seenBy(carol, bob)).lastSeen, 'who has gone')
  t.equal(await exported(carol), null, 'who was never there')
})

t.test('what cannot be written while the database is away is written afterwards', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const proxy = await startProxy(database.url)
  t.teardown(() => proxy.close())
  const failed = Promise.withResolvers<void>()
  const log = pino({ level: 'warn' }, { write: (line) => line.includes('could not be written') && failed.resolve() })
  const [far, near] = [await start(t, { databaseUrl: proxy.url, log }), await start(t, { databaseUrl: database.url })]
  const [alice, bob] = (await people(2, near)) as [Person, Person]
  await createGroup(alice, bob)
  const bobs = await come(bob, near)
  const alices = await come(alice, far)
  await untilHeard(bobs, alice, 'online')
  await proxy.cut()
  alices.close()
  await failed.promise
  await proxy.restore()
  await untilHeard(bobs, alice, 'offline')
  t.equal((await seenBy(bob, alice, near)).status, 'offline')
})

t.test('a page of users is one question, and those of whom nothing is known are offline', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  await come(alice)
  const { presence } = server.app.services
  const unknown = randomUUID() as UserId
  const statements = countStatements(t)
  const statuses = await presence.statusOf(bob.id, [alice.id, bob.id, unknown])
  t.equal(statements().length, 1)
  t.match(statuses.get(alice.id), { status: 'online', lastSeen: Date })
  t.same([...statuses.keys()], [alice.id, bob.id, unknown])
  t.same([statuses.get(bob.id), statuses.get(unknown)], Array(2).fill({ status: 'offline', lastSeen: null }))
  t.equal((await presence.statusOf(bob.id, [])).size, 0)
  t.equal(statements().length, 1, 'about nobody nothing is asked')

  const { json } = await server.request('GET', '/v1/users?limit=100', { token: bob.accessToken })
  t.ok(json.items.length > 10)
  t.equal(statements().length, 2, 'nor does the directory ask about each')
})

t.test('what is refused', async (t) => {
  const [alice] = (await people(1)) as [Person]
  for (const body of [{ status: 'invisible' }, {}, { status: 'busy', until: 'later' }]) {
    const { status, json } = await server.request('PUT', '/v1/users/me/presence', { token: alice.accessToken, body })
    t.same([status, json.error.code], [400, 'validation_error'])
  }
  t.equal((await server.request('PUT', '/v1/users/me/presence', { body: { status: 'busy' } })).status, 401)
})
