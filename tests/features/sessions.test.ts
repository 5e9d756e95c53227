import { createHmac } from 'node:crypto'
import t from 'tap'
import type { TokenPair } from '../../openapi/auth/schemas.ts'
import type { CredentialRevoked } from '../../src/topics.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'
import { createAuthClient, createTestClock, day, decode, isAbout, minute, repeat, second } from './auth-client.ts'

const jwtSecret = 'a secret of these tests, long enough'
const clock = createTestClock()
const env = { JWT_SECRET: jwtSecret }
const { url: databaseUrl, drop } = await createTestDatabase()
t.teardown(drop)
const server = await startServer(t, { clock, env, databaseUrl })
const { pool } = server.database
const { send, login, refresh, logout, me, signedIn } = createAuthClient(server)

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
