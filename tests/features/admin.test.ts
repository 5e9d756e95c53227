import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { UserId } from '../../openapi/shared/ids.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { install } from '../helpers/process.ts'
import { type Options, startServer, type TestServer } from '../helpers/server.ts'
import { createTestClock, eventually, repeat } from './auth-client.ts'

const first = { ADMIN_EMAIL: 'root@example.com', ADMIN_PASSWORD: 'a very long sentence' }
// The last ones start processes.
t.setTimeout(180_000)

const unknown = '01890a5d-ac96-774b-bcce-b302099a8057'

type Person = Awaited<ReturnType<TestServer['signUp']>>

/** A server with somebody who administers it. */
async function start(t: Pick<Test, 'teardown'>, options: Options = {}) {
  const server = await startServer(t, { env: first, ...options })
  const { pool } = server.database
  const signInAdmin = () => server.client().auth.login({ identifier: first.ADMIN_EMAIL, password: first.ADMIN_PASSWORD })
  const { accessToken: token, user } = await signInAdmin()

  return {
    ...server,
    pool,
    token,
    signInAdmin,
    adminId: user.id as UserId,
    update: (userId: string, body: object, as = token) => server.request('PATCH', `/v1/users/${userId}`, { token: as, body }),
    remove: (userId: string, body: object = {}, as = token) => server.request('DELETE', `/v1/users/${userId}`, { token: as, body }),
    create: (body: object, as = token) => server.request('POST', '/v1/users', { token: as, body }),
    get: (userId: string) => server.request('GET', `/v1/admin/users/${userId}`, { token }),
    list: (search = '') => server.request('GET', `/v1/admin/users${search}`, { token }),
    me: (token: string) => server.request('GET', '/v1/users/me', { token }),
    auditOf: async (userId: string) =>
      (await pool.query('select action, actor_id, ip, reason, metadata from audit_log where target_id = $1 order by id', [userId])).rows,
    eventTypes: async (userId: string) =>
      (await pool.query<{ type: string }>('select type from security_events where user_id = $1 order by id', [userId])).rows.map(({ type }) => type),
    /** Another administrator. */
    async signUpAdmin() {
      const person = await server.signUp()
      await pool.query("update users set role = 'admin' where id = $1", [person.id])
      const { accessToken } = await person.api.auth.verifyEmail({ email: person.email, code: '000000' })
      return { ...person, accessToken }
    },
  }
}

t.test('whoever is no administrator administrates nothing', async (t) => {
  const { signUp, create, update, remove, request, pool } = await start(t)
  const [alice, bob] = [await signUp(), await signUp()]
  const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'write' })
  const acts = [
    (as: string) => create({ email: 'new@example.com' }, as),
    (as: string) => update(bob.id, { role: 'admin' }, as),
    (as: string) => update(alice.id, { role: 'admin' }, as),
    (as: string) => remove(bob.id, {}, as),
    (as: string) => request('GET', '/v1/admin/users', { token: as }),
    (as: string) => request('GET', `/v1/admin/users/${bob.id}`, { token: as }),
    (as: string) => request('GET', `/v1/admin/users/${unknown}`, { token: as }),
    (as: string) => request('POST', `/v1/admin/users/${bob.id}/revoke-sessions`, { token: as, body: {} }),
  ]
  for (const act of acts) {
    t.equal((await act(alice.accessToken)).json.error.code, 'forbidden')
    t.equal((await act('')).json.error.code, 'unauthorized')
    t.equal((await act(key)).json.error.code, 'insufficient_scope')
  }
  t.equal((await pool.query("select count(*) from users where role = 'admin'")).rows[0].count, 1)
})

t.test('creating a user', async (t) => {
  const { create, auditOf, adminId, mails, request, token } = await start(t)

  t.test('mails a code to sign in with, and is on record', async (t) => {
    const { status, json } = await create({ email: 'Bob@example.com', displayName: 'Bob', reason: 'Hired' })
    t.equal(status, 201)
    t.match(json, { email: 'bob@example.com', displayName: 'Bob', role: 'user', emailVerified: false, hasPassword: false, deleted: false, suspendedAt: null })
    const mail = await eventually(async () => (await mails()).find(({ to }) => to?.[0]?.address === 'bob@example.com'))
    const code = /^\d{6}$/m.exec(mail.text ?? '')?.[0]
    t.equal((await request('POST', '/v1/auth/verify-email', { body: { email: 'bob@example.com', code } })).status, 200)
    t.match(await auditOf(json.id), [{ action: 'user.create', actor_id: adminId, ip: '127.0.0.1', reason: 'Hired', metadata: { role: 'user' } }])
  })

  t.test('with a role and a verified address makes that', async (t) => {
    const { json } = await create({ email: 'second@example.com', role: 'admin', emailVerified: true, phone: '+442079460000' })
    t.match(json, { role: 'admin', emailVerified: true, phone: '+442079460000' })
  })

  t.test('is a conflict for an address or a username that is taken, and leaves no trace', async (t) => {
    await create({ email: 'taken@example.com', username: 'taken' })
    const before = (await request('GET', '/v1/admin/audit-log?limit=100', { token })).json.items.length
    t.equal((await create({ email: 'TAKEN@example.com' })).json.error.code, 'conflict')
    t.equal((await create({ email: 'other@example.com', username: 'Taken' })).json.error.code, 'conflict')
    t.equal((await create({ email: 'other@example.com', password: 'no field of this' })).json.error.code, 'validation_error')
    t.equal((await request('GET', '/v1/admin/audit-log?limit=100', { token })).json.items.length, before)
  })
})

t.test('changing a user', async (t) => {
  const { signUp, update, auditOf, eventTypes, adminId, token, me, socket, request, signUpAdmin, get, pool } = await start(t)

  t.test('names the fields in the audit log and not what is in them; what changes nothing is not in it', async (t) => {
    const alice = await signUp()
    const { status, json } = await update(alice.id, { displayName: 'Alice', phone: '+442079460000', reason: 'Asked by phone' })
    t.equal(status, 200)
    t.match(json, { displayName: 'Alice', phone: '+442079460000' })
    t.equal((await update(alice.id, { displayName: 'Alice', role: 'user', suspended: false })).status, 200)
    t.match(await update(alice.id, { reason: 'Just so' }), { status: 400, json: { error: { code: 'validation_error' } } }, 'a reason alone is for nothing')
    const entries = await auditOf(alice.id)
    t.match(entries, [{ action: 'user.update', actor_id: adminId, ip: '127.0.0.1', reason: 'Asked by phone', metadata: { fields: 'displayName, phone' } }])
    t.equal(entries.length, 1)
    t.equal((await me(alice.accessToken)).status, 200, 'and ends no session')
  })

  t.test('to another role ends all sessions, and is known to the user and to the record', async (t) => {
    const alice = await signUp()
    const open = await socket(alice.accessToken)
    t.match((await update(alice.id, { role: 'admin', reason: 'Promoted' })).json, { role: 'admin' })
    await open.closed
    t.equal((await me(alice.accessToken)).status, 401)
    t.match(await auditOf(alice.id), [{ action: 'user.change_role', reason: 'Promoted', metadata: { from: 'user', to: 'admin' } }])
    t.ok((await eventTypes(alice.id)).includes('role_changed'))
    const { accessToken } = await alice.api.auth.verifyEmail({ email: alice.email, code: '000000' })
    t.equal((await request('GET', '/v1/admin/users', { token: accessToken })).status, 200, 'who signs in again has the new role')
  })

  t.test('who was demoted has no power left, neither by a token nor by a key', async (t) => {
    const admin = await signUpAdmin()
    const { json } = await request('POST', '/v1/api-keys', { token: admin.accessToken, body: { name: 'A program', scope: 'admin' } })
    t.equal((await request('GET', '/v1/admin/users', { token: json.key })).status, 200)
    await update(admin.id, { role: 'user' })
    t.equal((await request('GET', '/v1/admin/users', { token: admin.accessToken })).status, 401)
    t.equal((await request('GET', '/v1/admin/users', { token: json.key })).json.error.code, 'forbidden')
  })

  t.test('suspends: no session, no key, no signing in, until it is lifted', async (t) => {
    const alice = await signUp()
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'read' })
    t.equal((await me(key)).status, 200)
    const open = await socket(alice.accessToken)
    t.ok((await update(alice.id, { suspended: true, reason: 'Spam' })).json.suspendedAt)
    await open.closed
    t.equal((await me(alice.accessToken)).status, 401)
    t.equal((await me(key)).status, 401)
    const signIn = () => request('POST', '/v1/auth/verify-email', { body: { email: alice.email, code: '000000' } })
    t.equal((await signIn()).json.error.code, 'account_suspended')
    t.equal((await update(alice.id, { suspended: false, reason: 'An error' })).json.suspendedAt, null)
    t.equal((await signIn()).status, 200)
    t.equal((await me(key)).status, 200)
    t.match(await auditOf(alice.id), [
      { action: 'user.suspend', reason: 'Spam', actor_id: adminId },
      { action: 'user.unsuspend', reason: 'An error', actor_id: adminId },
    ])
    t.match(
      (await eventTypes(alice.id)).filter((type) => type.startsWith('user_')),
      ['user_suspended', 'user_unsuspended'],
    )
  })

  t.test('ends the sessions of a user, who may sign in again; keys go on', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'read' })
    await alice.api.auth.verifyEmail({ email: alice.email, code: '000000' })
    const open = await socket(alice.accessToken)
    const revoke = (userId: string) => request('POST', `/v1/admin/users/${userId}/revoke-sessions`, { token, body: { reason: 'Stolen' } })
    t.same((await revoke(alice.id)).json, { revokedCount: 2 })
    await open.closed
    t.same([(await me(alice.accessToken)).status, (await me(key)).status, (await me(bob.accessToken)).status], [401, 200, 200])
    t.same((await revoke(alice.id)).json, { revokedCount: 0 })
    t.equal((await revoke(unknown)).json.error.code, 'not_found')
    t.equal((await request('POST', '/v1/auth/verify-email', { body: { email: alice.email, code: '000000' } })).status, 200)
    t.match(await auditOf(alice.id), [
      { action: 'user.revoke_sessions', reason: 'Stolen', actor_id: adminId, metadata: { revokedCount: 2 } },
      { action: 'user.revoke_sessions', metadata: { revokedCount: 0 } },
    ])
    t.equal((await eventTypes(alice.id)).filter((type) => type === 'sessions_revoked').length, 2)
  })

  t.test('is all or nothing', async (t) => {
    const [alice, bob] = [await signUp(), await signUp()]
    await update(bob.id, { username: 'taken' })
    t.equal((await update(alice.id, { role: 'admin', suspended: true, username: 'Taken' })).json.error.code, 'conflict')
    t.match((await get(alice.id)).json, { role: 'user', suspendedAt: null, username: null })
    t.same(await auditOf(alice.id), [])
    t.equal((await me(alice.accessToken)).status, 200)
  })

  t.test('is not done when it is answered as failed because nothing can be learned of their presence', async (t) => {
    const alice = await signUp()
    await pool.query('alter table online_users rename to online_users_away')
    t.teardown(() => pool.query('alter table if exists online_users_away rename to online_users'))
    t.equal((await update(alice.id, { displayName: 'Alice', suspended: true })).status, 500)
    await pool.query('alter table online_users_away rename to online_users')
    t.match((await get(alice.id)).json, { displayName: null, suspendedAt: null })
    t.same(await auditOf(alice.id), [])
  })

  t.test('takes nothing that is not named, and knows nobody who is not there', async (t) => {
    const alice = await signUp()
    for (const body of [{ emailVerified: false }, { email: 'x@example.com' }, { deletionAt: null }, { role: 'root' }, { timezone: 'Moon/Far' }, {}])
      t.equal((await update(alice.id, body)).json.error.code, 'validation_error', JSON.stringify(body))
    t.equal((await update(unknown, { suspended: true })).json.error.code, 'not_found')
  })

  t.test('holds on other servers too, at once', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const [one, two] = [await start(t, { databaseUrl }), await start(t, { databaseUrl })]
    const alice = await one.signUp()
    const { key } = await alice.api.apiKeys.create({ name: 'A program', scope: 'read' })
    const open = await two.socket(alice.accessToken)
    t.equal((await two.me(key)).status, 200)
    await one.update(alice.id, { suspended: true })
    await open.closed
    t.equal((await two.me(alice.accessToken)).status, 401)
    await eventually(async () => ((await two.me(key)).status === 401 ? true : undefined))
  })
})

t.test('the last administrator stays one', async (t) => {
  const { update, remove, adminId, signUpAdmin, signUp, request, token, pool } = await start(t)
  for (const act of [() => update(adminId, { role: 'user' }), () => update(adminId, { suspended: true }), () => remove(adminId)])
    t.equal((await act()).json.error.code, 'conflict')
  t.equal((await request('DELETE', '/v1/users/me', { token, body: { confirmEmail: first.ADMIN_EMAIL } })).json.error.code, 'conflict')
  t.equal((await update(adminId, { displayName: 'Root' })).status, 200, 'whatever else is changed')

  t.test('where the others cannot sign in', async (t) => {
    const others = await Promise.all(Array.from({ length: 4 }, () => signUp()))
    const states = ['suspended_at = now()', "deletion_at = now() + interval '1 day'", 'erased_at = now()', 'email_verified_at = null']
    for (const [index, { id }] of others.entries()) await pool.query(`update users set role = 'admin', ${states[index]} where id = $1`, [id])
    t.equal((await update(adminId, { role: 'user' })).json.error.code, 'conflict')
  })

  t.test('when two end each other at once: the second is refused', async (t) => {
    for (const change of [{ role: 'user' }, { suspended: true }]) {
      await pool.query("update users set role = 'user'")
      const [one, two] = [await signUpAdmin(), await signUpAdmin()]
      // Both have done all but the record of it when it is let go.
      const client = await pool.connect()
      await client.query('begin; lock table audit_log in exclusive mode')
      const acts = [update(one.id, change, two.accessToken), update(two.id, change, one.accessToken)]
      await eventually(async () => {
        const { rows } = await pool.query("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
        return rows[0].count >= 2 ? true : undefined
      })
      await client.query('rollback')
      client.release()
      t.same((await Promise.all(acts)).map(({ status }) => status).sort(), [200, 409])
      const { rows } = await pool.query("select id from users where role = 'admin' and suspended_at is null")
      t.equal(rows.length, 1)
    }
  })
})

t.test('deleting a user', async (t) => {
  const { signUp, remove, auditOf, get, list, update, me, pool, adminId, socket, request } = await start(t)

  t.test('ends all access and erases at once; it cannot be undone, and doing it again changes nothing', async (t) => {
    const alice = await signUp()
    const open = await socket(alice.accessToken)
    const { status, json } = await remove(alice.id, { reason: 'Asked by letter' })
    t.equal(status, 202)
    await open.closed
    t.equal((await me(alice.accessToken)).status, 401)
    const { json: refusal } = await request('POST', '/v1/auth/verify-email', { body: { email: alice.email, code: '000000' } })
    t.ok(['account_suspended', 'invalid_code'].includes(refusal.error.code), 'as it is being erased, or as nobody has the address')
    const erased = await eventually(async () => {
      const { json } = await get(alice.id)
      return json.deleted && json.deletionAt === null ? json : undefined
    })
    t.match(erased, { email: `${alice.id}@deleted.invalid`, displayName: null, role: 'user' })
    const again = await remove(alice.id)
    t.equal(again.status, 202)
    t.ok(Date.parse(again.json.deletionAt) - Date.parse(json.deletionAt) < 60_000)
    t.match(await auditOf(alice.id), [{ action: 'user.delete', actor_id: adminId, reason: 'Asked by letter' }])
    t.equal((await auditOf(alice.id)).length, 1)
    t.equal((await update(alice.id, { displayName: 'Back' })).json.error.code, 'conflict')
    t.notOk(
      (await list('?limit=100')).json.items.some(({ id }: { id: string }) => id === alice.id),
      'erased accounts are not listed',
    )
  })

  t.test('who is not there is not found', async (t) => {
    t.equal((await remove(unknown)).json.error.code, 'not_found')
    t.equal((await get(unknown)).json.error.code, 'not_found')
  })

  t.test('does not wait for the 30 days of who asked for it, and keeps to what was asked several times at once', async (t) => {
    const alice = await signUp()
    await request('DELETE', '/v1/users/me', { token: alice.accessToken, body: { confirmEmail: alice.email } })
    const answers = await repeat(3, () => remove(alice.id))
    t.same(new Set(answers.map(({ status }) => status)), new Set([202]))
    await eventually(async () => ((await get(alice.id)).json.deleted ? true : undefined))
    t.equal((await pool.query('select count(*) from audit_log where target_id = $1', [alice.id])).rows[0].count, 1)
  })
})

t.test('the list of users', async (t) => {
  const clock = createTestClock()
  const { signUp, list, pool, update, get } = await start(t, { clock })
  const people: Person[] = []
  for (const name of ['anna', 'annabel', 'bert', 'an_a', 'dora']) {
    people.push(await signUp(`${name}@example.com`))
    clock.advance(1000)
  }
  const [anna, annabel, bert] = people as [Person, Person, Person]
  const emails = async (search: string) => (await list(search)).json.items.map(({ email }: { email: string }) => email.split('@')[0])

  t.test('is in the order of registration, the newest first, page by page, and shows what others do not see', async (t) => {
    const all = await emails('?limit=100')
    t.same(all, ['dora', 'an_a', 'bert', 'annabel', 'anna', 'root'])
    const paged: string[] = []
    let cursor = ''
    do {
      const { json } = await list(`?limit=2${cursor && `&cursor=${cursor}`}`)
      paged.push(...json.items.map(({ email }: { email: string }) => email.split('@')[0]))
      cursor = json.nextCursor ?? ''
      t.equal(json.hasMore, json.nextCursor !== null)
    } while (cursor !== '')
    t.same(paged, all)
    t.match((await get(anna.id)).json, { id: anna.id, email: anna.email, emailVerified: true })
  })

  t.test('is filtered by each of its filters, and by several', async (t) => {
    await update(bert.id, { username: 'Annette', role: 'admin' })
    await update(annabel.id, { displayName: 'Zoe', suspended: true })
    await pool.query('update users set email_verified_at = null where id = $1', [anna.id])
    const { createdAt } = (await get(bert.id)).json
    t.same(await emails('?search=ANN'), ['bert', 'annabel', 'anna'])
    t.same(await emails('?search=zo'), ['annabel'])
    t.same(await emails('?search=an_'), ['an_a'], 'what is typed is no pattern')
    t.same(await emails('?search=nna'), [], 'it is the beginning')
    t.same(await emails('?role=admin'), ['bert', 'root'])
    t.same(await emails('?verified=false'), ['anna'])
    t.same(await emails('?suspended=true'), ['annabel'])
    t.same(await emails('?suspended=false&role=user&verified=true'), ['dora', 'an_a'])
    t.same(await emails(`?createdFrom=${createdAt}`), ['dora', 'an_a', 'bert'])
    t.same(await emails(`?createdTo=${createdAt}`), ['annabel', 'anna', 'root'])
  })

  t.test('refuses what is no filter, no time and no cursor of it', async (t) => {
    for (const search of ['?role=root', '?limit=0', '?limit=101', '?createdFrom=yesterday', '?cursor=abc', '?verified=maybe', '?search='])
      t.equal((await list(search)).json.error.code, 'validation_error', search)
  })
})

t.test('the first administrator', async (t) => {
  t.test('is there after the start, once, though several servers start at once; and stays the same at the next', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const [one] = await Promise.all([start(t, { databaseUrl }), start(t, { databaseUrl }), start(t, { databaseUrl })])
    const { rows } = await one.pool.query('select * from users')
    t.match(rows, [{ email: first.ADMIN_EMAIL, role: 'admin' }])
    t.ok(rows[0].email_verified_at)
    t.equal(rows.length, 1)
    t.match(await one.auditOf(rows[0].id), [{ action: 'user.create', actor_id: null, ip: null }])
    await startServer(t, { databaseUrl, env: { ...first, ADMIN_PASSWORD: 'quite another sentence' } })
    t.same((await one.pool.query('select * from users')).rows[0].password_hash, rows[0].password_hash)
  })

  t.test('is nobody who was there before: the account stays as it is, with a warning', async (t) => {
    const { url: databaseUrl, drop } = await createTestDatabase()
    t.teardown(drop)
    const plain = await startServer(t, { databaseUrl })
    const somebody = await plain.signUp('ROOT@example.com'.toLowerCase())
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    await startServer(t, { databaseUrl, env: first, log })
    const { rows } = await plain.database.pool.query('select role, password_hash from users where id = $1', [somebody.id])
    t.same(rows, [{ role: 'user', password_hash: null }])
    t.ok(lines.some((line) => line.includes('is no administrator')))
  })

  t.test('has no common password: the start says so in one sentence', async (t) => {
    const installation = await install(t)
    const server = installation.run({ env: { ...first, ADMIN_PASSWORD: 'password1' } })
    const { code, stderr } = await server.ended
    t.equal(code, 1)
    t.equal(stderr, 'ADMIN_PASSWORD is one of the commonest passwords: choose another one.\n')
  })
})

t.test('npm run admin', async (t) => {
  const installation = await install(t)
  const run = promisify(execFile)
  const admin = async (args: string[], env: Record<string, string> = {}) => {
    const { PATH = '', HOME = '' } = process.env
    const options = { env: { PATH, HOME, DATA_DIR: installation.dataDir, ...env } }
    const { stdout, stderr, code } = await run(process.execPath, ['scripts/admin.ts', ...args], options).then(
      (output) => ({ ...output, code: 0 }),
      (error: { stdout: string; stderr: string; code: number }) => error,
    )
    return { stdout, stderr, code }
  }
  const password = { ADMIN_PASSWORD: first.ADMIN_PASSWORD }
  const signIn = (identifier: string) =>
    fetch(`${installation.url}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier, password: first.ADMIN_PASSWORD }),
    }).then(async (response): Promise<{ user?: { role: string } }> => JSON.parse(await response.text()))

  await t.test('makes an administrator before the server has ever run, and leaves nothing running', async (t) => {
    const { stdout, code } = await admin(['create', 'root@example.com'], password)
    t.same([code, stdout], [0, 'root@example.com is an administrator now, and signs in with this password.\n'])
    t.same(await installation.postgresCommands(), [])
  })

  await t.test('and while it runs, which goes on', async (t) => {
    await installation.start()
    t.equal((await signIn('root@example.com')).user?.role, 'admin')
    t.equal((await admin(['create', 'second@example.com'], password)).code, 0)
    t.equal((await signIn('second@example.com')).user?.role, 'admin')
  })

  await t.test('promotes somebody, whose sessions end on the server that runs', async (t) => {
    const alice = await installation.signUp('alice')
    t.equal((await admin(['promote', 'ALICE@example.com'])).code, 0)
    await eventually(
      async () =>
        await alice.api.users.getMe().then(
          () => undefined,
          () => true,
        ),
    )
    const { user } = await alice.api.auth.verifyEmail({ email: alice.email, code: '000000' })
    t.equal(user.role, 'admin')
    t.match((await admin(['promote', alice.email])).stdout, /already/)
    const { user: waiting } = await alice.api.auth.register({ email: 'waiting@example.com' })
    t.match((await admin(['promote', waiting.email])).stdout, /as soon as the address is verified/)
    const banned = await installation.signUp('banned')
    await alice.api.users.update((await banned.api.users.getMe()).id, { suspended: true })
    t.match((await admin(['promote', banned.email])).stdout, /as soon as the account is not suspended/)
  })

  await t.test('says in a sentence what is wrong', async (t) => {
    const wrong: [args: string[], env: Record<string, string>, sentence: RegExp][] = [
      [[], {}, /^Usage:\n/],
      [['create'], {}, /^Usage:\n/],
      [['toString', 'a@example.com'], {}, /^Usage:\n/],
      [['create', 'nobody'], {}, /^Usage:\n/],
      [['create', 'third@example.com'], {}, /^Set ADMIN_PASSWORD, or run this in a terminal[^\n]*\n$/],
      [['create', 'third@example.com'], { ADMIN_PASSWORD: 'password1' }, /^The password is one of the commonest[^\n]*\n$/],
      [['create', 'root@example.com'], password, /^Somebody has this address[^\n]*\n$/],
      [['promote', 'nobody@example.com'], {}, /^Nobody has the address[^\n]*\n$/],
    ]
    for (const [args, env, sentence] of wrong) {
      const { code, stderr } = await admin(args, env)
      t.equal(code, 1)
      t.match(stderr, sentence)
    }
  })
})
