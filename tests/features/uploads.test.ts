/** Uploads under way: how many, how long and how much of them there may be, and what becomes of those that break off where it is not seen. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { tinyPng } from '../helpers/form.ts'
import { install } from '../helpers/process.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { beginUpload, objectsIn } from '../helpers/uploads.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'
import { eventually, repeat } from './auth-client.ts'

const mebibyte = 1_048_576

/** How many wait for a lock in this database. */
const waiting = async (pool: TestServer['database']['pool']): Promise<number> =>
  (await pool.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rowCount ?? 0

/** Whoever is told something and does not end what they say. */
async function stall({ url }: Pick<TestServer, 'url'>, path: string, token: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const closed = once(
    socket.on('error', () => undefined),
    'close',
  )
  const head = [`POST ${path} HTTP/1.1`, 'Host: parley', `Authorization: Bearer ${token}`, 'Content-Type: multipart/form-data; boundary=b']
  socket.write(`${head.join('\r\n')}\r\nContent-Length: 1000000\r\n\r\n--b\r\n`)
  const [answer] = await once(socket, 'data')
  return { answer: String(answer), closed }
}

const answered = (answer: () => string) => eventually(async () => (/\r\n\r\n.*\}$/s.test(answer()) ? answer() : undefined))

/** Enough of a picture to be taken for one, and to be written. */
const half = Buffer.concat([tinyPng, Buffer.alloc(200_000)])

const upload = (server: TestServer, token: string) => {
  const body = new FormData()
  body.append('file', new Blob([tinyPng]), 'a.png')
  return server.request('POST', '/v1/files', { token, body })
}

t.test('of one user four uploads are under way at most, whatever they wait for', async (t) => {
  const server = await startServer(t)
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const begun: Socket[] = []
  for (let count = 1; count <= 4; count += 1) {
    begun.push(beginUpload(server, { token: alice.accessToken, bytes: half }).socket)
    await eventually(async () => ((await objectsIn(server)).length === count ? true : undefined))
  }
  const refused = await repeat(3, () => upload(server, alice.accessToken))
  for (const { status, json, headers } of refused) {
    t.match({ status, code: json.error.code, after: headers.get('retry-after') }, { status: 429, code: 'rate_limit_exceeded', after: '5' })
  }
  t.equal((await objectsIn(server)).length, 4, 'and nothing of the fifth is kept')
  t.equal((await upload(server, bob.accessToken)).status, 201, 'others are not concerned')
  begun[0]?.destroy()
  await eventually(async () => ((await upload(server, alice.accessToken)).status === 201 ? true : undefined))
  t.pass('what ends makes room for the next')
  for (const socket of begun) socket.destroy()
})

t.test('of ten at once of one user each is kept whole or told to wait; of ten users all are kept', async (t) => {
  const server = await startServer(t)
  const [alice, ...others] = await repeat(11, () => server.signUp())
  const answers = await repeat(10, () => upload(server, alice?.accessToken ?? ''))
  const kept = answers.filter(({ status }) => status === 201)
  t.ok(kept.length >= 4, `${kept.length} of them kept`)
  t.ok(answers.every(({ status, json }) => status === 201 || json.error.code === 'rate_limit_exceeded'))
  const { rows } = await server.database.pool.query(
    'select count(*) as files, sum(size_bytes) as bytes, (select sum(used_bytes) from file_usage) as used from files',
  )
  t.match(rows, [{ files: kept.length, bytes: String(kept.length * tinyPng.length) }])
  t.equal(rows[0]?.used, rows[0]?.bytes, 'and the quota counts just these')
  t.same(
    (await Promise.all(others.map(({ accessToken }) => upload(server, accessToken)))).map(({ status }) => status),
    others.map(() => 201),
  )
})

t.test('an upload that falls silent, or takes for ever, is answered and ended', async (t) => {
  const times = { silenceMilliseconds: 150, totalMilliseconds: 60_000 }
  const silent = await startServer(t, { formTimes: times })
  const steady = await startServer(t, { formTimes: { ...times, silenceMilliseconds: 60_000, totalMilliseconds: 300 } })
  for (const [server, path, bytes, what] of [
    [silent, '/v1/files', half, 'half-way'],
    [silent, '/v1/files', tinyPng, 'in its first bytes'],
    [silent, '/v1/users/me/avatar', tinyPng, 'with a picture of a user'],
    [steady, '/v1/files', half, 'that always sends a little'],
  ] as const) {
    const { accessToken: token, api } = await server.signUp()
    const { socket, send, answer } = beginUpload(server, { token, path, bytes })
    const closed = once(socket, 'close')
    const dripping = setInterval(() => server === steady && socket.writable && send(Buffer.from('.')), 5)
    t.match(await answered(answer), /^HTTP\/1\.1 400 .*"code":"validation_error".*"reason":"comes too slowly"/s, what)
    clearInterval(dripping)
    socket.destroy()
    await closed
    t.same(await objectsIn(server), [], 'and nothing of it is kept')
    t.equal((await api.files.upload({ file: new Blob([tinyPng]) })).sizeBytes, tinyPng.length, 'and the server goes on')
    for (const { id } of (await server.database.pool.query<{ id: string }>('select id from files')).rows) await api.files.delete(id)
    await eventually(async () => ((await objectsIn(server)).length === 0 ? true : undefined))
  }
})

t.test('an upload is refused as soon as it goes beyond the room that is left', { timeout: 30_000 }, async (t) => {
  const server = await startServer(t, { env: { UPLOAD_QUOTA_BYTES: String(mebibyte) } })
  const { accessToken: token, id } = await server.signUp()
  t.equal((await upload(server, token)).status, 201)
  const { socket, send, answer } = beginUpload(server, { token, bytes: half })
  send(Buffer.alloc(mebibyte))
  t.match(await answered(answer), /^HTTP\/1\.1 409 .*"quota_exceeded"/s, 'while it is still coming')
  socket.destroy()
  const { rows } = await server.database.pool.query('select used_bytes as used from file_usage where user_id = $1', [id])
  t.same(rows, [{ used: tinyPng.length }])
  t.equal((await objectsIn(server)).length, 2, 'and nothing of it is kept')
})

t.test('what the database may commit yet keeps its bytes', async (t) => {
  const database = await createTestDatabase()
  t.teardown(database.drop)
  const proxy = await startDatabaseProxy(t, database.url)
  const server = await startServer(t, { databaseUrl: proxy.url })
  const direct = await startServer(t, { databaseUrl: database.url })
  const { accessToken } = await direct.signUp()
  const { pool } = direct.database
  await pool.query(`create function hold_back() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(7); return null; end $$;
    create constraint trigger held_back after insert on files deferrable initially deferred for each row execute function hold_back()`)
  const holder = await pool.connect()
  await holder.query('select pg_advisory_lock(7)')
  const uploaded = upload(server, accessToken)
  await eventually(async () => ((await pool.query("select from pg_locks where locktype = 'advisory' and not granted")).rowCount === 1 ? true : undefined))
  proxy.cutAll()
  t.equal((await uploaded).status, 503, 'its COMMIT has no answer')
  await holder.query('select pg_advisory_unlock(7)')
  holder.release()
  const { id } = await eventually(async () => (await pool.query<{ id: string }>('select id from files')).rows[0])
  t.equal((await direct.request('GET', `/v1/files/${id}/content`, { token: accessToken })).status, 200)
})

t.test('all who delete a file at once are told that it is gone, and it is, with its bytes and once from the quota', async (t) => {
  const server = await startServer(t)
  const { accessToken: token, id: userId } = await server.signUp()
  const { pool } = server.database
  const [{ json }] = [await upload(server, token), await upload(server, token)]
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query('select from files where id = $1 for update', [json.id])
  const deleted = repeat(4, () => server.request('DELETE', `/v1/files/${json.id}`, { token }))
  await eventually(async () => ((await waiting(pool)) === 4 ? true : undefined))
  await holder.query('commit')
  holder.release()
  t.same(
    (await deleted).map(({ status }) => status),
    [204, 204, 204, 204],
  )
  t.equal((await server.request('DELETE', `/v1/files/${json.id}`, { token })).status, 404, 'as whoever comes later')
  await eventually(async () => ((await objectsIn(server)).length === 2 ? true : undefined))
  t.same((await pool.query('select used_bytes as used from file_usage where user_id = $1', [userId])).rows, [{ used: tinyPng.length }])
})

t.test('an upload and the erasure of its user, at once, do not wait for each other', async (t) => {
  const database = await createTestDatabase()
  t.teardown(database.drop)
  const proxy = await startDatabaseProxy(t, database.url)
  const server = await startServer(t, { databaseUrl: proxy.url })
  const direct = await startServer(t, { databaseUrl: database.url })
  const { pool } = direct.database
  const { accessToken, id } = await direct.signUp()
  t.equal((await upload(direct, accessToken)).status, 201)
  const held = proxy.hold('for key share')
  const uploaded = upload(server, accessToken)
  const { release } = await held
  await pool.query('update users set deletion_at = now() where id = $1', [id])
  const erased = direct.app.services.erasure.erase(id)
  await eventually(async () => ((await waiting(pool)) === 1 ? true : undefined))
  release()
  t.equal((await uploaded).status, 201, 'it came first')
  await erased
  t.same((await pool.query('select (select count(*) from files) as files, (select count(*) from file_usage) as usage')).rows, [{ files: 0, usage: 0 }])
  await eventually(async () => ((await objectsIn(server)).length === 0 ? true : undefined))
  t.equal(
    (await pool.query('select from users where id = $1 and erased_at is not null and deletion_at is null', [id])).rowCount,
    1,
    'and nothing is left to do',
  )
})

t.test('a body that is packed is refused, and not read as something else', async (t) => {
  const server = await startServer(t)
  const { accessToken: token } = await server.signUp()
  const packed = async (encoding: string, body: string | FormData, path: string) => {
    const headers = { 'content-encoding': encoding, ...(typeof body === 'string' && { 'content-type': 'application/json' }) }
    const { status, json } = await server.request('POST', path, { token, body, headers })
    return [status, json.error?.code]
  }
  const form = new FormData()
  form.append('file', new Blob([tinyPng]), 'a.png')
  const group = JSON.stringify({ type: 'group', title: 'Lunch', memberIds: [] })
  for (const encoding of ['gzip', 'BR', 'gzip, identity']) {
    t.same(await packed(encoding, group, '/v1/conversations'), [415, 'unsupported_media_type'], encoding)
    t.same(await packed(encoding, form, '/v1/files'), [415, 'unsupported_media_type'], encoding)
  }
  t.same(await packed('identity', group, '/v1/conversations'), [201, undefined])
  t.same(await packed('identity', form, '/v1/files'), [201, undefined])
})

t.test('who is answered before the end of a body, and never sends it, keeps no connection', async (t) => {
  const server = await startServer(t)
  const { accessToken } = await server.signUp()
  for (const [path, token, status] of [
    ['/v1/files', 'wrong', 401],
    ['/v1/conversations', accessToken, 415],
    ['/v1/nothing', accessToken, 404],
  ] as const) {
    const { answer, closed } = await stall(server, path, token)
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `), path)
    await closed
  }
})

t.test('a signal ends the server whatever uploads are under way', { timeout: 60_000 }, async (t) => {
  const database = await createTestDatabase()
  t.teardown(database.drop)
  const installation = await install(t)
  const server = await installation.start({ env: { DATABASE_URL: database.url } })
  const { api } = await installation.signUp('alice')
  const { accessToken: token } = await api.auth.verifyEmail({ email: 'alice@example.com', code: '000000' })
  const silent = beginUpload(installation, { token, bytes: half })
  const steady = beginUpload(installation, { token, bytes: half })
  const dripping = setInterval(() => steady.socket.writable && steady.send(Buffer.from('.')), 50)
  await eventually(async () => ((await objectsIn(installation)).length === 2 ? true : undefined))
  const toldAt = performance.now()
  server.signal('SIGTERM')
  t.match(await server.ended, { code: 0, stderr: '' })
  t.ok(performance.now() - toldAt < 12_000)
  clearInterval(dripping)
  for (const { socket } of [silent, steady]) socket.destroy()
})
