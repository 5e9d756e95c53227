import { connect } from '@parley/sdk/realtime'
import { sql } from 'drizzle-orm'
import t from 'tap'
import type { ApiKey, ApiKeyScope, CreatedApiKey } from '../../openapi/api-keys/schemas.ts'
import { apiKeyScopes, errorsOf, type Operation } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import { commands } from '../../openapi/realtime/frames.ts'
import type { UserId } from '../../openapi/shared/ids.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'
import { createTestClock, day, eventually, minute, second } from './auth-client.ts'

const clock = createTestClock()
const { url: databaseUrl, drop } = await createTestDatabase()
t.teardown(drop)
const server = await startServer(t, { clock, databaseUrl })
const { pool } = server.database

interface Person {
  accessToken: string
  id: UserId
}

const inAnHour = () => new Date(clock.now().getTime() + 60 * minute).toISOString()

async function create({ accessToken }: Person, fields: { name?: string; scope?: ApiKeyScope; expiresAt?: string } = {}) {
  const { status, json } = await server.request('POST', '/v1/api-keys', { token: accessToken, body: { name: 'Bot', scope: 'write', ...fields } })
  return { status, error: json?.error, ...(json as CreatedApiKey) }
}

async function list({ accessToken }: Person): Promise<ApiKey[]> {
  return (await server.request('GET', '/v1/api-keys', { token: accessToken })).json.items
}

/** More than a user may create within a day. */
const insertKeys = (userId: UserId, count: number, { name = 'Bot', expiresAt }: { name?: string; expiresAt?: string } = {}) =>
  pool.query(
    `insert into api_keys (id, user_id, name, scope, key_hash, hint, created_at, expires_at)
      select id, $1, $2, 'read', id::text, 'none', $3, $4 from (select gen_random_uuid() as id from generate_series(1, $5)) new`,
    [userId, name, clock.now(), expiresAt, count],
  )

const revoke = ({ accessToken }: Person, id: string) => server.request('DELETE', `/v1/api-keys/${id}`, { token: accessToken })

/** Whose key it is, or the error. */
async function whoIs(token: string, { url } = server): Promise<string> {
  const response = await fetch(`${url}/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })
  const body = (await response.json()) as { id: string; error?: { code: string } }
  return body.error?.code ?? body.id
}

async function administrator() {
  const { email, id } = await server.signUp()
  await pool.query("update users set role = 'admin' where id = $1", [id])
  const { accessToken } = await server.client().auth.verifyEmail({ email, code: '000000' })
  return { accessToken, id }
}

const eventsOf = async (userId: UserId): Promise<{ type: string; metadata: object }[]> =>
  (await pool.query("select type, metadata from security_events where user_id = $1 and type like 'api_key%' order by created_at, id", [userId])).rows

t.test('creating a key', async (t) => {
  t.test('shows 256 random bits once and keeps a hash of them', async (t) => {
    const alice = await server.signUp()
    const { status, key, apiKey } = await create(alice, { name: 'Support bot' })
    t.equal(status, 201)
    t.match(key, /^pk_[A-Za-z0-9_-]{43}$/)
    t.match(apiKey, { name: 'Support bot', scope: 'write', hint: key.slice(-4), lastUsedAt: null, expiresAt: null })
    t.notOk(JSON.stringify(await list(alice)).includes(key))
    const { rows } = await pool.query("select count(*) from api_keys where to_jsonb(api_keys)::text like '%' || $1 || '%'", [key.slice(3, -4)])
    t.equal(rows[0].count, 0)
    t.equal(await whoIs(key), alice.id)
    t.same(await eventsOf(alice.id), [{ type: 'api_key_created', metadata: { apiKeyId: apiKey.id, scope: 'write' } }])
  })

  t.test('is told to its user by mail, in words that whoever made it has not chosen', async (t) => {
    const alice = await server.signUp()
    const expiresAt = inAnHour()
    const { key, apiKey } = await create(alice, { name: 'Visit https://evil.example', scope: 'read', expiresAt })
    const mail = await eventually(async () =>
      (await server.mails()).find(({ to, subject }) => to?.[0]?.address === alice.email && /API key/.test(subject ?? '')),
    )
    t.match(mail.text, new RegExp(`Ends in:  ${apiKey.hint}\\s+Scope:    read\\s+Expires:  ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`))
    t.match(mail.text, /Address: {2}127\.0\.0\.1/)
    t.notOk(mail.text?.includes(key) || mail.text?.includes('evil'))
  })

  t.test('that is refused is told to nobody', async (t) => {
    const alice = await server.signUp()
    t.equal((await create(alice, { scope: 'admin' })).status, 403)
    const { rows } = await pool.query("select from jobs.job where name = 'auth.mailNewCredential' and data->>'userId' = $1", [alice.id])
    t.equal(rows.length, 0)
  })

  t.test('is for administrators only with the scope `admin`', async (t) => {
    const alice = await server.signUp()
    t.match(await create(alice, { scope: 'admin' }), { status: 403, error: { code: 'forbidden' } })
    t.equal((await create(await administrator(), { scope: 'admin' })).status, 201)
    t.same(await list(alice), [])
  })

  t.test('takes an expiry in the future, of a day that exists', async (t) => {
    const alice = await server.signUp()
    for (const expiresAt of [clock.now().toISOString(), '2016-12-31T23:59:60Z', '9999-12-31T23:59:59-14:00']) {
      t.match(await create(alice, { expiresAt }), { status: 400, error: { code: 'validation_error', details: [{ field: 'body.expiresAt' }] } }, expiresAt)
    }
    const expiresAt = inAnHour()
    t.equal((await create(alice, { expiresAt })).apiKey.expiresAt, expiresAt)
  })

  t.test('is possible for 50 at a time, also when several are created at once; what is revoked or expired makes room', async (t) => {
    const alice = await server.signUp()
    await insertKeys(alice.id, 44)
    const made = [await create(alice, { expiresAt: inAnHour() }), await create(alice)]
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(alice)))
    t.same(answers.map(({ status }) => status).toSorted(), [201, 201, 201, 201, 409, 409, 409, 409])
    t.match(await create(alice), { status: 409, error: { code: 'conflict' } })
    await revoke(alice, made[1]?.apiKey.id ?? '')
    t.equal((await create(alice)).status, 201)
    t.equal((await create(alice)).status, 409)
    clock.advance(60 * minute)
    const { accessToken } = await server.client().auth.verifyEmail({ email: alice.email, code: '000000' })
    t.equal((await create({ accessToken, id: alice.id })).status, 201)
  })

  t.test('is possible 20 times within 24 hours, also at once, whatever was revoked meanwhile, and is not told by mail beyond that', async (t) => {
    const alice = await server.signUp()
    const again = async () => ({ ...(await server.client().auth.verifyEmail({ email: alice.email, code: '000000' })), id: alice.id })
    for (let times = 0; times < 15; times++) await revoke(alice, (await create(alice)).apiKey.id)
    clock.advance(60 * minute)
    // By this the rows of the revoked ones go.
    await create(await server.signUp())
    const later = await again()
    t.same(await list(later), [])
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(later)))
    t.same(answers.map(({ status }) => status).toSorted(), [201, 201, 201, 201, 201, 409, 409, 409])
    const { rows } = await pool.query("select from jobs.job where name = 'auth.mailNewCredential' and data->>'userId' = $1", [alice.id])
    t.equal(rows.length, 20)
    clock.advance(23 * 60 * minute - minute)
    t.match(await create(await again()), { status: 409, error: { code: 'conflict', message: /24 hours/ } })
    clock.advance(2 * minute)
    t.equal((await create(await again())).status, 201)
  })

  t.test('cannot be done by a key, whatever its scope, nor can keys be listed or revoked', async (t) => {
    const admin = await administrator()
    const { key, apiKey } = await create(admin, { scope: 'admin' })
    const byKey = { accessToken: key, id: admin.id }
    t.match(await create(byKey), { status: 403, error: { code: 'insufficient_scope' } })
    t.equal((await server.request('GET', '/v1/api-keys', { token: key })).json.error.code, 'insufficient_scope')
    t.equal((await revoke(byKey, apiKey.id)).json.error.code, 'insufficient_scope')
  })

  t.test('is refused to whoever is being suspended or deleted meanwhile', async (t) => {
    for (const column of ['suspended_at', 'deletion_at', 'erased_at']) {
      const alice = await server.signUp()
      await pool.query(`update users set ${column} = now() where id = $1`, [alice.id])
      t.equal((await create(alice)).status, 401, column)
    }
  })
})

t.test('keys are listed in pages, the newest first, without the revoked ones and those of others', async (t) => {
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  for (const name of ['a', 'b', 'c', 'd']) await create(alice, { name })
  await create(bob, { name: 'of somebody else' })
  const [, third] = await list(alice)
  await revoke(alice, third?.id ?? '')
  t.same(
    (await list(alice)).map(({ name }) => name),
    ['d', 'b', 'a'],
  )
  const page = async (search: string) => (await server.request('GET', `/v1/api-keys${search}`, { token: alice.accessToken })).json
  const first = await page('?limit=2')
  const last = await page(`?limit=2&cursor=${first.nextCursor}`)
  t.match([first.items.length, first.hasMore], [2, true])
  t.match([last.items.map(({ name }: ApiKey) => name), last.hasMore, last.nextCursor], [['a'], false, null])
  for (const cursor of ['abc', Buffer.from('[1e300,"x"]').toString('base64url')]) t.equal((await page(`?cursor=${cursor}`)).error.code, 'validation_error')
})

t.test('what has ended', async (t) => {
  const again = async ({ email, id }: { email: string; id: UserId }) => {
    const { accessToken } = await server.client().auth.verifyEmail({ email, code: '000000' })
    return { accessToken, id }
  }

  t.test('is forgotten soon when it was revoked, whoever creates the next one', async (t) => {
    const [alice, bob] = [await server.signUp(), await server.signUp()]
    for (let times = 0; times < 3; times++) {
      const { apiKey } = await create(alice)
      await revoke(alice, apiKey.id)
    }
    clock.advance(30 * minute)
    await create(await again(bob))
    t.same((await pool.query('select from api_keys where user_id = $1', [alice.id])).rows, [])
  })

  t.test('is listed for 30 days when it has expired, the last 50', async (t) => {
    const alice = await server.signUp()
    const expiring = async (name: string) => {
      await insertKeys(alice.id, 26, { name, expiresAt: new Date(clock.now().getTime() + 3 * minute).toISOString() })
      clock.advance(3 * minute)
    }
    const names = async (person: Person) => {
      const { json } = await server.request('GET', '/v1/api-keys?limit=100', { token: person.accessToken })
      return json.items.map(({ name }: ApiKey) => name).join('')
    }
    await expiring('a')
    await expiring('b')
    await create(alice, { name: 'c' })
    t.equal(await names(alice), `c${'b'.repeat(26)}${'a'.repeat(24)}`)
    clock.advance(29 * day)
    const later = await again(alice)
    await create(later, { name: 'd' })
    t.equal(await names(later), `dc${'b'.repeat(26)}${'a'.repeat(24)}`)
    clock.advance(day)
    const last = await again(alice)
    t.equal(await names(last), 'dc', 'whether or not another is created')
    await create(last, { name: 'e' })
    t.equal(await names(last), 'edc')
  })
})

t.test('revoking a key', async (t) => {
  t.test('ends it at once, on every process, with its sockets', async (t) => {
    const alice = await server.signUp()
    const other = await startServer(t, { clock, databaseUrl })
    const { key, apiKey } = await create(alice)
    t.same([await whoIs(key), await whoIs(key, other)], [alice.id, alice.id])
    const [here, there] = [await server.socket(key), await other.socket(key)]
    t.equal((await revoke(alice, apiKey.id)).status, 204)
    t.equal(await whoIs(key), 'unauthorized')
    t.same([(await here.closed).code, (await there.closed).code], [4401, 4401])
    t.equal(await whoIs(key, other), 'unauthorized')
    await t.rejects(server.socket(key), /401/)
    t.same((await eventsOf(alice.id)).at(-1), { type: 'api_key_revoked', metadata: { apiKeyId: apiKey.id } })
  })

  t.test('holds though the key was being looked up meanwhile', async (t) => {
    const alice = await server.signUp()
    const proxy = await startDatabaseProxy(t, databaseUrl)
    const slow = await startServer(t, { clock, databaseUrl: proxy.url })
    const { key, apiKey } = await create(alice)
    const held = proxy.hold('"api_keys"."key_hash" in')
    const answer = whoIs(key, slow)
    const lookup = await held
    const told = new Promise((resolve) => t.teardown(slow.app.topics.subscribe('credential', apiKey.id, resolve)))
    await revoke(alice, apiKey.id)
    await told
    lookup.release()
    t.equal(await answer, 'unauthorized')
    t.equal(await whoIs(key, slow), 'unauthorized')
  })

  t.test('holds after a restart, also of a key that was revoked long ago', async (t) => {
    const alice = await server.signUp()
    const { key, apiKey } = await create(alice)
    await revoke(alice, apiKey.id)
    t.equal(await whoIs(key, await startServer(t, { clock, databaseUrl })), 'unauthorized')
    clock.advance(day)
    t.equal(await whoIs(key), 'unauthorized')
  })

  t.test("is not found for somebody else's key, one that there is not, and one that is revoked", async (t) => {
    const [alice, bob] = [await server.signUp(), await server.signUp()]
    const { key, apiKey } = await create(alice)
    const answers = [await revoke(bob, apiKey.id), await revoke(bob, crypto.randomUUID())]
    t.equal(await whoIs(key), alice.id)
    const once = await revoke(alice, apiKey.id)
    t.equal(once.status, 204)
    answers.push(await revoke(alice, apiKey.id))
    for (const { status, json } of answers) t.match([status, json.error], [404, { code: 'not_found', message: answers[0]?.json.error.message }])
    t.equal((await eventsOf(alice.id)).length, 2, 'and is written down once')
  })
})

t.test('a key', async (t) => {
  t.test('is taken as bearer token and in X-Api-Key; one that is none of ours is as no credentials', async (t) => {
    const alice = await server.signUp()
    const { key } = await create(alice)
    const inHeader = (value: string) => server.request('GET', '/v1/auth/me', { headers: { 'x-api-key': value } })
    t.equal((await inHeader(key)).json.id, alice.id)
    const { accessToken } = alice
    for (const wrong of [`pk_${'A'.repeat(43)}`, `${key}A`, key.slice(0, -1), `${key.slice(0, -1)}!`, key.slice(3), 'pk_', accessToken]) {
      t.equal((await inHeader(wrong)).json.error.code, 'unauthorized', wrong)
      if (wrong !== accessToken) t.equal(await whoIs(wrong), 'unauthorized', wrong)
    }
  })

  t.test('ends when it expires, with its sockets', async (t) => {
    const alice = await server.signUp()
    const { key } = await create(alice, { expiresAt: inAnHour() })
    clock.advance(59 * minute)
    t.equal(await whoIs(key), alice.id)
    const socket = await server.socket(key)
    clock.advance(minute)
    t.equal(await whoIs(key), 'unauthorized')
    t.equal((await socket.closed).code, 4401)
  })

  t.test('tells when it was used last, to a minute', async (t) => {
    const alice = await server.signUp()
    const { key } = await create(alice)
    const { accessToken } = alice
    const used = async (after = 0) => {
      const { lastUsedAt } = (await list({ accessToken, id: alice.id }))[0] ?? {}
      return lastUsedAt && Date.parse(lastUsedAt) > after ? Date.parse(lastUsedAt) : undefined
    }
    await whoIs(key)
    const first = await eventually(() => used())
    clock.advance(30 * second)
    await whoIs(key)
    clock.advance(31 * second)
    const before = clock.now().getTime()
    await whoIs(key)
    t.ok((await eventually(() => used(first))) >= before, 'what was within a minute was not written')
  })

  t.test('is known for a minute without the database, and what was never read is not', async (t) => {
    const alice = await server.signUp()
    const [known, unread] = [await create(alice), await create(alice)]
    await whoIs(known.key)
    await pool.query('alter table api_keys rename to lost_api_keys')
    t.teardown(() => pool.query('alter table if exists lost_api_keys rename to api_keys'))
    clock.advance(59 * second)
    t.equal(await whoIs(known.key), alice.id)
    t.equal(await whoIs(unread.key), 'internal_error')
    t.equal((await server.request('GET', '/health', { token: unread.key })).status, 200, 'and what is public asks nobody')
    clock.advance(2 * second)
    t.equal(await whoIs(known.key), 'internal_error')
    await pool.query('alter table lost_api_keys rename to api_keys')
    t.equal(await whoIs(known.key), alice.id)
  })

  t.test('does not work while its user is suspended', async (t) => {
    const alice = await server.signUp()
    const { key } = await create(alice)
    await pool.query('update users set suspended_at = now() where id = $1', [alice.id])
    t.equal(await whoIs(key), 'unauthorized')
    await pool.query('update users set suspended_at = null where id = $1', [alice.id])
    t.equal(await whoIs(key), alice.id)
  })

  t.test('ends with the account of its user, for ever', async (t) => {
    const alice = await server.signUp()
    const { key } = await create(alice)
    t.equal(await whoIs(key), alice.id)
    await pool.query('update users set deletion_at = $2 where id = $1', [alice.id, clock.now()])
    await server.app.services.erasure.erase(alice.id)
    t.equal(await whoIs(key), 'unauthorized')
    await pool.query('update users set erased_at = null where id = $1', [alice.id])
    clock.advance(2 * minute)
    t.equal(await whoIs(key), 'unauthorized', 'it is the key that has ended, whatever becomes of the account')
    t.equal(await whoIs(key, await startServer(t, { clock, databaseUrl })), 'unauthorized')
  })

  t.test('stops when its user is suspended though it was being looked up meanwhile', async (t) => {
    const alice = await server.signUp()
    const proxy = await startDatabaseProxy(t, databaseUrl)
    const slow = await startServer(t, { clock, databaseUrl: proxy.url })
    const { key, apiKey } = await create(alice)
    const held = proxy.hold('"api_keys"."key_hash" in')
    const answer = whoIs(key, slow)
    const lookup = await held
    const told = new Promise((resolve) => t.teardown(slow.app.topics.subscribe('credential', apiKey.id, resolve)))
    await server.database.db.transaction(async (tx) => {
      await tx.execute(sql`update users set suspended_at = now() where id = ${alice.id}`)
      await server.app.services.apiKeys.forgetWithin({ userId: alice.id }, tx)
    })
    await told
    lookup.release()
    t.equal(await answer, 'unauthorized')
  })

  t.test('of scope `admin` is refused what administrators do when its user is none any more, within a minute or as soon as it is told', async (t) => {
    const admin = await administrator()
    const { key } = await create(admin, { scope: 'admin' })
    const auditLog = async () => (await server.request('GET', '/v1/admin/audit-log', { token: key })).status
    const setRole = (role: string) => pool.query('update users set role = $2 where id = $1', [admin.id, role])
    t.equal(await auditLog(), 200)
    await setRole('user')
    clock.advance(minute)
    t.equal(await auditLog(), 403)
    t.equal(await whoIs(key), admin.id)
    await setRole('admin')
    clock.advance(minute)
    t.equal(await auditLog(), 200)

    const { apiKeys } = server.app.services
    const other = await startServer(t, { clock, databaseUrl })
    const socket = await other.socket(key)
    await setRole('user')
    apiKeys.tellForgotten(await server.database.db.transaction((tx) => apiKeys.forgetWithin({ userId: admin.id }, tx)))
    t.equal(await auditLog(), 403)
    t.equal((await socket.closed).code, 4401, 'its sockets are to come back')
    t.ok(await other.socket(key))
  })

  t.test('acts as an administrator with the scope `admin` only', async (t) => {
    const [admin, bob] = [await administrator(), await server.signUp()]
    const events = async (token: string) => (await server.request('GET', `/v1/security/events?userId=${bob.id}`, { token })).status
    t.equal(await events(admin.accessToken), 200)
    t.equal(await events((await create(admin, { scope: 'admin' })).key), 200)
    t.equal(await events((await create(admin, { scope: 'write' })).key), 404)
  })

  t.test('ends with all others of its user when that is asked for, and no sooner than the transaction commits', async (t) => {
    const [alice, bob] = [await server.signUp(), await server.signUp()]
    const keys = [await create(alice), await create(alice, { scope: 'read' })]
    const ofBob = await create(bob)
    const { apiKeys } = server.app.services
    const { db } = server.database
    const gaveUp = db.transaction(async (tx) => {
      await apiKeys.endWithin({ userId: alice.id }, tx)
      throw new Error('gave up')
    })
    await t.rejects(gaveUp, /gave up/)
    for (const { key } of keys) t.equal(await whoIs(key), alice.id)
    apiKeys.tell(await db.transaction((tx) => apiKeys.endWithin({ userId: alice.id }, tx)))
    for (const { key } of keys) t.equal(await whoIs(key), 'unauthorized')
    t.equal(await whoIs(ofBob.key), bob.id)
    t.same(await list(alice), [])
    t.equal((await eventsOf(alice.id)).filter(({ type }) => type === 'api_key_revoked').length, 2)
  })
})

t.test('scopes', async (t) => {
  const admin = await administrator()
  const keys = new Map<ApiKeyScope, string>()
  for (const scope of apiKeyScopes) keys.set(scope, (await create(admin, { scope })).key)

  /** The rule in words of the test's own. */
  const mayCall = (scope: ApiKeyScope, { access, method, readOnly }: Operation): boolean => {
    if (access === 'public') return true
    if (access === 'session') return false
    if (access === 'admin') return scope === 'admin'
    return scope !== 'read' || method === 'GET' || readOnly === true
  }

  for (const scope of apiKeyScopes) {
    t.test(`a key of scope ${scope} may call what its scope allows of all operations, and nothing else`, async (t) => {
      const token = keys.get(scope) ?? ''
      for (const operation of allOperations) {
        const path = operation.path.replace(/\{\w+\}/g, () => crypto.randomUUID())
        const { json } = await server.request(operation.method, path, { token })
        t.equal(json?.error?.code === 'insufficient_scope', !mayCall(scope, operation), operation.operationId)
      }
    })
  }

  t.test('are declared where they can be too narrow', async (t) => {
    for (const operation of allOperations) {
      const mayBeTooNarrow = apiKeyScopes.some((scope) => !mayCall(scope, operation))
      t.equal(errorsOf(operation).includes('insufficient_scope'), mayBeTooNarrow, operation.operationId)
    }
  })

  t.test('hold on the socket: a key that may only read listens and resumes, and says nothing else', async (t) => {
    const { conversation } = await server.client({ accessToken: admin.accessToken }).conversations.create({ type: 'group', memberIds: [] })
    const data: Record<string, object> = {
      'conversations.sendMessage': { conversationId: conversation.id, content: 'Hello' },
      'conversations.markRead': { conversationId: conversation.id, seq: 1 },
      'conversations.markDelivered': { conversationId: conversation.id, seq: 1 },
      subscribe: { conversationIds: [conversation.id] },
      unsubscribe: { conversationIds: [conversation.id] },
      'conversations.setTyping': { conversationId: conversation.id, typing: true },
      resume: { cursors: { [conversation.id]: 0 } },
      ping: {},
    }
    const refused = {
      read: ['conversations.markDelivered', 'conversations.markRead', 'conversations.sendMessage', 'conversations.setTyping'],
      write: [],
      admin: [],
    }
    for (const scope of apiKeyScopes) {
      const socket = await server.socket(keys.get(scope) ?? '')
      const found: string[] = []
      for (const [id, { type }] of commands.entries()) {
        socket.send({ type, id, data: data[type] })
        const answer = await socket.frame((frame) => frame.id === id)
        if (answer.error?.code === 'insufficient_scope') found.push(type)
        else t.equal(answer.type, 'ack', `${scope}: ${type}`)
      }
      t.same(found.toSorted(), refused[scope], scope)
    }
  })
})

t.test('a socket takes a key as its token and in X-Api-Key, and not in the address, which ends up in logs', async (t) => {
  const alice = await server.signUp()
  const { key } = await create(alice)
  t.ok(await server.socket(key))
  t.equal((await server.request('GET', `/v1/ws?token=${key}`)).status, 401)
  t.equal((await server.request('GET', '/v1/ws', { headers: { 'x-api-key': key } })).status, 426)
})

t.test('the SDK acts by a key, over REST and realtime, until it is revoked', async (t) => {
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const { apiKey, key } = await alice.api.apiKeys.create({ name: 'Bot', scope: 'write' })
  const bot = server.client({ apiKey: key })
  const { conversation } = await bot.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const realtime = connect(bot)
  t.teardown(() => realtime.close())
  await realtime.ready()
  const heard = new Promise<string>((resolve) => realtime.on('message.created', ({ data }) => resolve(data.message.content ?? '')))
  await bob.api.conversations.sendMessage(conversation.id, { content: 'Hello' })
  t.equal(await heard, 'Hello')
  t.equal((await realtime.sendMessage(conversation.id, { content: 'Hello yourself' })).senderId, alice.id)

  const signedOut = new Promise<string>((resolve) => realtime.on('signedOut', ({ error }) => resolve(error.code)))
  await alice.api.apiKeys.revoke(apiKey.id)
  t.equal(await signedOut, 'unauthorized')
  await t.rejects(bot.auth.me(), { code: 'unauthorized' })
})
