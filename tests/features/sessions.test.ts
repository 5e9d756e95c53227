import { createHmac } from 'node:crypto'
import t from 'tap'
import type { Session, TokenPair } from '../../openapi/auth/schemas.ts'
import { deviceLabel } from '../../src/features/auth/device-label.ts'
import type { CredentialRevoked } from '../../src/topics.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'
import { createAuthClient, createTestClock, day, decode, eventually, isAbout, minute, password, repeat, second } from './auth-client.ts'

const jwtSecret = 'a secret of these tests, long enough'
const clock = createTestClock()
const env = { JWT_SECRET: jwtSecret }
const { url: databaseUrl, drop } = await createTestDatabase()
t.teardown(drop)
const server = await startServer(t, { clock, env, databaseUrl })
const { pool } = server.database
const { send, login, refresh, logout, me, mailsTo, signedIn } = createAuthClient(server)

t.test('refreshing', async (t) => {
  const tokenRows = async (pair: TokenPair) => {
    const { sid } = decode(pair.accessToken)
    const { rows } = await pool.query('select count(*) from refresh_tokens where session_id = $1', [sid])
    return rows[0].count
  }

  t.test('returns the next pair, again and again', async (t) => {
    let pair: TokenPair = await signedIn()
    for (let times = 0; times < 3; times++) {
      clock.advance(minute)
      const { status, body } = await refresh(pair.refreshToken)
      t.equal(status, 200)
      t.ok(isAbout(body.expiresInSeconds, 900) && isAbout(body.refreshExpiresInSeconds, 604_800))
      t.not(body.refreshToken, pair.refreshToken)
      t.equal((await me(body.accessToken)).status, 200)
      pair = body
    }
  })

  t.test('returns the same pair when the answer got lost and the client tries again', async (t) => {
    const pair = await signedIn()
    const first = await refresh(pair.refreshToken)
    clock.advance(8 * second)
    const again = await refresh(pair.refreshToken)
    t.equal(again.status, 200)
    t.equal(again.body.refreshToken, first.body.refreshToken)
    t.equal(again.body.accessToken, first.body.accessToken)
    t.ok(isAbout(again.body.expiresInSeconds, 892) && isAbout(again.body.refreshExpiresInSeconds, 604_792))
    t.equal((await refresh(again.body.refreshToken)).status, 200)
  })

  t.test('by several clients at once gives all of them one pair', async (t) => {
    const pair = await signedIn()
    const answers = await repeat(8, () => refresh(pair.refreshToken))
    t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
    t.equal(new Set(answers.map(({ body }) => `${body.refreshToken} ${body.accessToken}`)).size, 1)
    t.equal(await tokenRows(pair), 2)
  })

  t.test('with a token used before ends the session: all its tokens are void', async (t) => {
    const pair = await signedIn()
    const { body: next } = await refresh(pair.refreshToken)
    clock.advance(10 * second + 1)
    const { status, error } = await refresh(pair.refreshToken)
    t.same({ status, error }, { status: 403, error: 'token_family_compromised' })
    t.equal((await refresh(next.refreshToken)).error, 'unauthorized')
    t.equal((await refresh(pair.refreshToken)).error, 'unauthorized')
    t.equal((await me(next.accessToken)).error, 'unauthorized')
    t.equal((await me(pair.accessToken)).error, 'unauthorized')
  })

  t.test('with a token whose successor was used ends the session, however soon', async (t) => {
    const pair = await signedIn()
    const { body: next } = await refresh(pair.refreshToken)
    const { body: last } = await refresh(next.refreshToken)
    t.equal((await refresh(pair.refreshToken)).error, 'token_family_compromised')
    t.equal((await me(last.accessToken)).error, 'unauthorized')
  })

  t.test('with a token used before is written down as critical, once, with the session and the address', async (t) => {
    const pair = await signedIn()
    await refresh(pair.refreshToken)
    clock.advance(11 * second)
    const answers = await repeat(4, () => refresh(pair.refreshToken))
    t.same(answers.map(({ error }) => error).toSorted(), ['token_family_compromised', 'unauthorized', 'unauthorized', 'unauthorized'])
    const { sub, sid } = decode(pair.accessToken)
    const { rows } = await pool.query("select severity, ip, metadata from security_events where user_id = $1 and type = 'refresh_token_reused'", [sub])
    t.same(rows, [{ severity: 'critical', ip: '127.0.0.1', metadata: { sessionId: sid } }])
  })

  t.test('is for those who may sign in: who is suspended or erased is unauthorized', async (t) => {
    for (const change of ['suspended_at', 'erased_at']) {
      const pair = await signedIn()
      await pool.query(`update users set ${change} = now() where email = $1`, [pair.email])
      t.equal((await refresh(pair.refreshToken)).error, 'unauthorized', change)
    }
  })

  t.test('ends 90 days after the sign-in, however often it is done', async (t) => {
    let pair: TokenPair = await signedIn()
    for (let days = 6; days <= 84; days += 6) {
      clock.advance(6 * day)
      pair = (await refresh(pair.refreshToken)).body
      t.ok(isAbout(pair.refreshExpiresInSeconds, 86_400 * Math.min(7, 90 - days)))
    }
    clock.advance(6 * day - minute)
    pair = (await refresh(pair.refreshToken)).body
    t.ok(pair.refreshExpiresInSeconds <= 60)
    clock.advance(minute)
    t.equal((await refresh(pair.refreshToken)).error, 'unauthorized')
  })

  t.test("leaves the user's other sessions alone", async (t) => {
    const stolen = await signedIn()
    const { body: other } = await login(stolen.email)
    await refresh(stolen.refreshToken)
    clock.advance(11 * second)
    t.equal((await refresh(stolen.refreshToken)).error, 'token_family_compromised')
    t.equal((await me(other.accessToken)).status, 200)
    t.equal((await refresh(other.refreshToken)).status, 200)
  })

  t.test('ends 7 days after the last time', async (t) => {
    let pair: TokenPair = await signedIn()
    clock.advance(6 * day)
    pair = (await refresh(pair.refreshToken)).body
    clock.advance(6 * day)
    pair = (await refresh(pair.refreshToken)).body
    t.equal(await tokenRows(pair), 2, 'what has expired is gone')
    clock.advance(7 * day)
    t.equal((await refresh(pair.refreshToken)).error, 'unauthorized')
  })

  t.test('with an unknown token is unauthorized, and with none of ours a bad request', async (t) => {
    t.equal((await refresh(`rt_${'A'.repeat(43)}`)).error, 'unauthorized')
    t.equal((await refresh('rt_short')).error, 'validation_error')
    t.equal((await send('POST', 'refresh', { body: {} })).error, 'validation_error')
  })

  t.test('keeps no token in clear', async (t) => {
    const { refreshToken } = await signedIn()
    const { rows } = await pool.query("select count(*) from refresh_tokens where to_jsonb(refresh_tokens)::text like '%' || $1 || '%'", [refreshToken.slice(3)])
    t.equal(rows[0].count, 0)
  })

  t.test('leaves no expired sessions behind for long', async (t) => {
    const expired = async () => (await pool.query('select count(*) from sessions where expires_at < $1', [clock.now()])).rows[0].count
    await signedIn()
    clock.advance(8 * day)
    const before = await expired()
    await signedIn()
    t.equal(await expired(), Math.max(0, before - 20))
  })
})

t.test('signing out', async (t) => {
  t.test('ends the access token and the refresh token of this session, and no other', async (t) => {
    const pair = await signedIn()
    const { body: other } = await login(pair.email)
    t.equal((await logout(pair.accessToken)).status, 204)
    t.equal((await me(pair.accessToken)).error, 'unauthorized')
    t.equal((await refresh(pair.refreshToken)).error, 'unauthorized')
    t.equal((await logout(pair.accessToken)).error, 'unauthorized')
    t.equal((await me(other.accessToken)).status, 200)
  })

  t.test('twice at once changes nothing', async (t) => {
    const pair = await signedIn()
    const { sub, sid, exp } = decode(pair.accessToken)
    const actor = { kind: 'session' as const, userId: sub, credentialId: sid, role: 'user' as const, expiresAt: exp * second }
    await repeat(2, () => server.app.services.auth.logout(actor))
    t.equal((await me(pair.accessToken)).error, 'unauthorized')
  })

  t.test('holds after the refresh token was renewed: every access token of the session is void', async (t) => {
    const pair = await signedIn()
    const { body: next } = await refresh(pair.refreshToken)
    await logout(next.accessToken)
    t.equal((await me(pair.accessToken)).error, 'unauthorized')
  })

  t.test('holds after a restart', async (t) => {
    const pair = await signedIn()
    const { body: other } = await login(pair.email)
    await logout(pair.accessToken)
    const restarted = createAuthClient(await startServer(t, { clock, env, databaseUrl }))
    t.equal((await restarted.me(pair.accessToken)).error, 'unauthorized')
    t.equal((await restarted.me(other.accessToken)).status, 200)
  })

  t.test('holds, and is told, when its commit lost its answer', async (t) => {
    const proxy = await startDatabaseProxy(t, databaseUrl)
    const shaky = await startServer(t, { clock, env, databaseUrl: proxy.url })
    const client = createAuthClient(shaky)
    const { accessToken } = await client.signedIn()
    const { sid } = decode(accessToken)
    const told = new Promise<CredentialRevoked>((resolve) => t.teardown(shaky.app.topics.subscribe('credential', sid, resolve)))
    const held = proxy.hold('commit')
    const answer = client.logout(accessToken)
    const connection = await held
    connection.cut()
    t.equal((await answer).error, 'unavailable')
    t.same(await told, { type: 'credential.revoked', credentialId: sid })
    t.equal((await client.me(accessToken)).error, 'unauthorized')
  })

  t.test('is told to who listens to the session', async (t) => {
    const { accessToken } = await signedIn()
    const { sid } = decode(accessToken)
    const heard: unknown[] = []
    t.teardown(server.app.topics.subscribe('credential', sid, (event) => heard.push(event)))
    await logout(accessToken)
    t.same(heard, [{ type: 'credential.revoked', credentialId: sid }])
  })
})

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0'
const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1'

const loginFrom = async (userAgent: string, email: string): Promise<TokenPair> =>
  (await server.request('POST', '/v1/auth/login', { body: { identifier: email, password }, headers: { 'user-agent': userAgent } })).json
const list = (token: string, search = '') => send<{ items: Session[]; nextCursor: string | null; hasMore: boolean }>('GET', `sessions${search}`, { token })
const revoke = (token: string, id: string) => send('DELETE', `sessions/${id}`, { token })
const eventsOf = async ({ accessToken }: TokenPair, type: string) =>
  (await pool.query('select ip, metadata from security_events where user_id = $1 and type = $2 order by id', [decode(accessToken).sub, type])).rows

/** Resolves when a statement waits for what somebody else has locked. */
const isWaiting = () =>
  eventually(async () => (await pool.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")).rows[0])

t.test('the list of sessions', async (t) => {
  t.test('names those that go on, the newest first, with what is known of them', async (t) => {
    const first = await signedIn()
    const second = await loginFrom(firefox, first.email)
    const third = await loginFrom(safari, first.email)
    await logout(second.accessToken)
    const { body } = await list(first.accessToken)
    t.match(body, { nextCursor: null, hasMore: false })
    t.same(
      body.items.map(({ id, current, kind, device, ip }) => ({ id, current, kind, device, ip })),
      [
        { id: decode(third.accessToken).sid, current: false, kind: 'token', device: 'Safari on iOS', ip: '127.0.0.1' },
        { id: decode(first.accessToken).sid, current: true, kind: 'token', device: 'node', ip: '127.0.0.1' },
      ],
    )
  })

  t.test('tells when one was used last, and until when it holds', async (t) => {
    const pair = await signedIn()
    clock.advance(minute)
    const { body: next } = await refresh(pair.refreshToken)
    const [session] = (await list(next.accessToken)).body.items
    t.ok(Date.parse(session?.lastSeen ?? '') - Date.parse(session?.createdAt ?? '') >= minute)
    t.equal(Date.parse(session?.expiresAt ?? '') - Date.parse(session?.lastSeen ?? ''), 7 * day)
  })

  t.test('has no session that has expired', async (t) => {
    const old = await signedIn()
    clock.advance(8 * day)
    const { body } = await login(old.email)
    t.same(
      (await list(body.accessToken)).body.items.map(({ id }) => id),
      [decode(body.accessToken).sid],
    )
  })

  t.test('comes in pages, each session once, also when others begin meanwhile', async (t) => {
    const pair = await signedIn()
    for (let times = 0; times < 4; times++) await login(pair.email)
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const { body }: Awaited<ReturnType<typeof list>> = await list(pair.accessToken, `?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
      t.ok(body.items.length <= 2)
      t.equal(body.hasMore, body.nextCursor !== null)
      ids.push(...body.items.map(({ id }) => id))
      cursor = body.nextCursor
      await login(pair.email)
    } while (cursor !== null)
    t.equal(new Set(ids).size, 5)
    t.same(ids.toSorted().toReversed(), ids)
  })

  t.test('refuses a cursor that is none, and whoever is not signed in personally', async (t) => {
    const { accessToken } = await signedIn()
    for (const cursor of ['x', Buffer.from('["x"]').toString('base64url'), Buffer.from('[7]').toString('base64url')])
      t.equal((await list(accessToken, `?cursor=${cursor}`)).error, 'validation_error')
    t.equal((await send('GET', 'sessions')).error, 'unauthorized')
    const { json } = await server.request('POST', '/v1/api-keys', { token: accessToken, body: { name: 'robot', scope: 'write' } })
    t.equal((await list(json.key)).error, 'insufficient_scope')
  })

  t.test('knows devices by what their programs say', async (t) => {
    const labels: [userAgent: string | undefined, label: string][] = [
      [firefox, 'Firefox on Linux'],
      [
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0',
        'Microsoft Edge on Windows',
      ],
      ['curl/8.5.0', 'curl'],
      ['node', 'node'],
      ['python-requests/2.31.0', 'python-requests'],
      ['okhttp/4.12.0', 'okhttp'],
      [undefined, 'Unknown device'],
      ['', 'Unknown device'],
      ['Mozilla/5.0 (compatible)', 'Unknown device'],
      ['<b>https://evil.example</b> you have won/1.0 (yes)', 'Unknown device'],
      ['evil.example/1.0', 'Unknown device'],
    ]
    for (const [userAgent, label] of labels) t.equal(deviceLabel(userAgent), label)
  })
})

t.test('ending sessions', async (t) => {
  t.test('one by one ends all that belongs to it, and is written down', async (t) => {
    const pair = await signedIn()
    const { body: other } = await login(pair.email)
    const { sid } = decode(other.accessToken)
    t.equal((await revoke(pair.accessToken, sid)).status, 204)
    t.equal((await me(other.accessToken)).error, 'unauthorized')
    t.equal((await refresh(other.refreshToken)).error, 'unauthorized')
    t.equal((await me(pair.accessToken)).status, 200)
    t.same(await eventsOf(pair, 'session_revoked'), [{ ip: '127.0.0.1', metadata: { sessionId: sid } }])
    t.equal((await revoke(pair.accessToken, sid)).error, 'not_found', 'it has ended')
  })

  t.test("ends one's own too", async (t) => {
    const { accessToken } = await signedIn()
    t.equal((await revoke(accessToken, decode(accessToken).sid)).status, 204)
    t.equal((await me(accessToken)).error, 'unauthorized')
  })

  t.test("cannot end somebody else's, which is answered as one that there is not", async (t) => {
    const [alice, bob] = [await signedIn(), await signedIn()]
    const [theirs, none] = [await revoke(bob.accessToken, decode(alice.accessToken).sid), await revoke(bob.accessToken, decode(alice.accessToken).sub)]
    t.same([theirs.status, theirs.error], [404, 'not_found'])
    const plain = ({ body }: { body: unknown }) => JSON.stringify(body).replace(/"(requestId|timestamp)":"[^"]*"/g, '')
    t.equal(plain(theirs), plain(none))
    t.equal((await me(alice.accessToken)).status, 200)
    t.equal((await revoke(bob.accessToken, 'x')).error, 'validation_error')
  })

  t.test('all at once says how many there were, and leaves API keys and other people alone', async (t) => {
    const [pair, stranger] = [await signedIn(), await signedIn()]
    const { body: ended } = await login(pair.email)
    await logout(ended.accessToken)
    const { body: other } = await login(pair.email)
    const { json } = await server.request('POST', '/v1/api-keys', { token: pair.accessToken, body: { name: 'robot', scope: 'read' } })
    const { status, body } = await send('POST', 'revoke-all', { token: pair.accessToken })
    t.same([status, body], [200, { revokedCount: 2 }])
    for (const { accessToken, refreshToken } of [pair, other]) {
      t.equal((await me(accessToken)).error, 'unauthorized')
      t.equal((await refresh(refreshToken)).error, 'unauthorized')
    }
    t.equal((await me(json.key)).status, 200)
    t.equal((await me(stranger.accessToken)).status, 200)
    t.same(await eventsOf(pair, 'sessions_revoked'), [{ ip: '127.0.0.1', metadata: { revokedCount: 2 } }])
  })

  t.test('can leave the one that asks', async (t) => {
    const pair = await signedIn()
    await repeat(3, () => login(pair.email))
    const body = { exceptCurrent: true }
    t.same((await send('POST', 'revoke-all', { token: pair.accessToken, body })).body, { revokedCount: 3 })
    t.same((await send('POST', 'revoke-all', { token: pair.accessToken, body })).body, { revokedCount: 0 })
    t.equal((await refresh(pair.refreshToken)).status, 200)
    t.equal((await send('POST', 'revoke-all', { token: pair.accessToken, body: { exceptCurrent: 'yes' } })).error, 'validation_error')
    t.equal((await send('POST', 'revoke-all', { body })).error, 'unauthorized')
  })

  t.test('overlooks none that is just beginning: it waits for that', async (t) => {
    const pair = await signedIn()
    const signIn = await pool.connect()
    await signIn.query('begin')
    await signIn.query('select from users where email = $1 for no key update', [pair.email])
    await signIn.query(
      `insert into sessions (id, user_id, created_at, last_used_at, expires_at)
       select gen_random_uuid(), id, $2, $2, $2::timestamptz + interval '1 day' from users where email = $1`,
      [pair.email, clock.now()],
    )
    const answer = send('POST', 'revoke-all', { token: pair.accessToken, body: {} })
    await Promise.race([answer, isWaiting()])
    await signIn.query('commit')
    signIn.release()
    t.same((await answer).body, { revokedCount: 2 })
  })

  t.test('overlooks none that goes over into a cookie at that moment', async (t) => {
    for (let times = 0; times < 5; times++) {
      const pair = await signedIn()
      const { body: other } = await login(pair.email)
      const [started, all] = await Promise.all([
        server.request('POST', '/v1/auth/cookie', { body: { refreshToken: other.refreshToken } }),
        send<{ revokedCount: number }>('POST', 'revoke-all', { token: pair.accessToken, body: {} }),
      ])
      t.equal(all.body.revokedCount, 2)
      const cookie = started.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      t.equal((await server.request('GET', '/v1/auth/me', { headers: { cookie } })).status, 401)
    }
  })
})

t.test('signing in', async (t) => {
  t.test('on another device than before is told by mail and written down, once per device', async (t) => {
    const pair = await signedIn()
    await login(pair.email)
    t.same(await eventsOf(pair, 'new_device'), [], 'the first device is no news')
    await loginFrom(firefox, pair.email)
    await loginFrom(firefox, pair.email)
    await login(pair.email)
    t.same(await eventsOf(pair, 'new_device'), [{ ip: '127.0.0.1', metadata: { device: 'Firefox on Linux' } }])
    const notices = async () => (await mailsTo(pair.email)).filter(({ subject }) => subject?.startsWith('New sign-in'))
    await eventually(async () => (await notices())[0])
    await loginFrom(safari, pair.email)
    const mails = await eventually(async () => ((await notices()).length >= 2 ? notices() : undefined))
    t.same(
      mails.map(({ subject }) => subject),
      ['New sign-in to Parley: Firefox on Linux', 'New sign-in to Parley: Safari on iOS'],
    )
    t.match(
      mails[0]?.text,
      /Firefox on Linux[\s\S]*\d{4}-\d\d-\d\d \d\d:\d\d UTC[\s\S]*127\.0\.0\.1[\s\S]*If it was not you[\s\S]*revoke[\s\S]*change your password/,
    )
  })

  t.test('on two new devices at once is told of both', async (t) => {
    const pair = await signedIn()
    await Promise.all([loginFrom(firefox, pair.email), loginFrom(safari, pair.email), loginFrom(firefox, pair.email)])
    t.equal((await eventsOf(pair, 'new_device')).length, 2)
  })

  t.test('on ever new devices is written down each time, told by at most 5 mails a day, and remembered of the last 50', async (t) => {
    const pair = await signedIn()
    const { sub } = decode(pair.accessToken)
    const mailsEnqueued = async () => (await pool.query("select from jobs.job where name = 'auth.mailNewDevice' and data->>'userId' = $1", [sub])).rows.length
    const devices = async () => (await pool.query('select from known_devices where user_id = $1', [sub])).rows.length
    for (let times = 0; times < 8; times++) await loginFrom(`agent${times}/1.0`, pair.email)
    t.equal((await eventsOf(pair, 'new_device')).length, 8)
    t.equal(await mailsEnqueued(), 4, 'the first of all was of this day')
    clock.advance(day)
    for (let times = 8; times < 16; times++) await loginFrom(`agent${times}/1.0`, pair.email)
    t.equal(await mailsEnqueued(), 9)

    await pool.query(
      `insert into known_devices (user_id, device_hash, first_seen_at, last_seen_at)
       select $1, 'device ' || n, $2::timestamptz - n * interval '1 day', $2::timestamptz - n * interval '1 day' from generate_series(1, 60) n`,
      [sub, clock.now()],
    )
    await loginFrom('agent16/1.0', pair.email)
    t.equal(await devices(), 51)
    await loginFrom('agent9/1.0', pair.email)
    t.equal((await eventsOf(pair, 'new_device')).length, 17, 'those that were used last are known')
    t.equal(await devices(), 50)
  })

  t.test('on a device that was not used for half a year is told again', async (t) => {
    const pair = await signedIn()
    await loginFrom(firefox, pair.email)
    for (let times = 0; times < 2; times++) {
      clock.advance(100 * day)
      await login(pair.email)
    }
    t.equal((await eventsOf(pair, 'new_device')).length, 1)
    await loginFrom(firefox, pair.email)
    t.equal((await eventsOf(pair, 'new_device')).length, 2)
  })

  t.test('while one is being suspended waits for that, and is refused', async (t) => {
    const pair = await signedIn()
    const administrator = await pool.connect()
    await administrator.query('begin')
    await administrator.query('update users set suspended_at = now() where email = $1', [pair.email])
    const answer = login(pair.email)
    await Promise.race([answer, isWaiting()])
    await administrator.query('commit')
    administrator.release()
    t.equal((await answer).error, 'account_suspended')
  })
})

t.test('an access token', async (t) => {
  t.test('is needed', async (t) => {
    t.equal((await me()).error, 'unauthorized')
    t.equal((await send('POST', 'logout')).error, 'unauthorized')
  })

  t.test('is void after 15 minutes', async (t) => {
    const { accessToken } = await signedIn()
    t.equal((await me(accessToken)).status, 200)
    clock.advance(15 * minute)
    t.equal((await me(accessToken)).error, 'unauthorized')
  })

  t.test('must be signed by us, for us, with our algorithm, and be one of ours', async (t) => {
    const { accessToken } = await signedIn()
    // With the name of the key in it.
    const header = JSON.parse(String(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url')))
    const claims = decode(accessToken)
    const [encodedHeader, , signature] = accessToken.split('.')
    t.equal((await me(sign(header, claims))).status, 200, 'made by hand, but right')
    const forgeries: Record<string, string> = {
      'another key': sign(header, claims, 'another secret of the tests, long enough'),
      'no signature': `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
      'no signature, claimed to be one': sign({ alg: 'none', typ: 'JWT' }, claims),
      'an empty signature': `${encodedHeader}.${encode(claims)}.`,
      'another algorithm': sign({ alg: 'HS512', typ: 'JWT' }, claims, jwtSecret, 'sha512'),
      'changed claims': `${encodedHeader}.${encode({ ...claims, role: 'admin' })}.${signature}`,
      'another issuer': sign(header, { ...claims, iss: 'elsewhere' }),
      'another audience': sign(header, { ...claims, aud: 'elsewhere' }),
      'no session': sign(header, { ...claims, sid: undefined }),
      'an unknown role': sign(header, { ...claims, role: 'root' }),
      'no expiry': sign(header, { ...claims, exp: undefined }),
      expired: sign(header, { ...claims, exp: Math.floor(clock.now().getTime() / second) - 1 }),
      'a refresh token': (await login((await signedIn()).email)).body.refreshToken,
      'no token': 'x',
      'claims that are no object': sign(header, 'claims'),
    }
    for (const [name, token] of Object.entries(forgeries)) t.equal((await me(token)).error, 'unauthorized', name)
  })

  t.test('of a user who is gone is unauthorized', async (t) => {
    const { accessToken, email } = await signedIn()
    await pool.query('delete from users where email = $1', [email])
    t.equal((await me(accessToken)).error, 'unauthorized')
  })
})

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function sign(header: object, claims: unknown, secret = jwtSecret, algorithm = 'sha256'): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac(algorithm, secret).update(input).digest('base64url')}`
}
