/** One's own profile, and what users may see of each other. */
import { randomUUID } from 'node:crypto'
import { ConflictError, type Parley, type UsersListQuery } from '@parley/sdk'
import t from 'tap'
import type { UserId } from '../../openapi/shared/ids.ts'
import { startServer } from '../helpers/server.ts'
import { createTestClock } from './auth-client.ts'

const clock = createTestClock()
const server = await startServer(t, { clock })
const { api: alice, accessToken: token, id: aliceId, email } = await server.signUp()

const patch = async (body: unknown) => {
  const { status, json } = await server.request('PATCH', '/v1/users/me', { token, body })
  return { status, user: json, fields: json.error?.details?.map(({ field }: { field: string }) => field) }
}

t.test('a profile takes every field of the contract, and null takes it away', async (t) => {
  const fields = {
    username: 'Alice',
    displayName: 'Alice Liddell 🐇',
    firstName: 'Alice',
    lastName: 'Liddell',
    phone: '+442079460958',
    companyCustomerId: 'ABC123456',
    bio: 'Down the hole.\nAnd out again.',
    location: 'Oxford',
    timezone: 'Europe/London',
    locale: 'en-GB',
  }
  const before = await alice.users.getMe()
  clock.advance(1_000)
  const after = await alice.users.updateMe(fields)
  t.match(after, fields)
  t.ok(after.updatedAt > before.updatedAt, 'the time of the change moves')
  t.equal(after.createdAt, before.createdAt)
  t.same(await alice.users.getMe(), after)
  t.same(await alice.auth.me(), after, 'auth.me says the same')
  t.match(await alice.users.updateMe({ bio: 'Back.' }), { ...fields, bio: 'Back.' }, 'what is left out stays')
  const nothing = Object.fromEntries(Object.keys(fields).map((name) => [name, null]))
  t.match(await alice.users.updateMe(nothing), nothing)
  t.match(await alice.users.getMe(), nothing)
})

t.test('settings are merged, also when two devices set different ones at once', async (t) => {
  const { api } = await server.signUp()
  t.same((await api.users.getMe()).settings, { notificationsEnabled: true, soundEnabled: true, theme: 'light' })
  for (const theme of ['dark', 'light', 'dark'] as const) {
    await Promise.all([
      api.users.updateMe({ settings: { theme } }),
      api.users.updateMe({ settings: { soundEnabled: theme === 'light' } }),
      api.users.updateMe({ settings: { notificationsEnabled: false } }),
    ])
    t.same((await api.users.getMe()).settings, { notificationsEnabled: false, soundEnabled: theme === 'light', theme })
  }
})

t.test('what a user may not decide is refused, with all that came along', async (t) => {
  const before = await alice.users.getMe()
  const forbidden = {
    role: 'admin',
    emailVerified: false,
    email: 'other@example.com',
    id: randomUUID(),
    passwordHash: 'x',
    avatarUrl: '/x',
    avatarKey: 'x',
    createdAt: before.createdAt,
    deletionAt: null,
    suspendedAt: null,
    presence: 'busy',
    hasPassword: true,
  }
  for (const [name, value] of Object.entries(forbidden)) {
    t.match(await patch({ displayName: 'Mallory', [name]: value }), { status: 400, fields: [`body.${name}`] }, name)
  }
  t.match(await patch({ settings: { theme: 'dark', role: 'admin' } }), { status: 400, fields: ['body.settings.role'] })
  t.same(await alice.users.getMe(), before)
})

t.test('fields that cannot be are named', async (t) => {
  const wrong: [field: string, value: unknown][] = [
    ...['Europe/Nowhere', '+01:00', '+01', '-0500', 'Z', '', 7].map((zone): [string, unknown] => ['timezone', zone]),
    ...['en_US', 'x', 'en--US', '123', '-', 'a'.repeat(36)].map((locale): [string, unknown] => ['locale', locale]),
    ...['442079460958', '+44 20 7946 0958', '+123456', '+1234567890123456', '+44207946095a'].map((phone): [string, unknown] => ['phone', phone]),
    ...['ab', 'a b c', 'ä-umlaut', 'a'.repeat(33), 'a@example.com'].map((name): [string, unknown] => ['username', name]),
    ...['12345', 'ABC-12345', 'A'.repeat(21)].map((id): [string, unknown] => ['companyCustomerId', id]),
    ['displayName', ''],
    ['firstName', 'a'.repeat(101)],
    ['bio', 'a'.repeat(1_001)],
    ['location', 'a'.repeat(101)],
    ['settings', null],
  ]
  for (const [field, value] of wrong) t.match(await patch({ [field]: value }), { status: 400, fields: [`body.${field}`] }, `${field}: ${value}`)
  t.equal((await patch({ settings: { theme: 'blue' } })).status, 400)
  t.equal((await patch({})).status, 400, 'nothing to change')
  t.equal((await patch({ settings: {} })).status, 400)
})

t.test('phones are kept as the numbering plan writes them, where there is one; wherever they come in', async (t) => {
  const phones = { '+4402079460958': '+442079460958', '+442079460958': '+442079460958', '+0987654321': '+0987654321', '+1234567': '+1234567' }
  for (const [written, kept] of Object.entries(phones)) {
    t.equal((await alice.users.updateMe({ phone: written })).phone, kept, written)
    const { user } = await server.client().auth.register({ email: `phone${written.slice(1)}@example.com`, phone: written })
    t.equal(user.phone, kept, `${written}, on registering`)
  }
})

t.test('time zones and languages are those that there are, in the spelling of their lists', async (t) => {
  const zones = {
    'europe/london': 'Europe/London',
    utc: 'UTC',
    'Asia/Kolkata': 'Asia/Kolkata',
    'US/Eastern': 'US/Eastern',
    'us/eastern': 'us/eastern',
    'Etc/GMT+5': 'Etc/GMT+5',
  }
  for (const [written, kept] of Object.entries(zones)) t.equal((await alice.users.updateMe({ timezone: written })).timezone, kept, written)
  const locales = { 'en-us': 'en-US', de: 'de', 'zh-hant-tw': 'zh-Hant-TW', 'de-ch-1996': 'de-CH-1996' }
  for (const [written, kept] of Object.entries(locales)) t.equal((await alice.users.updateMe({ locale: written })).locale, kept, written)
})

t.test('a username is one in any letter case, and of two that want it at once one gets it', async (t) => {
  const [bob, carol] = [await server.signUp(), await server.signUp()]
  await alice.users.updateMe({ username: 'white.rabbit' })
  for (const username of ['white.rabbit', 'WHITE.Rabbit']) await t.rejects(bob.api.users.updateMe({ username, bio: 'Stolen' }), ConflictError)
  t.match(await bob.api.users.getMe(), { username: null, bio: null })
  t.equal((await alice.users.updateMe({ username: 'White.Rabbit' })).username, 'White.Rabbit', 'its owner may write it anew')
  const outcomes = await Promise.allSettled([bob, carol].map(({ api }, index) => api.users.updateMe({ username: index === 0 ? 'hatter' : 'HATTER' })))
  t.same(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.ok(outcome.reason instanceof ConflictError)
  await alice.users.updateMe({ username: null })
  t.equal((await carol.api.users.updateMe({ username: 'white.rabbit' })).username, 'white.rabbit', 'what was given up is free')
})

t.test('others see a change at their next read, in conversations too', async (t) => {
  const bob = await server.signUp()
  const { conversation } = await bob.api.conversations.create({ type: 'direct', memberIds: [aliceId] })
  await alice.users.updateMe({ displayName: 'Alice the Second' })
  t.equal((await bob.api.users.get(aliceId)).displayName, 'Alice the Second')
  const { conversation: again } = await bob.api.conversations.get(conversation.id)
  t.equal(again.members.find(({ user }) => user.id === aliceId)?.user.displayName, 'Alice the Second')
})

t.test('whoever is gone has no profile, though the token is still good', async (t) => {
  const leaver = await server.signUp()
  await server.database.pool.query('update users set erased_at = now() where id = $1', [leaver.id])
  const asked: [method: string, path: string, body?: unknown][] = [
    ['GET', '/v1/users/me'],
    ['GET', '/v1/auth/me'],
    ['PATCH', '/v1/users/me', { bio: 'Still here' }],
    ['PUT', '/v1/users/me/presence', { status: 'busy' }],
    ['DELETE', '/v1/users/me/avatar'],
  ]
  for (const [method, path, body] of asked) {
    const { status, json } = await server.request(method, path, { token: leaver.accessToken, ...(body !== undefined && { body }) })
    t.same([status, json?.error?.code], [401, 'unauthorized'], `${method} ${path}`)
  }
  const { rows } = await server.database.pool.query('select bio, presence from users where id = $1', [leaver.id])
  t.same(rows, [{ bio: null, presence: 'online' }])
})

t.test('nobody without credentials sees or changes anybody', async (t) => {
  const asked = [
    ['GET', '/v1/users/me'],
    ['PATCH', '/v1/users/me'],
    ['GET', '/v1/users'],
    ['GET', `/v1/users/${aliceId}`],
  ] as const
  for (const [method, path] of asked) t.equal((await server.request(method, path, method === 'PATCH' ? { body: { bio: 'x' } } : {})).status, 401, path)
})

const publicFields = ['avatarUrl', 'bio', 'createdAt', 'deleted', 'displayName', 'id', 'lastSeen', 'location', 'status', 'username']

t.test('others see a profile without what is private, alone and in lists', async (t) => {
  const bob = await server.signUp()
  const secrets = { firstName: 'Hidden-First', lastName: 'Hidden-Last', phone: '+442079460958', companyCustomerId: 'HIDDEN123', timezone: 'Asia/Tokyo' }
  await alice.users.updateMe({ ...secrets, username: 'seen', displayName: 'Seen', bio: 'Seen', location: 'Seen' })
  const profile = await bob.api.users.get(aliceId)
  t.same(Object.keys(profile).toSorted(), publicFields)
  t.match(profile, { username: 'seen', displayName: 'Seen', bio: 'Seen', location: 'Seen', deleted: false })
  t.same((await bob.api.users.list({ ids: aliceId })).items, [profile])
  const said = JSON.stringify([profile, await bob.api.users.list({ search: 'seen' })])
  for (const secret of [email, ...Object.values(secrets)]) t.notOk(said.includes(secret), secret)
  for (const secret of [email, email.split('@')[0] ?? '', ...Object.values(secrets)]) {
    t.same(
      (await bob.api.users.list({ search: secret })).items.filter(({ id }) => id === aliceId),
      [],
      `nor is it found by ${secret}`,
    )
  }
  t.equal((await server.request('GET', `/v1/users/${randomUUID()}`, { token })).status, 404)
})

t.test('of somebody who was erased it is told that they are, and nothing else; lists leave them out', async (t) => {
  const bob = await server.signUp()
  await bob.api.users.updateMe({ username: 'vanishing', displayName: 'Vanishing', bio: 'Soon gone', location: 'Nowhere' })
  await server.database.pool.query("update users set erased_at = now(), avatar_key = 'left', last_seen_at = now() where id = $1", [bob.id])
  const { createdAt, ...profile } = await alice.users.get(bob.id)
  const nothing = { username: null, displayName: null, avatarUrl: null, bio: null, location: null, status: 'offline', lastSeen: null }
  t.same(profile, { id: bob.id, deleted: true, ...nothing })
  t.same((await alice.users.list({ ids: bob.id })).items, [])
  t.same((await alice.users.list({ search: 'vanishing' })).items, [])
})

t.test('where registering tells nobody of taken addresses, who is not verified is there for nobody else', async (t) => {
  const open = await server.client().auth.register({ email: 'waiting@example.com', displayName: 'Waiting' })
  t.equal((await alice.users.get(open.user.id)).displayName, 'Waiting', 'otherwise they are')
  t.equal((await alice.users.list({ search: 'waiting' })).items.length, 1)

  const discreet = await startServer(t, { env: { REGISTRATION_CONFLICTS: 'hide' } })
  const { api } = await discreet.signUp()
  await discreet.client().auth.register({ email: 'waiting@example.com', displayName: 'Waiting' })
  const { rows } = await discreet.database.pool.query<{ id: UserId }>("select id from users where display_name = 'Waiting'")
  const [{ id } = { id: '' }] = rows
  t.equal(await api.users.get(id).catch(({ code }) => code), 'not_found')
  t.same((await api.users.list({ ids: id })).items, [])
  t.match(await api.users.list({ search: 'waiting', includeTotal: true }), { items: [], total: 0 })
  await discreet.client().auth.verifyEmail({ email: 'waiting@example.com', code: '000000' })
  t.equal((await api.users.get(id)).displayName, 'Waiting')
  t.match(await api.users.list({ search: 'waiting', includeTotal: true }), { items: [{ id }], total: 1 })
})

t.test('a directory', async (t) => {
  const town = await startServer(t)
  const { api, id: ownId } = await town.signUp()
  const names: [username: string | null, displayName: string | null][] = [
    ['ann', 'Zoe'],
    ['ann.b', null],
    ['annabel', 'Quentin'],
    ['joanna', null],
    ['bert', 'Anna Karenina'],
    ['carl', 'Mr Liddell'],
    ['dora', 'Lidell'],
    ['x_y', 'under_score'],
    ['xzy', '100% sure'],
    [null, 'back\\slash'],
    [null, '日本語'],
    [null, 'ÉMILE Zola'],
  ]
  const ids: string[] = []
  for (const [index, [username, displayName]] of names.entries()) {
    const id = randomUUID()
    ids.push(id)
    await town.database.pool.query(
      "insert into users (id, email, username, display_name, email_verified_at, created_at) values ($1, $2, $3, $4, now(), '2020-01-01'::timestamptz + $5 * interval '1 second')",
      [id, `${id}@example.com`, username, displayName, Math.floor(index / 3)],
    )
  }
  const nameOf = ({ username, displayName }: { username: string | null; displayName: string | null }) => username ?? displayName
  const find = async (search: string, query: UsersListQuery = {}) => (await api.users.list({ search, ...query })).items.map(nameOf)

  t.test('is found by how names begin, in any letter case; the exact one first, then what is like it', async (t) => {
    t.same(await find('ANN'), await find('ann'))
    t.equal((await find('ann'))[0], 'ann')
    t.same((await find('ann')).toSorted(), ['ann', 'ann.b', 'annabel', 'bert'])
    t.same(await find('  Anna K'), ['bert'])
    t.same(await find('émile'), ['ÉMILE Zola'])
    t.same(await find('日本'), ['日本語'], 'two letters are enough for a beginning')
    t.same(await find('li'), ['dora'], 'but for likeness they are too few')
    t.same(await find('lidell'), ['dora', 'carl'], 'a word that is misspelt is found, after the one that is not')
    t.same(await find('liddell'), ['carl', 'dora'])
    t.same(await find('nobody at all'), [])
  })

  t.test('takes what is searched for as it is written', async (t) => {
    t.same(await find('x_'), ['x_y'])
    t.same(await find('%'), [])
    t.same(await find('100%'), ['xzy'])
    t.same(await find('back\\'), ['back\\slash'])
    t.same(await find("' or 1=1 --"), [])
    t.equal((await town.request('GET', '/v1/users?search=%20', { token: api.tokens?.accessToken ?? '' })).status, 400)
  })

  t.test('has everybody once, the newest first, however it is paged', async (t) => {
    const all = (await api.users.list({ limit: 100, includeTotal: true })) as Awaited<ReturnType<Parley['users']['list']>> & { total?: number }
    t.equal(all.items.length, names.length + 1)
    t.equal(all.total, names.length + 1)
    t.equal(all.items[0]?.id, ownId)
    const expected = all.items.map(({ id }) => id)
    t.same(
      all.items.map(({ createdAt }) => createdAt),
      all.items.map(({ createdAt }) => createdAt).toSorted((a, b) => (a < b ? 1 : -1)),
    )
    for (const limit of [1, 2, 5, 13]) {
      t.same(
        (await Array.fromAsync(api.users.list({ limit }))).map(({ id }) => id),
        expected,
        `by cursor, ${limit} a page`,
      )
    }
    const byOffset = []
    for (let offset = 0; offset < 15; offset += 5) byOffset.push(...(await api.users.list({ limit: 5, offset })).items)
    t.same(
      byOffset.map(({ id }) => id),
      expected,
    )
    t.same(
      (await Array.fromAsync(api.users.list({ limit: 2, offset: 3 }))).map(({ id }) => id),
      expected.slice(3),
      'by offset, then by cursor',
    )
    t.equal(((await api.users.list({ limit: 5 })) as { total?: number }).total, undefined, 'nothing is counted unless that is asked for')
  })

  t.test('pages what is found without a gap', async (t) => {
    const found = await find('ann', { limit: 100 })
    for (const limit of [1, 2, 3]) t.same((await Array.fromAsync(api.users.list({ search: 'ann', limit }))).map(nameOf), found, `${limit} a page`)
    const page = (await api.users.list({ search: 'ann', limit: 1, offset: 2, includeTotal: true })) as {
      items: { username: string | null; displayName: string | null }[]
      total?: number
    }
    t.same([page.items.map(nameOf), page.total], [[found[2]], 4])
  })

  t.test('keeps its place when others come and go', async (t) => {
    const first = await api.users.list({ limit: 4 })
    await town.signUp()
    const second = await api.users.list({ limit: 100, cursor: first.nextCursor ?? '' })
    t.equal(new Set([...first.items, ...second.items].map(({ id }) => id)).size, names.length + 1)
  })

  t.test('gives those who are asked for by id', async (t) => {
    const asked = [ids[0], ids[5], randomUUID()].join()
    t.same((await api.users.list({ ids: asked })).items.map(nameOf), ['carl', 'ann'])
    t.same((await api.users.list({ ids: asked, search: 'ann' })).items.map(nameOf), ['ann'])
  })

  t.test('refuses cursors of other lists, and what does not go together', async (t) => {
    const own = (await api.users.list({ limit: 1 })).nextCursor
    const found = (await api.users.list({ limit: 1, search: 'ann' })).nextCursor
    const forged = (values: unknown) => Buffer.from(JSON.stringify(values)).toString('base64url')
    const wrong = [
      `cursor=${found}`,
      `search=ann&cursor=${own}`,
      `cursor=${own}&offset=0`,
      `cursor=${forged(['newest', 1, "x'"])}`,
      `cursor=${forged(['newest', 'a', ownId])}`,
      `cursor=${forged(['newest', 1e300, ownId])}`,
      `cursor=${forged(['newest', -1, ownId])}`,
      'cursor=bnVsbA',
      'ids=abc',
      `ids=${'-'.repeat(36)}`,
      `ids=${ownId},`,
      `ids=${Array.from({ length: 101 }, () => ownId).join()}`,
      'offset=-1',
      'offset=10001',
      'limit=0',
      'search=',
      'search=%00',
    ]
    for (const query of wrong) t.equal((await town.request('GET', `/v1/users?${query}`, { token: api.tokens?.accessToken ?? '' })).status, 400, query)
    const far = forged(['newest', 0, ownId])
    t.same((await api.users.list({ cursor: far })).items, [], 'one that leads before all times ends the list')
    t.equal((await api.users.list({ cursor: forged(['newest', Number.MAX_SAFE_INTEGER, ownId]), limit: 100 })).items.length, names.length + 2)
  })
})

t.test('a search among many users reads indexes, not the table', { timeout: 100_000 }, async (t) => {
  const city = await startServer(t)
  const { api, id, email } = await city.signUp()
  const { pool } = city.database
  const letters = (of: string) => `translate(md5(${of}), '0123456789', 'ghijklmnop')`
  const many = 30_000
  // All are a Person; every third begins with Anna; those who came first, a tenth, are of Acme.
  await pool.query(
    `insert into users (id, email, username, display_name, created_at)
    select gen_random_uuid(), n || '@example.com', left(${letters('n::text')}, 12),
      case when n % 3 = 0 then 'Anna ' else '' end || left(${letters("n || 'd'")}, 12) || ' Person' || case when n <= $1::int / 10 then ' Acme' else '' end,
      now() - ($1 - n) * interval '1 minute'
    from generate_series(1, $1::int) n
    union all select gen_random_uuid(), 'queen@example.com', 'queen.of.hearts', null, now()
    union all select gen_random_uuid(), 'anna@example.com', null, 'Anna', now()`,
    [many],
  )
  await pool.query('analyze users')

  const statements: { text: string; values: unknown[] }[] = []
  const query = pool.query.bind(pool) as (...args: unknown[]) => unknown
  Object.assign(pool, {
    query(...args: unknown[]) {
      const [{ text = '' }, values = []] = args as [{ text?: string }, unknown[]?]
      if (text.includes('from "users"')) statements.push({ text, values })
      return query(...args)
    },
  })
  const explain = async (ask: UsersListQuery | (() => PromiseLike<unknown>), options: string) => {
    statements.length = 0
    await (typeof ask === 'function' ? ask() : api.users.list(ask))
    t.ok(statements.length > 0)
    return Promise.all(statements.map(({ text, values }) => pool.query<{ 'QUERY PLAN': string }>(`explain ${options} ${text}`, values)))
  }
  const prefixes = ['users_username_prefix', 'users_display_name_prefix']
  const likenesses = ['users_username_likeness', 'users_display_name_likeness']
  const asked: [what: string, ask: UsersListQuery, indexes: string[]][] = [
    ['a search', { search: 'quean', includeTotal: true }, [...prefixes, ...likenesses]],
    ['a short search', { search: 'zy' }, prefixes],
    ['the newest', {}, ['users_created_at']],
    ['a later page', { cursor: (await api.users.list()).nextCursor ?? '' }, ['users_created_at']],
  ]
  for (const [what, ask, indexes] of asked) {
    const plan = (await explain(ask, '')).flatMap(({ rows }) => rows.map((row) => row['QUERY PLAN'])).join('\n')
    for (const index of indexes) t.match(plan, index, what)
    t.notMatch(plan, 'Seq Scan', what)
  }
  t.equal((await api.users.list({ search: 'queen' })).items[0]?.username, 'queen.of.hearts')

  t.test('nor that of an administrator, by address', async (t) => {
    await pool.query("update users set role = 'admin' where id = $1", [id])
    await api.auth.verifyEmail({ email, code: '000000' })
    const plans = await explain(() => api.admin.listUsers({ search: 'QUEEN@' }), '(analyze, timing off)')
    const read = plans.map(({ rows }) => rowsRead(rows.map((row) => row['QUERY PLAN'])))
    t.ok(Math.max(...read) < 10, `${read} rows`)
  })

  t.test('and no more of them when most have such a name', async (t) => {
    for (const search of ['person', 'persom', 'anna', 'acme', 'a', 'e']) {
      const plans = await explain({ search, includeTotal: true }, '(analyze, timing off)')
      const read = plans.map(({ rows }) => rowsRead(rows.map((row) => row['QUERY PLAN'])))
      t.ok(Math.max(...read) < many / 2, `${search}: ${read} rows`)
    }
  })

  t.test('finds a thousand then, once each, whoever has the very name first', async (t) => {
    for (const search of ['person', 'anna']) {
      const found = await Array.fromAsync(api.users.list({ search, limit: 100 }))
      t.equal(new Set(found.map(({ id }) => id)).size, 1_000)
      t.equal(found.length, 1_000)
      if (search === 'anna') t.equal(found[0]?.displayName, 'Anna')
      t.equal(((await api.users.list({ search, includeTotal: true })) as { total?: number }).total, 1_000)
    }
    t.equal(((await api.users.list({ includeTotal: true })) as { total?: number }).total, 10_000, 'also a list is counted to a limit only')
  })
})

t.test('exports', async (t) => {
  const archive = await startServer(t)
  const { pool } = archive.database
  const [bob, carol] = [await archive.signUp(), await archive.signUp()]
  const { conversation } = await bob.api.conversations.create({ type: 'direct', memberIds: [carol.id] })
  for (const { api } of [bob, carol]) await api.conversations.sendMessage(conversation.id, { content: 'Keep this.' })
  // Many at the same moment, as an import or an attack has them.
  await pool.query(
    `insert into security_events (id, user_id, type, severity, created_at)
    select gen_random_uuid(), case when n % 10 = 0 then $1::uuid end, 'login_succeeded', 'info', '2026-01-01'::timestamptz + (n / 5000) * interval '1 minute'
    from generate_series(1, 20000) n`,
    [bob.id],
  )
  await pool.query('analyze security_events')
  const { rows: all } = await pool.query('select id from security_events where user_id = $1 order by created_at, id', [bob.id])

  const statements: { text: string; values: unknown[] }[] = []
  let [underWay, mostAtOnce] = [0, 0]
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>
  Object.assign(pool, {
    async query(...args: unknown[]) {
      const [{ text = '' }, values = []] = args as [{ text?: string }, unknown[]?]
      if (!/json_build_array|from "messages"/.test(text)) return query(...args)
      statements.push({ text, values })
      underWay += 1
      mostAtOnce = Math.max(mostAtOnce, underWay)
      return query(...args).finally(() => {
        underWay -= 1
      })
    },
  })

  t.test('read one statement at a time, however many are under way and whosever they are', async (t) => {
    const found = await Promise.all(
      [bob, carol, bob, carol, bob].map(({ accessToken }) => archive.request('GET', '/v1/users/me/export', { token: accessToken })),
    )
    for (const { status, json } of found) t.match([status, json.sections.messages.length], [200, 1])
    t.equal(mostAtOnce, 1)
  })

  t.test('read what happened along an index, each of it once', async (t) => {
    statements.length = 0
    const { json } = await archive.request('GET', '/v1/users/me/export', { token: bob.accessToken })
    t.same(
      json.sections.securityEvents.map(({ id }: { id: string }) => id),
      all.map(({ id }) => id),
    )
    const later = statements.filter(({ text }) => text.includes('from "security_events"')).at(-1)
    const { rows } = await pool.query(`explain ${later?.text}`, later?.values)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    t.match(plan, 'security_events_user')
    t.notMatch(plan, 'Sort')
  })
})

t.test('whatever refers to a user or a session is found by an index when they go', async (t) => {
  const { rows } = await server.database.pool.query(`select conrelid::regclass || ': ' || conname as unindexed from pg_constraint reference
    where contype = 'f' and confrelid in ('users'::regclass, 'sessions'::regclass) and not exists (
      select from pg_index where indrelid = conrelid and indpred is null and indkey[0] = conkey[1] and cardinality(conkey) = 1)`)
  t.same(rows, [])
})

/** What an analyzed plan has fetched from tables, with what it then threw away. */
function rowsRead(plan: string[]): number {
  let read = 0
  let isTable = false
  for (const line of plan) {
    const [, node, rows, loops] = /->\s+(.*?) \(cost.*actual rows=([\d.]+) loops=(\d+)/.exec(line) ?? []
    if (node !== undefined) {
      isTable = /^(Seq Scan|Index Scan|Bitmap Heap Scan)/.test(node)
      if (isTable) read += Number(rows) * Number(loops)
    }
    const [, removed = '0'] = /Rows Removed by (?:Filter|Index Recheck): (\d+)/.exec(line) ?? []
    if (isTable) read += Number(removed)
  }
  return read
}
