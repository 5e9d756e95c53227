import fc from 'fast-check'
import t from 'tap'
import { type SecurityEvent, type SecurityEventType, type SecurityStats, securityEventSeverities } from '../../openapi/security/schemas.ts'
import type { UserId } from '../../openapi/shared/ids.ts'
import { newId } from '../../src/clock.ts'
import { startServer } from '../helpers/server.ts'
import { createTestClock, day, eventually, minute, second } from './auth-client.ts'

const clock = createTestClock()
const server = await startServer(t, { clock })
const { pool } = server.database
const { security } = server.app.services

/** Before everything that happens by itself here. */
const monthAgo = Math.floor(clock.now().getTime() / day) * day - 30 * day
const at = (milliseconds: number) => new Date(monthAgo + milliseconds)
const isoAt = (milliseconds: number) => at(milliseconds).toISOString()

interface Person {
  accessToken: string
  id: UserId
}

const get = ({ accessToken }: Person, path: string, query: Record<string, string | number> = {}) =>
  server.request(
    'GET',
    `/v1/${path}?${Object.entries(query)
      .map(([name, value]) => `${name}=${value}`)
      .join('&')}`,
    { token: accessToken },
  )

const events = async (person: Person, query: Record<string, string | number> = {}): Promise<SecurityEvent[]> =>
  (await get(person, 'security/events', { to: isoAt(day), ...query })).json.items

const stats = async (person: Person, query: Record<string, string | number> = {}): Promise<SecurityStats> => (await get(person, 'security/stats', query)).json

async function happened(userId: UserId | null, type: SecurityEventType, createdAt: Date): Promise<string> {
  const id = newId<string>()
  const values = [id, type, securityEventSeverities[type], userId, createdAt.toISOString()]
  await pool.query('insert into security_events (id, type, severity, user_id, created_at) values ($1, $2, $3, $4, $5)', values)
  return id
}

async function administrator() {
  const { email, id } = await server.signUp()
  await pool.query("update users set role = 'admin' where id = $1", [id])
  const { accessToken } = await server.client().auth.verifyEmail({ email, code: '000000' })
  return { accessToken, id }
}

const ids = (items: { id: string }[]) => items.map(({ id }) => id)

/** All pages of a list, one after the other. */
async function allPages(person: Person, path: string, query: Record<string, string | number>): Promise<{ pages: string[][] }> {
  const pages: string[][] = []
  let cursor: string | null = null
  do {
    const { items, nextCursor, hasMore }: { items: { id: string }[]; nextCursor: string | null; hasMore: boolean } = (
      await get(person, path, { ...query, ...(cursor !== null && { cursor }) })
    ).json
    t.equal(hasMore, nextCursor !== null)
    pages.push(ids(items))
    cursor = nextCursor
  } while (cursor !== null)
  return { pages }
}

t.test('security events', async (t) => {
  const [alice, bob, admin] = [await server.signUp(), await server.signUp(), await administrator()]
  const failed = await happened(alice.id, 'sign_in_failed', at(1 * second))
  const locked = await happened(alice.id, 'sign_in_locked', at(2 * second))
  const reused = await happened(alice.id, 'refresh_token_reused', at(3 * second))
  const ofBob = await happened(bob.id, 'sign_in_failed', at(4 * second))
  const ofNobody = await happened(null, 'sign_in_failed', at(5 * second))

  t.test('are those about oneself, the newest first', async (t) => {
    t.same(ids(await events(alice)), [reused, locked, failed])
    t.same(ids(await events(alice, { userId: alice.id })), [reused, locked, failed])
    t.match((await events(bob))[0], { id: ofBob, type: 'sign_in_failed', severity: 'medium', userId: bob.id, ip: null, metadata: {}, createdAt: isoAt(4000) })
  })

  t.test('are those about everybody and nobody for administrators', async (t) => {
    t.same(ids(await events(admin)), [ofNobody, ofBob, reused, locked, failed])
    t.same(ids(await events(admin, { userId: bob.id })), [ofBob])
  })

  t.test('about somebody else are not found, whether there is such a user or not', async (t) => {
    const answers = []
    for (const path of ['security/events', 'security/stats'])
      for (const userId of [bob.id, crypto.randomUUID()]) answers.push(await get(alice, path, { userId }))
    for (const { status, json } of answers) t.match([status, json.error], [404, { code: 'not_found', message: answers[0]?.json.error.message }])
  })

  t.test('are filtered by type, severity and time, from the first moment on and before the second', async (t) => {
    t.same(ids(await events(alice, { type: 'sign_in_locked' })), [locked])
    t.same(ids(await events(alice, { severity: 'critical' })), [reused])
    t.same(ids(await events(alice, { severity: 'critical', type: 'sign_in_failed' })), [])
    t.same(ids(await events(alice, { from: isoAt(2000) })), [reused, locked])
    t.same(ids(await events(alice, { to: isoAt(2000) })), [failed])
    t.same(ids(await events(alice, { from: isoAt(2000), to: isoAt(3000) })), [locked])
    t.same(ids(await events(admin, { type: 'sign_in_failed', from: isoAt(2000) })), [ofNobody, ofBob])
  })

  t.test('refuse times that there are not, and cursors that are not theirs', async (t) => {
    for (const time of ['2016-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-14:00', 'yesterday']) {
      for (const path of ['security/events', 'security/stats']) {
        const { json } = await get(alice, path, { from: time })
        t.match(json.error, { code: 'validation_error', details: [{ field: 'query.from' }] }, `${path} from ${time}`)
      }
    }
    const cursors = [[1, 'x'], [-1, failed], [8.64e15, failed], [1.5, failed], [1]].map((values) => Buffer.from(JSON.stringify(values)).toString('base64url'))
    for (const cursor of cursors) t.equal((await get(alice, 'security/events', { cursor })).json.error.code, 'validation_error')
  })

  t.test('come in pages of which none is missing and none is twice, however many happened at one time', async (t) => {
    const carol = await server.signUp()
    const moments = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 })
    const property = fc.asyncProperty(moments, fc.integer({ min: 1, max: 5 }), async (times, limit) => {
      await pool.query('delete from security_events where user_id = $1', [carol.id])
      for (const time of times) await happened(carol.id, 'sign_in_failed', at(time))
      const { pages } = await allPages(carol, 'security/events', { limit })
      const all = ids(await events(carol, { limit: 100 }))
      t.equal(all.length, times.length)
      t.same(pages.flat(), all)
      t.ok(pages.slice(0, -1).every((page) => page.length === limit))
    })
    await fc.assert(property, { numRuns: 15 })
  })

  t.test('have an end: long facts are cut off', async (t) => {
    const carol = await server.signUp()
    await security.record({ type: 'new_device', userId: carol.id, metadata: { device: 'a'.repeat(10_000), known: false } })
    const { items } = (await get(carol, 'security/events', { type: 'new_device' })).json
    t.same(items[0].metadata, { device: 'a'.repeat(500), known: false })
  })
})

t.test('statistics', async (t) => {
  const [alice, bob, admin] = [await server.signUp(), await server.signUp(), await administrator()]
  await pool.query('delete from security_events where created_at < $1', [isoAt(5 * day)])
  await happened(alice.id, 'sign_in_failed', at(0))
  await happened(alice.id, 'sign_in_failed', at(day - 1))
  await happened(alice.id, 'refresh_token_reused', at(2 * day))
  await happened(bob.id, 'sign_in_locked', at(2 * day))
  await happened(null, 'sign_in_failed', at(3 * day - 1))
  const range = { from: isoAt(0), to: isoAt(3 * day) }
  const dayOf = (time: number) => isoAt(time).slice(0, 10)
  const [first, second, third] = [dayOf(0), dayOf(day), dayOf(2 * day)]

  t.test('count one’s own events by type, severity and day, days without one as well', async (t) => {
    t.same(await stats(alice, range), {
      total: 3,
      byType: { sign_in_failed: 2, refresh_token_reused: 1 },
      bySeverity: { critical: 1, high: 0, medium: 2, low: 0 },
      byDay: [
        { day: first, count: 2 },
        { day: second, count: 0 },
        { day: third, count: 1 },
      ],
    })
    t.equal((await stats(alice, { ...range, userId: alice.id })).total, 3)
  })

  t.test('count those about everybody and nobody for administrators', async (t) => {
    t.same(await stats(admin, range), {
      total: 5,
      byType: { sign_in_failed: 3, refresh_token_reused: 1, sign_in_locked: 1 },
      bySeverity: { critical: 1, high: 1, medium: 3, low: 0 },
      byDay: [
        { day: first, count: 2 },
        { day: second, count: 0 },
        { day: third, count: 3 },
      ],
    })
    t.equal((await stats(admin, { ...range, userId: bob.id })).total, 1)
  })

  t.test('are of the days that the time touches', async (t) => {
    const days = async (from: number, to: number) => (await stats(alice, { from: isoAt(from), to: isoAt(to) })).byDay.map(({ day, count }) => [day, count])
    t.same(await days(day - 1, day), [[first, 1]])
    t.same(await days(day - 1, day + 1), [
      [first, 1],
      [second, 0],
    ])
    t.same(await days(day, day), [], 'no time, no days')
  })

  t.test('are of the last 30 days, today included, unless said otherwise', async (t) => {
    const { byDay, total } = await stats(alice)
    t.equal(byDay.length, 30)
    t.equal(byDay.at(-1)?.day, clock.now().toISOString().slice(0, 10))
    t.equal(
      total,
      byDay.reduce((sum, { count }) => sum + count, 0),
    )
    t.ok((byDay.at(-1)?.count ?? 0) > 0, 'of which this very moment is one')
    const { byDay: before } = await stats(alice, { to: isoAt(day) })
    t.same([before.length, before.at(-1)], [30, { day: first, count: 2 }])
  })

  t.test('refuse a time that is longer than 366 days or ends before it begins', async (t) => {
    const refused = async (query: Record<string, string>) => (await get(alice, 'security/stats', query)).json.error?.details?.[0].field
    t.equal(await refused({ from: isoAt(-366 * day), to: isoAt(0) }), undefined)
    t.equal(await refused({ from: isoAt(-366 * day - 1), to: isoAt(0) }), 'query.from')
    t.equal(await refused({ from: isoAt(1), to: isoAt(0) }), 'query.from')
    t.equal(await refused({ from: new Date(clock.now().getTime() + minute).toISOString() }), 'query.from')
    t.equal(await refused({ to: '0001-01-01T00:00:00Z' }), undefined)
  })
})

t.test('the audit log', async (t) => {
  const [alice, bob, admin] = [await server.signUp(), await server.signUp(), await administrator()]
  const act = async (action: 'user.suspend' | 'user.delete', actorId: UserId | undefined, targetId: UserId, reason?: string) => {
    await server.database.db.transaction((tx) => security.audit({ action, actorId, targetId, ip: '192.0.2.7', reason, metadata: { from: 'user' } }, tx))
    clock.advance(1)
  }
  const start = clock.now().toISOString()
  await act('user.suspend', admin.id, alice.id, 'Spam')
  const between = clock.now().toISOString()
  await act('user.delete', admin.id, bob.id)
  await act('user.suspend', undefined, bob.id)
  const entries = async (query: Record<string, string | number> = {}) => (await get(admin, 'admin/audit-log', { from: start, ...query })).json.items
  const all = await entries()
  const [byServer, deleted, suspended] = all

  t.test('tells what was done by whom to whom, the newest first', async (t) => {
    t.match(suspended, {
      ...{ action: 'user.suspend', actorId: admin.id, targetId: alice.id, ip: '192.0.2.7', reason: 'Spam', metadata: { from: 'user' } },
    })
    t.match(byServer, { action: 'user.suspend', actorId: null, targetId: bob.id, reason: null })
    t.equal(all.length, 3)
  })

  t.test('is filtered by action, actor, target and time', async (t) => {
    t.same(await entries({ action: 'user.suspend' }), [byServer, suspended])
    t.same(await entries({ actorId: admin.id }), [deleted, suspended])
    t.same(await entries({ targetId: bob.id }), [byServer, deleted])
    t.same(await entries({ targetId: bob.id, actorId: admin.id, action: 'user.delete' }), [deleted])
    t.same(await entries({ from: between }), [byServer, deleted])
    t.same(await entries({ to: between }), [suspended])
  })

  t.test('comes in pages', async (t) => {
    t.same((await allPages(admin, 'admin/audit-log', { from: start, limit: 2 })).pages, [ids([byServer, deleted]), ids([suspended])])
  })

  t.test('is for administrators', async (t) => {
    t.match(await get(alice, 'admin/audit-log'), { status: 403, json: { error: { code: 'forbidden' } } })
    t.equal((await server.request('GET', '/v1/admin/audit-log')).status, 401)
  })
})

t.test('events older than a year go as new ones come, however many they are', async (t) => {
  const { id } = await server.signUp()
  const yearAgo = clock.now().getTime() - 365 * day
  const insert = `insert into security_events (id, type, severity, user_id, created_at)
    select gen_random_uuid(), 'sign_in_failed', 'medium', $1, $2::timestamptz from generate_series(1, $3)`
  await pool.query(insert, [id, new Date(yearAgo - minute).toISOString(), 1_200])
  await pool.query(insert, [id, new Date(yearAgo + 90 * minute).toISOString(), 3])
  const left = async () => (await pool.query('select count(*) from security_events where user_id = $1 and created_at < $2', [id, isoAt(0)])).rows[0].count
  clock.advance(60 * minute)
  await server.signUp()
  await eventually(async () => ((await left()) === 3 ? true : undefined))
  t.equal(await left(), 3)
})
