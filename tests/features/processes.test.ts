/**
 * Several processes on one database: what is ended on one is worth nothing on the others, within a second and whatever becomes of the
 * connection by which they hear of it; and a secret that is replaced keeps what it has signed.
 */
import { randomUUID } from 'node:crypto'
import { connect, createServer } from 'node:net'
import type pg from 'pg'
import pino from 'pino'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import type { TokenPair } from '../../openapi/auth/schemas.ts'
import type { ApiKeyId } from '../../openapi/shared/ids.ts'
import type { CredentialId } from '../../src/actor.ts'
import { createEventBus } from '../../src/bus/event-bus.ts'
import { createDatabase } from '../../src/db/client.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { createAuthClient, createTestClock, decode, eventually, newEmail, password, second } from './auth-client.ts'

const { url: databaseUrl, drop } = await createTestDatabase()
t.teardown(drop)
const [here, there] = [await startServer(t, { databaseUrl }), await startServer(t, { databaseUrl })]
const [atHere, atThere] = [createAuthClient(here), createAuthClient(there)]

/** By the fixed code: the mail may be sent by any process, into its own folder. */
async function signedIn() {
  const email = newEmail()
  await atHere.register({ email, password })
  return { email, ...(await atHere.verifyEmail(email, '000000')).body }
}

/** Somebody with a socket and tokens that are good on both. */
async function connected() {
  const pair = await signedIn()
  t.equal((await atThere.me(pair.accessToken)).status, 200)
  const socket = await there.socket(pair.accessToken)
  return { ...pair, socket, sessionId: decode(pair.accessToken).sid }
}

/** Milliseconds until the other process has closed the socket and refuses the token. */
async function ends(act: () => Promise<unknown>, { socket, accessToken }: Pick<Awaited<ReturnType<typeof connected>>, 'socket' | 'accessToken'>) {
  const begun = performance.now()
  await act()
  const { code } = await socket.closed
  t.equal(code, 4401)
  await eventually(async () => ((await atThere.me(accessToken)).error === 'unauthorized' ? true : undefined))
  return performance.now() - begun
}

const post = (path: string, token: string, body?: unknown) => here.request('POST', `/v1/auth/${path}`, { token, ...(body !== undefined && { body }) })

/** Ends the connections by which processes listen. @returns how many */
async function cutListeners(): Promise<number> {
  const cut =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and (query like 'listen %' or query like '%pg_notify%') and pid <> pg_backend_pid()"
  return (await here.database.pool.query(cut)).rows.length
}

t.test('what ends on one process ends on the other within a second', async (t) => {
  t.test('by signing out', async (t) => {
    const somebody = await connected()
    t.ok((await ends(() => post('logout', somebody.accessToken), somebody)) <= second)
    t.equal((await atThere.refresh(somebody.refreshToken)).error, 'unauthorized')
  })

  t.test('by ending one session from another', async (t) => {
    const somebody = await connected()
    const { body: other } = await atHere.login(somebody.email)
    const act = () => here.request('DELETE', `/v1/auth/sessions/${somebody.sessionId}`, { token: other.accessToken })
    t.ok((await ends(act, somebody)) <= second)
    t.equal((await atThere.me(other.accessToken)).status, 200, 'and only that one')
  })

  t.test('by ending all sessions, more than one notification names', async (t) => {
    const somebody = await connected()
    const { sub } = decode(somebody.accessToken)
    await here.database.pool.query(
      `insert into sessions (id, user_id, created_at, last_used_at, expires_at)
       select gen_random_uuid(), $1, now(), now(), now() + interval '1 day' from generate_series(1, 400)`,
      [sub],
    )
    const { body: last } = await atHere.login(somebody.email)
    const socket = await there.socket(last.accessToken)
    const answer = Promise.withResolvers<{ json: { revokedCount: number } | undefined }>()
    const milliseconds = await ends(async () => answer.resolve(await post('revoke-all', somebody.accessToken, {})), somebody)
    t.ok(milliseconds <= second)
    t.equal((await answer.promise).json?.revokedCount, 402)
    await socket.closed
    t.equal((await atThere.me(last.accessToken)).error, 'unauthorized')
  })

  t.test('by a refresh token that was used twice', async (t) => {
    const somebody = await connected()
    const { body: next } = await atHere.refresh(somebody.refreshToken)
    await atHere.refresh(next.refreshToken)
    t.ok((await ends(() => atHere.refresh(somebody.refreshToken), somebody)) <= second)
  })

  t.test('a cookie too', async (t) => {
    const { refreshToken } = await signedIn()
    const started = await here.request('POST', '/v1/auth/cookie', { body: { refreshToken } })
    const headers = { cookie: started.headers.getSetCookie()[0]?.split(';')[0] ?? '', 'x-requested-with': 'test' }
    t.equal((await there.request('GET', '/v1/auth/me', { headers })).status, 200)
    const begun = performance.now()
    t.equal((await here.request('POST', '/v1/auth/logout', { headers })).status, 204)
    await eventually(async () => ((await there.request('GET', '/v1/auth/me', { headers })).status === 401 ? true : undefined))
    t.ok(performance.now() - begun <= second)
  })

  t.test('an API key too', async (t) => {
    const { accessToken } = await signedIn()
    const { json } = await here.request('POST', '/v1/api-keys', { token: accessToken, body: { name: 'robot', scope: 'write' } })
    const key: string = json.key
    const socket = await there.socket(key)
    const act = () => here.request('DELETE', `/v1/api-keys/${json.apiKey.id}`, { token: accessToken })
    t.ok((await ends(act, { socket, accessToken: key })) <= second)
  })

  t.test('also when nobody hears of it, because the connections are cut at that moment', async (t) => {
    for (let times = 0; times < 3; times++) {
      const somebody = await connected()
      const act = async () => {
        t.ok((await cutListeners()) >= 2)
        await post('logout', somebody.accessToken)
      }
      const milliseconds = await ends(act, somebody)
      t.ok(milliseconds <= second, `${milliseconds} ms`)
    }
  })

  t.test('also afterwards: the connection is there again', async (t) => {
    await cutListeners()
    const before = await connected()
    t.ok((await ends(() => post('logout', before.accessToken), before)) <= second)
  })
})

t.test('what ended while a process heard nothing, for longer than it looks back, ends there', async (t) => {
  const { pool } = here.database
  const longAgo = "now() - interval '1 day'"

  /** A socket of somebody new, by each of the credentials that live as long as that. */
  async function sockets(server = there) {
    const pair = await signedIn()
    const { sub } = decode(pair.accessToken)
    const { json } = await here.request('POST', '/v1/api-keys', { token: pair.accessToken, body: { name: 'robot', scope: 'write' } })
    const { headers } = await here.request('POST', '/v1/auth/cookie', { body: { refreshToken: pair.refreshToken } })
    const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const byKey = await server.socket(json.key)
    const byCookie = new WebSocket(`${server.url.replace('http', 'ws')}/v1/ws`, ['parley.v1'], { headers: { cookie } })
    const closed = new Promise<number>((resolve) => byCookie.on('close', resolve))
    await new Promise((resolve) => byCookie.once('message', resolve))
    return { sub, byKey, byCookie: { closed } }
  }
  const endSessions = (sub: string, table = 'sessions') =>
    pool.query(`update ${table} set revoked_at = ${longAgo}, revoked_reason = 'revoked' where user_id = $1`, [sub])

  t.test('a key, a cookie, and a key whose user is suspended', async (t) => {
    const [alice, bob, carol] = [await sockets(), await sockets(), await sockets()]
    await pool.query(`update api_keys set revoked_at = ${longAgo} where user_id = $1`, [alice.sub])
    await endSessions(alice.sub)
    await pool.query(`update users set suspended_at = ${longAgo} where id = $1`, [bob.sub])
    await cutListeners()
    t.same([(await alice.byKey.closed).code, await alice.byCookie.closed, (await bob.byKey.closed).code, await bob.byCookie.closed], [4401, 4401, 4401, 4401])
    carol.byKey.send({ type: 'ping', id: 1, data: {} })
    t.equal((await carol.byKey.frame(({ id }) => id === 1)).type, 'ack', 'and nobody else')
  })

  t.test('also when the database could not be read at first', async (t) => {
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    const alice = await sockets(await startServer(t, { databaseUrl, log }))
    await pool.query('alter table sessions rename to lost_sessions')
    t.teardown(() => pool.query('alter table if exists lost_sessions rename to sessions'))
    await cutListeners()
    await eventually(async () => lines.find((line) => line.includes('in use could not be compared')))
    await endSessions(alice.sub, 'lost_sessions')
    await pool.query('alter table lost_sessions rename to sessions')
    t.equal(await alice.byCookie.closed, 4401)
  })
})

t.test('the event bus', async (t) => {
  const database = createDatabase({ url: databaseUrl, maxConnections: 3, log: silentLog })
  t.teardown(database.close)
  const join = async (t: Test, pool: pg.Pool = database.pool) => {
    const bus = await createEventBus({ pool, log: silentLog })
    t.teardown(bus.close)
    return bus
  }
  const credential = () => randomUUID() as ApiKeyId

  t.test('carries what was committed, to others and not to oneself, and nothing of what was rolled back', async (t) => {
    const [one, two] = [await join(t), await join(t)]
    const heard: CredentialId[] = []
    one.on('credentials.revoked', () => t.fail('nobody hears oneself'))
    const [lost, kept] = [credential(), credential()]
    const arrived = new Promise<void>((resolve) => {
      two.on('credentials.revoked', (ids) => {
        heard.push(...ids)
        if (ids.includes(kept)) resolve()
      })
    })
    const rolledBack = database.db.transaction(async (tx) => {
      await one.publish(tx, 'credentials.revoked', [lost])
      throw new Error('rolled back')
    })
    await t.rejects(rolledBack, { message: 'rolled back' })
    await database.db.transaction((tx) => one.publish(tx, 'credentials.revoked', [kept]))
    await arrived
    t.same(heard, [kept])
  })

  t.test('bears what is none of its frames, and listeners that fail', async (t) => {
    const [one, two] = [await join(t), await join(t)]
    const arrived = new Promise<CredentialId[]>((resolve) => {
      two.on('credentials.revoked', () => {
        throw new Error('A defect')
      })
      two.on('credentials.revoked', resolve)
    })
    for (const payload of ['', 'text', 'null', '[]', '{"from":"another","type":"later","data":["x"]}', '{"from":"another","type":"toString","data":[]}'])
      await database.pool.query('select pg_notify($1, $2)', ['parley', payload])
    const id = credential()
    await one.publish(database.db, 'credentials.revoked', [id])
    t.same(await arrived, [id])
  })

  t.test('tells of a gap after its connection broke, once it listens again', async (t) => {
    const bus = await join(t)
    const other = await join(t)
    const gap = new Promise<void>((resolve) => bus.onGap(resolve))
    await cutListeners()
    await gap
    const id = credential()
    const arrived = new Promise<CredentialId[]>((resolve) => bus.on('credentials.revoked', resolve))
    await other.publish(database.db, 'credentials.revoked', [id])
    t.same(await arrived, [id])
  })

  t.test('tells of a gap when its connection is dead and does not say so', async (t) => {
    const proxy = await startFreezingProxy(t)
    const frozen = createDatabase({ url: proxy.url, maxConnections: 1, log: silentLog })
    const bus = await join(t, frozen.pool)
    const gap = new Promise<void>((resolve) => bus.onGap(resolve))
    proxy.freeze()
    await gap
    await bus.close()
    await frozen.close()
  })

  t.test('begins without a database, and listens when there is one', async (t) => {
    const port = await freePort()
    const { pathname, username, password } = new URL(databaseUrl)
    const early = createDatabase({ url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`, maxConnections: 1, log: silentLog })
    const bus = await join(t, early.pool)
    const gap = new Promise<void>((resolve) => bus.onGap(resolve))
    await startFreezingProxy(t, port)
    await gap
    await bus.close()
    await early.close()
  })

  t.test('leaves no connection behind, closed while it connects or after its pool', async (t) => {
    const marked = new URL(databaseUrl)
    marked.searchParams.set('application_name', 'marked')
    const own = createDatabase({ url: String(marked), maxConnections: 1, log: silentLog })
    const administer = (what: string) => database.pool.query(`select ${what} from pg_stat_activity where application_name = 'marked'`)
    const buses = [await createEventBus({ pool: own.pool, log: silentLog }), await createEventBus({ pool: own.pool, log: silentLog })]
    t.equal((await administer('pid')).rows.length >= 2, true)
    await administer('pg_terminate_backend(pid)')
    await own.close()
    await Promise.all(buses.map((bus) => bus.close()))
    await eventually(async () => ((await administer('pid')).rows.length === 0 ? true : undefined))
  })
})

t.test('a secret that is replaced', async (t) => {
  const [oldSecret, newSecret] = ['the secret of before, long enough to be one', 'the secret of today, long enough to be one']
  const clock = createTestClock()
  const before = createAuthClient(await startServer(t, { databaseUrl, clock, env: { JWT_SECRET: oldSecret } }))
  const during = createAuthClient(await startServer(t, { databaseUrl, clock, env: { JWT_SECRET: newSecret, JWT_SECRET_PREVIOUS: oldSecret } }))
  const after = createAuthClient(await startServer(t, { databaseUrl, clock, env: { JWT_SECRET: newSecret } }))
  const keyOf = ({ accessToken }: TokenPair) => JSON.parse(String(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url'))).kid

  t.test('keeps what it has signed, while it is named as the previous one', async (t) => {
    const pair = await before.signedIn()
    t.equal((await during.me(pair.accessToken)).status, 200)
    t.equal((await after.me(pair.accessToken)).error, 'unauthorized')
    const { body: next } = await during.refresh(pair.refreshToken)
    t.not(keyOf(next), keyOf(pair), 'the new one signs')
    t.equal((await after.me(next.accessToken)).status, 200)
    t.equal((await before.me(next.accessToken)).error, 'unauthorized')
  })

  t.test('knows a retry of a refresh that was answered under it', async (t) => {
    const pair = await before.signedIn()
    const { body: next } = await before.refresh(pair.refreshToken)
    const retried = await during.refresh(pair.refreshToken)
    t.equal(retried.status, 200)
    t.equal(retried.body.refreshToken, next.refreshToken)
    t.equal((await during.me(retried.body.accessToken)).status, 200)
    t.equal((await after.refresh(pair.refreshToken)).error, 'token_family_compromised', 'and otherwise takes it for stolen')
  })

  t.test('knows the codes that were mailed under it', async (t) => {
    const [one, two] = [await before.registered(), await before.registered()]
    t.equal((await during.verifyEmail(one.email, one.code)).status, 200)
    t.equal((await after.verifyEmail(two.email, two.code)).error, 'invalid_code')
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('There is no port')
  return address.port
}

/** To the database, until it freezes: what is connected then stays so and hears nothing; what comes later is served. */
async function startFreezingProxy(t: Test, port = 0) {
  const target = new URL(databaseUrl)
  const freezes: (() => void)[] = []
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
    freezes.push(() => {
      client.unpipe(upstream)
      upstream.unpipe(client)
      client.pause()
      upstream.pause()
    })
    t.teardown(() => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('There is no port')
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${address.port}`
  const freeze = () => {
    for (const one of freezes.splice(0)) one()
  }
  return { url: String(url), freeze }
}
