/** Signing in at other providers: a real OpenID Connect provider, what answers as GitHub does, browsers with cookies, and once Chromium. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createOAuthRequest } from '@parley/sdk'
import pino from 'pino'
import t from 'tap'
import type { TokenPair } from '../../openapi/auth/schemas.ts'
import { launchBrowser } from '../helpers/browser.ts'
import { githubClient, startGitHub } from '../helpers/github.ts'
import { oidcClient, startOidcProvider } from '../helpers/oidc-provider.ts'
import { createPageVisitor, type PageVisitor } from '../helpers/page-visitor.ts'
import { startServer } from '../helpers/server.ts'
import { createAuthClient, createTestClock, eventually, minute, newEmail, password, repeat, second } from './auth-client.ts'

const clock = createTestClock()
const acme = await startOidcProvider(t)
const late = await startOidcProvider(t)
const github = await startGitHub(t)
const logged: string[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
const server = await startServer(t, {
  clock,
  log,
  env: {
    ...{ OAUTH_ACME_ISSUER: acme.issuer, OAUTH_ACME_CLIENT_ID: oidcClient.id, OAUTH_ACME_CLIENT_SECRET: oidcClient.secret, OAUTH_ACME_LABEL: 'Acme Inc.' },
    ...{ OAUTH_LATE_ISSUER: late.issuer, OAUTH_LATE_CLIENT_ID: oidcClient.id, OAUTH_LATE_CLIENT_SECRET: oidcClient.secret },
    ...{ OAUTH_GITHUB_CLIENT_ID: githubClient.id, OAUTH_GITHUB_CLIENT_SECRET: githubClient.secret, OAUTH_GITHUB_URL: github.url },
    OAUTH_REDIRECT_URIS: 'https://app.example.com/in?from=parley,com.example.app:/in',
  },
})
const { pool } = server.database
/** Cookies belong to a host, and this is the one that providers send browsers back to. */
const baseUrl = server.url.replace('127.0.0.1', 'localhost')
const callbackUrl = (provider: string) => `${baseUrl}/v1/auth/oauth/${provider}/callback`
acme.open(callbackUrl('acme'))
const { register, registered, login, me, verifyEmail } = createAuthClient(server)

const redirectUri = 'http://127.0.0.1:8080/signed-in'

let logins = 0
/** Somebody whom Acme knows. */
function newcomer(claims: Record<string, unknown> = {}): { login: string; email: string } {
  const [name, email] = [`login-${++logins}`, newEmail()]
  acme.people.set(name, { email, email_verified: true, name: 'Grace Hopper', given_name: 'Grace', family_name: 'Hopper', ...claims })
  return { login: name, email }
}

const begin = (provider = 'acme', uri = redirectUri) => createOAuthRequest({ baseUrl, provider, redirectUri: uri })

/** As far as the address that the provider sends the browser back to. */
async function signInThere(who: { login: string }, visitor: PageVisitor = createPageVisitor()) {
  const { url, codeVerifier } = await begin()
  const callback = await visitor.goUntil(callbackUrl('acme'), url, who)
  return { visitor, callback, codeVerifier }
}

async function comeBack(visitor: PageVisitor, callback: URL) {
  const response = await visitor.request(callback.href)
  const location = response.headers.get('location')
  const json: { error: { code: string } } | undefined = location === null ? JSON.parse(await response.text()) : undefined
  const { searchParams } = new URL(location ?? 'none:')
  return { response, location, code: searchParams.get('code') ?? '', error: searchParams.get('error') ?? json?.error.code }
}

const exchange = (code: string, codeVerifier: string) => server.request('POST', '/v1/auth/oauth/exchange', { body: { code, codeVerifier } })

async function signIn(who: { login: string }): Promise<TokenPair> {
  const { visitor, callback, codeVerifier } = await signInThere(who)
  const { code } = await comeBack(visitor, callback)
  const { status, json } = await exchange(code, codeVerifier)
  t.equal(status, 200)
  return json
}

/** What becomes of somebody with these claims. */
async function outcomeFor(claims: Record<string, unknown>) {
  const { visitor, callback } = await signInThere(newcomer(claims))
  return comeBack(visitor, callback)
}

const linked = async (userId: string) => {
  const { rows } = await pool.query(
    "select metadata->>'provider' as provider from security_events where user_id = $1 and type = 'oauth_account_linked' order by created_at, id",
    [userId],
  )
  return rows.map(({ provider }) => provider)
}

t.test('the providers that are configured are listed', async (t) => {
  const { providers } = await server.client().auth.listOAuthProviders()
  t.same(providers, [
    { id: 'github', name: 'GitHub', startUrl: '/v1/auth/oauth/github' },
    { id: 'acme', name: 'Acme Inc.', startUrl: '/v1/auth/oauth/acme' },
    { id: 'late', name: 'LATE', startUrl: '/v1/auth/oauth/late' },
  ])
  t.same(await (await startServer(t)).client().auth.listOAuthProviders(), { providers: [] }, 'none, where none is')
})

t.test('the SDK makes a request that fits, another one each time', async (t) => {
  const options = { baseUrl: 'https://chat.example/parley/', provider: 'a/b', redirectUri: 'https://app.example/in?a=b&c=d' }
  const [{ url, codeVerifier }, other] = [await createOAuthRequest(options), await createOAuthRequest(options)]
  const { origin, pathname, searchParams } = new URL(url)
  t.equal(origin + pathname, 'https://chat.example/parley/v1/auth/oauth/a%2Fb')
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url')
  t.same(Object.fromEntries(searchParams), { redirectUri: options.redirectUri, codeChallenge })
  t.match(codeVerifier, /^[\w-]{43}$/)
  t.not(codeVerifier, other.codeVerifier)
})

t.test('a newcomer signs in at an OpenID Connect provider and gets an account', async (t) => {
  const who = newcomer()
  const visitor = createPageVisitor()
  const { url, codeVerifier } = await begin()
  const start = await visitor.request(url)
  const { origin, searchParams } = new URL(start.headers.get('location') ?? '')
  t.equal(start.status, 302)
  t.equal(origin, acme.issuer)
  t.match(Object.fromEntries(searchParams), {
    response_type: 'code',
    scope: 'openid email profile',
    code_challenge_method: 'S256',
    redirect_uri: callbackUrl('acme'),
  })
  for (const name of ['state', 'nonce', 'code_challenge']) t.match(searchParams.get(name), /^[\w-]{43}$/, name)
  t.match(start.headers.getSetCookie(), [/^parley-oauth=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/])
  t.equal(start.headers.get('cache-control'), 'no-store')

  const callback = await visitor.goUntil(callbackUrl('acme'), url, who)
  const back = await comeBack(visitor, callback)
  t.equal(back.response.status, 302)
  t.match(back.location, /^http:\/\/127\.0\.0\.1:8080\/signed-in\?code=[\w-]{43}$/, 'a code, and nothing else')
  t.equal(back.response.headers.get('referrer-policy'), 'no-referrer')
  t.equal(back.response.headers.get('cache-control'), 'no-store')

  const { status, json, headers } = await exchange(back.code, codeVerifier)
  t.equal(status, 200)
  t.equal(headers.get('cache-control'), 'no-store')
  t.match(json.user, { email: who.email, emailVerified: true, displayName: 'Grace Hopper', firstName: 'Grace', lastName: 'Hopper', hasPassword: false })
  t.equal((await me(json.accessToken)).body.id, json.user.id)
  t.same(await linked(json.user.id), ['acme'])
  const { rows } = await pool.query("select metadata from security_events where user_id = $1 and type = 'sign_in_succeeded'", [json.user.id])
  t.match(rows, [{ metadata: { method: 'oauth' } }])
})

t.test('nothing that is kept of a flow can finish it: states, cookies and codes are hashes', async (t) => {
  const { visitor, callback } = await signInThere(newcomer())
  const state = callback.searchParams.get('state') ?? ''
  const cookie = visitor.cookies().find(({ name }) => name === 'parley-oauth')?.value ?? ''
  t.match(cookie, /^[\w-]{43}$/)
  const rows = async () => JSON.stringify((await pool.query('select * from oauth_flows')).rows)
  const before = await rows()
  const { code } = await comeBack(visitor, callback)
  const after = await rows()
  for (const secret of [state, cookie, code]) t.notOk(before.includes(secret) || after.includes(secret))
  t.ok(before.includes(createHash('sha256').update(state).digest('base64url')) && after.includes(createHash('sha256').update(code).digest('base64url')))
})

t.test('whoever comes again is known by the account at the provider, whatever address and name it has by then', async (t) => {
  const who = newcomer()
  const { user } = await signIn(who)
  const others = newEmail()
  for (const claims of [
    { email: newEmail(), email_verified: false },
    { email: others, email_verified: true },
  ]) {
    acme.people.set(who.login, { ...claims, name: 'Somebody Else' })
    const again = await signIn(who)
    t.match(again.user, { id: user.id, email: who.email, displayName: 'Grace Hopper' })
  }
  t.equal((await pool.query('select count(*) from users where email = $1', [others])).rows[0].count, 0)
  t.same(await linked(user.id), ['acme'], 'it was linked once')
})

t.test('an account with the same, verified address is linked, and keeps its password and its name', async (t) => {
  const email = newEmail()
  const { id } = (await register({ email, password, displayName: 'Rear Admiral' })).body.user
  await createAuthClient(server)
    .codeFor(email)
    .then((code) => verifyEmail(email, code))
  const who = newcomer({ email: email.toUpperCase() })
  const { user } = await signIn(who)
  t.match(user, { id, email, displayName: 'Rear Admiral', hasPassword: true })
  t.equal((await login(email)).status, 200)
  t.same(await linked(id), ['acme'])
  const mail = await eventually(async () => (await server.mails()).find(({ to, subject }) => to?.[0]?.address === email && /Acme/.test(subject ?? '')))
  t.equal(mail.subject, 'Your Parley account can be signed in to with Acme Inc.', 'its owner is told')
  t.match(mail.text, /Address: {2}(127\.0\.0\.1|::1)/)
  await signIn(who)
  const { rows } = await pool.query("select from jobs.job where name = 'auth.mailNewCredential' and data->>'userId' = $1", [id])
  t.equal(rows.length, 1, 'once')
})

t.test('a password that somebody set in advance for an address of others is gone when its owner comes', async (t) => {
  const { email } = await registered()
  const { user } = await signIn(newcomer({ email }))
  t.match(user, { email, emailVerified: true, hasPassword: false })
  t.equal((await login(email)).error, 'invalid_credentials')
})

t.test('an address that the provider does not vouch for neither opens an account nor makes one', async (t) => {
  const { email } = await createAuthClient(server).signedIn()
  const claims = [
    { email, email_verified: false },
    { email, email_verified: 'true' },
    { email, email_verified: 1 },
    { email, email_verified: undefined },
    { email: undefined },
    { email: 'no address' },
    { email: '\u212aelvin@example.com' },
    { email: `${'a'.repeat(250)}@example.com` },
    { email: { toString: 'a' } },
  ]
  const count = async () => (await pool.query('select count(*) from users')).rows[0].count
  const before = await count()
  for (const one of claims) t.equal((await outcomeFor(one)).location, `${redirectUri}?error=email_not_verified`, JSON.stringify(one))
  t.equal(await count(), before)
})

t.test('an address is vouched for only by the answer that it stands in', async (t) => {
  const victim = await createAuthClient(server).signedIn()
  const who = newcomer()
  acme.atUserinfo.set(who.login, { email: victim.email, email_verified: undefined })
  const { visitor, callback } = await signInThere(who)
  t.equal((await comeBack(visitor, callback)).error, 'email_not_verified')

  acme.atUserinfo.set(who.login, { email: undefined, email_verified: undefined })
  t.equal((await signIn(who)).user.email, who.email, 'the ID token is enough')
})

t.test("names are cut to the contract's limits and cleaned", async (t) => {
  const { user } = await signIn(newcomer({ name: ` A\u0000\n\tB ${'😀'.repeat(200)}`, given_name: '\u0000 ', family_name: 7 }))
  t.equal(user.displayName, `A B ${'😀'.repeat(96)}`)
  t.same([user.firstName, user.lastName], [null, null])
})

t.test('somebody who is suspended is told so and gets no code, nor tokens for one from before', async (t) => {
  const who = newcomer()
  const { user } = await signIn(who)
  const { visitor, callback, codeVerifier } = await signInThere(who)
  const { code } = await comeBack(visitor, callback)
  const next = await signInThere(who)
  await pool.query('update users set suspended_at = now() where id = $1', [user.id])
  t.equal((await comeBack(next.visitor, next.callback)).location, `${redirectUri}?error=account_suspended`)
  t.equal((await exchange(code, codeVerifier)).json.error.code, 'account_suspended')
  await pool.query('update users set suspended_at = null where id = $1', [user.id])
  t.equal((await exchange(code, codeVerifier)).json.error.code, 'invalid_token', 'it is used up by that')
})

t.test('two flows of one new person at once make one account, and so do a flow and a registration', async (t) => {
  for (let round = 0; round < 3; round += 1) {
    const who = newcomer()
    const flows = await repeat(4, () => signInThere(who))
    const [backs] = await Promise.all([
      Promise.all(flows.map(({ visitor, callback }) => comeBack(visitor, callback))),
      register({ email: who.email, password }),
    ])
    const users = await Promise.all(backs.map(async ({ code }, index) => (await exchange(code, flows[index]?.codeVerifier ?? '')).json.user))
    t.equal(new Set(users.map(({ id }) => id)).size, 1)
    t.equal((await pool.query('select count(*) from users where email = $1', [who.email])).rows[0].count, 1)
    t.same(await linked(users[0].id), ['acme'], 'it was linked once')
  }
})

t.test('a flow belongs to the browser that began it', async (t) => {
  const who = newcomer()

  t.test('another browser cannot finish it, with the right state and code (login CSRF)', async (t) => {
    const { visitor, callback, codeVerifier } = await signInThere(who)
    const victim = createPageVisitor()
    t.equal((await comeBack(victim, callback)).error, 'invalid_token')
    await victim.request((await begin()).url)
    t.ok(victim.cookies().some(({ name }) => name === 'parley-oauth'))
    const { response, location, error } = await comeBack(victim, callback)
    t.same([response.status, location, error], [401, null, 'invalid_token'], 'nor one with a flow of its own')
    const { code } = await comeBack(visitor, callback)
    t.equal((await exchange(code, codeVerifier)).status, 200, 'the right one still can')
  })

  t.test('a state that is foreign, spoilt or of another provider is good for nothing', async (t) => {
    const { visitor, callback } = await signInThere(who)
    const state = callback.searchParams.get('state') ?? ''
    for (const wrong of [randomBytes(32).toString('base64url'), state.slice(1), `${state}=`, '']) {
      callback.searchParams.set('state', wrong)
      t.equal((await comeBack(visitor, callback)).error, 'invalid_token', wrong)
    }
    callback.searchParams.set('state', state)
    const elsewhere = new URL(callback.href.replace('/acme/', '/github/'))
    t.equal((await comeBack(visitor, elsewhere)).error, 'invalid_token', 'at the callback of another provider')
  })

  t.test('a state works once, also when two come at the same time', async (t) => {
    const { visitor, callback } = await signInThere(who)
    const outcomes = await repeat(5, () => comeBack(visitor, callback))
    t.same(outcomes.map(({ response }) => response.status).sort(), [302, 401, 401, 401, 401])
    t.equal((await comeBack(visitor, callback)).error, 'invalid_token')
  })

  t.test('two tabs do not put each other out', async (t) => {
    const visitor = createPageVisitor()
    const [first, second] = [await signInThere(who, visitor), await signInThere(who, visitor)]
    for (const { callback, codeVerifier } of [first, second]) t.equal((await exchange((await comeBack(visitor, callback)).code, codeVerifier)).status, 200)
  })

  t.test('it ends after ten minutes, and is cleared away by those that come later', async (t) => {
    const { visitor, callback } = await signInThere(who)
    clock.advance(10 * minute)
    t.equal((await comeBack(visitor, callback)).error, 'invalid_token')
    // Each clears away more than one.
    const expired = async () => (await pool.query('select count(*) from oauth_flows where expires_at < $1', [clock.now()])).rows[0].count
    for (let before = await expired(); before > 0; before = await expired()) {
      await begin().then(({ url }) => fetch(url, { redirect: 'manual' }))
      t.ok((await expired()) <= Math.max(0, before - 2), `of ${before}`)
    }
  })
})

t.test('an answer that is not of the provider, or not to this question, signs nobody in', async (t) => {
  const unknownCode = randomBytes(32).toString('base64url')
  const tampered: [what: string, changes: Record<string, string | undefined>][] = [
    ['iss of another provider (mix-up)', { iss: 'https://evil.example' }],
    ['no iss, where the provider says that it gives one', { iss: undefined }],
    ['a code that the provider did not give', { code: unknownCode }],
    ['no code', { code: undefined }],
    ['code and error', { error: 'server_error', error_description: 'It is late' }],
  ]
  for (const [what, changes] of tampered) {
    const { visitor, callback } = await signInThere(newcomer())
    for (const [name, value] of Object.entries(changes)) value === undefined ? callback.searchParams.delete(name) : callback.searchParams.set(name, value)
    t.equal((await comeBack(visitor, callback)).location, `${redirectUri}?error=failed`, what)
  }
  const [mine, other] = [await signInThere(newcomer()), await signInThere(newcomer())]
  mine.callback.searchParams.set('code', other.callback.searchParams.get('code') ?? '')
  t.equal((await comeBack(mine.visitor, mine.callback)).error, 'failed', 'a code of another flow (code injection): it has another verifier')

  const forged: [what: string, change: (path: string, body: string) => string][] = [
    ['an ID token with another signature', (path, body) => (path === '/token' ? body.replace(/(?<=\.)[\w-]{342}(?=")/, 'A'.repeat(342)) : body)],
    ['claims of somebody else', (path, body) => (path === '/me' ? body.replace(/"sub":"login-/, '"sub":"other-') : body)],
  ]
  for (const [what, change] of forged) {
    const { visitor, callback } = await signInThere(newcomer())
    acme.forgery.change = change
    t.equal((await comeBack(visitor, callback)).error, 'failed', what)
    delete acme.forgery.change
  }

  const { visitor, callback } = await signInThere(newcomer())
  callback.searchParams.set('session_state', 'x')
  callback.searchParams.append('unheard_of', '1')
  callback.searchParams.append('unheard_of', '2')
  t.equal((await comeBack(visitor, callback)).error, undefined, 'what else a provider adds is ignored (RFC 6749, section 4.1.2)')
  for (const reason of ['The provider says server_error: It is late', 'The provider says invalid_grant', 'unexpected "iss"']) {
    t.ok(
      logged.some((line) => String(JSON.parse(line).reason).includes(reason)),
      `the log tells: ${reason}`,
    )
  }
  t.notMatch(logged.join(''), /eyJ/, 'but no token')
})

t.test('whoever refuses at the provider comes back with access_denied', async (t) => {
  const visitor = createPageVisitor()
  const interaction = await visitor.goUntil(`${acme.issuer}/interaction/`, (await begin()).url)
  const callback = await visitor.goUntil(callbackUrl('acme'), `${interaction}/abort`)
  t.equal(callback.searchParams.get('error'), 'access_denied')
  t.equal((await comeBack(visitor, callback)).location, `${redirectUri}?error=access_denied`)
})

t.test('a one-time code', async (t) => {
  const who = newcomer()
  const newCode = async () => {
    const { visitor, callback, codeVerifier } = await signInThere(who)
    return { ...(await comeBack(visitor, callback)), codeVerifier }
  }

  t.test('works once, however many bring it at the same time', async (t) => {
    const { code, codeVerifier } = await newCode()
    const answers = await repeat(5, () => exchange(code, codeVerifier))
    t.same(answers.map(({ status }) => status).sort(), [200, 401, 401, 401, 401])
    t.equal((await exchange(code, codeVerifier)).json.error.code, 'invalid_token')
  })

  t.test('ends the session that it began when it comes again', async (t) => {
    const { code, codeVerifier } = await newCode()
    const { accessToken, refreshToken, user }: TokenPair = (await exchange(code, codeVerifier)).json
    const socket = await server.socket(accessToken)
    const stolen = await exchange(code, randomBytes(32).toString('base64url'))
    t.equal(stolen.json.error.code, 'invalid_token')
    t.equal((await me(accessToken)).status, 200, 'whoever lacks the verifier ends nothing')

    t.equal((await exchange(code, codeVerifier)).json.error.code, 'invalid_token')
    t.equal((await socket.closed).code, 4401)
    t.equal((await me(accessToken)).status, 401)
    t.equal((await server.request('POST', '/v1/auth/refresh', { body: { refreshToken } })).status, 401)
    const { rows } = await pool.query("select severity from security_events where user_id = $1 and type = 'oauth_code_reused'", [user.id])
    t.ok(rows.length > 0 && rows.every(({ severity }) => severity === 'critical'))
  })

  t.test('is used up by a wrong verifier', async (t) => {
    const { code, codeVerifier } = await newCode()
    t.equal((await exchange(code, randomBytes(32).toString('base64url'))).json.error.code, 'invalid_token')
    t.equal((await exchange(code, codeVerifier)).json.error.code, 'invalid_token')
  })

  t.test('is valid for a minute', async (t) => {
    const [inTime, tooLate] = [await newCode(), await newCode()]
    clock.advance(55 * second)
    t.equal((await exchange(inTime.code, inTime.codeVerifier)).status, 200)
    clock.advance(5 * second)
    t.equal((await exchange(tooLate.code, tooLate.codeVerifier)).json.error.code, 'invalid_token')
  })

  t.test('is worth nothing when it is guessed or malformed', async (t) => {
    const verifier = randomBytes(32).toString('base64url')
    t.equal((await exchange(randomBytes(32).toString('base64url'), verifier)).json.error.code, 'invalid_token')
    t.equal((await exchange('', verifier)).json.error.code, 'validation_error')
    t.equal((await exchange(randomBytes(32).toString('base64url'), 'short')).json.error.code, 'validation_error')
  })
})

t.test('a browser is sent back to allowed addresses only', async (t) => {
  const start = async (uri: string, provider = 'github') => {
    const query = new URLSearchParams({ redirectUri: uri, codeChallenge: 'a'.repeat(43) })
    return server.request('GET', `/v1/auth/oauth/${provider}?${query}`)
  }
  const redirected = async (uri: string) => {
    const { url } = await begin('github', uri)
    const response = await fetch(url, { redirect: 'manual' })
    return response.status
  }
  const allowed = ['https://app.example.com/in?from=parley', 'com.example.app:/in', 'http://localhost:5173/', 'http://127.0.0.1/a?b=c', 'http://[::1]:80/']
  for (const uri of allowed) t.equal(await redirected(uri), 302, uri)

  const refused = [
    ...['https://evil.example/', 'https://app.example.com/in', 'https://app.example.com/in?from=parley&a=b', 'https://app.example.com/in/?from=parley'],
    ...['HTTPS://APP.EXAMPLE.COM/in?from=parley', 'https://app.example.com.evil.example/in?from=parley', 'https://app.example.com@evil.example/in?from=parley'],
    ...['http://localhost@evil.example/', 'http://localhost:pw@evil.example/', 'http://localhost.evil.example/', 'http://127.0.0.1.evil.example/'],
    ...[
      'http://evil.example/?http://localhost/',
      'https://localhost/',
      'http://localhost/#token',
      'http://me@localhost/',
      'http://0.0.0.0/',
      'http://127.evil/',
    ],
    ...['//evil.example', '/in', 'javascript:alert(1)', 'data:text/html,hello', 'http:\\\\evil.example', 'http://localhost\\@evil.example/', ''],
    ...['http://evil.example/\r\nx: y', 'http://lo\tcalhost.evil.example/', 'com.example.app:/in/../evil', 'com.example.app2:/in'],
  ]
  for (const uri of refused) {
    const { status, json, headers } = await start(uri)
    t.match({ status, json }, { status: 400, json: { error: { code: 'validation_error', details: [{ field: 'query.redirectUri' }] } } }, uri)
    t.same([headers.get('location'), headers.get('set-cookie')], [null, null], uri)
  }
  t.equal((await start('http://localhost:5173/', 'nobody')).json.error.code, 'not_found')
  t.equal((await server.request('GET', '/v1/auth/oauth/nobody/callback?state=a')).json.error.code, 'not_found')
})

t.test('it comes back with what was in the query of the redirectUri, and with a custom scheme', async (t) => {
  for (const [uri, begins] of [
    ['https://app.example.com/in?from=parley', 'https://app.example.com/in?from=parley&code='],
    ['com.example.app:/in', 'com.example.app:/in?code='],
    ['http://localhost:5173/?code=evil&error=evil', 'http://localhost:5173/?code='],
  ] as const) {
    const visitor = createPageVisitor()
    const callback = await visitor.goUntil(callbackUrl('acme'), (await begin('acme', uri)).url, newcomer())
    const { location } = await comeBack(visitor, callback)
    t.ok(location?.startsWith(begins), `${location}`)
    t.notMatch(location, 'code=evil')
  }
})

t.test('a provider that is down keeps nobody from anything else, and is asked again when it is back', async (t) => {
  const { url } = await begin('late')
  const visitor = createPageVisitor()
  for (let times = 0; times < 2; times += 1) {
    const response = await visitor.request(url)
    t.same([response.status, response.headers.get('location')], [302, `${redirectUri}?error=failed`])
  }
  late.open(callbackUrl('late'))
  late.people.set('someone', { email: newEmail(), email_verified: true })
  const callback = await visitor.goUntil(callbackUrl('late'), url, { login: 'someone' })
  t.equal((await comeBack(visitor, callback)).error, undefined)
})

t.test('GitHub', async (t) => {
  let id = 583_231
  const somebody = (name: string | null = 'The Octocat') => {
    const email = newEmail()
    const shown = newEmail()
    const emails = [
      { email: shown, primary: false, verified: true, visibility: null },
      { email, primary: true, verified: true, visibility: 'private' },
    ]
    return { user: { id: ++id, login: 'octocat', name, email: shown }, emails }
  }
  const finish = async () => {
    const visitor = createPageVisitor()
    const { url, codeVerifier } = await begin('github')
    const back = await comeBack(visitor, await visitor.goUntil(callbackUrl('github'), url))
    return { ...back, codeVerifier }
  }
  const tokens = async () => {
    const { code, codeVerifier } = await finish()
    return (await exchange(code, codeVerifier)).json
  }

  t.test('signs in by the primary, verified address, not by the one that the profile shows', async (t) => {
    const person = somebody()
    github.state.person = person
    const { user } = await tokens()
    t.match(user, { email: person.emails[1]?.email, emailVerified: true, displayName: 'The Octocat' })
    person.emails = [{ email: newEmail(), primary: true, verified: false, visibility: null }]
    t.equal((await tokens()).user.id, user.id, 'and later by the account')
    t.same(await linked(user.id), ['github'])
  })

  t.test('knows two accounts of one person, here and elsewhere, as one user', async (t) => {
    const { login, email } = newcomer()
    github.state.person = { ...somebody(null), emails: [{ email, primary: true, verified: true, visibility: null }] }
    const { user } = await tokens()
    t.equal(user.displayName, 'octocat')
    t.equal((await signIn({ login })).user.id, user.id)
    t.same(await linked(user.id), ['github', 'acme'])
  })

  t.test('lets nobody in by an address that is not verified', async (t) => {
    const person = somebody()
    const [other, primary] = person.emails
    for (const emails of [[{ ...primary, verified: false }, other], [other], []]) {
      github.state.person = { ...person, emails: emails.filter((one) => one !== undefined) as typeof person.emails }
      t.equal((await finish()).error, 'email_not_verified')
    }
  })

  t.test('may refuse, or answer nonsense', async (t) => {
    github.state.consents = false
    t.equal((await finish()).error, 'access_denied')
    github.state.consents = true
    github.state.person = { ...somebody(), emails: 'none' as never }
    t.equal((await finish()).error, 'failed')
    github.state.person = { ...somebody(), user: {} as never }
    t.equal((await finish()).error, 'failed')
  })
})

t.test('over https the cookie is bound to the host and to https', async (t) => {
  const secure = await startServer(t, {
    env: { PUBLIC_URL: 'https://chat.example', OAUTH_GITHUB_CLIENT_ID: githubClient.id, OAUTH_GITHUB_CLIENT_SECRET: githubClient.secret },
  })
  const query = new URLSearchParams({ redirectUri, codeChallenge: 'a'.repeat(43) })
  const response = await fetch(`${secure.url}/v1/auth/oauth/github?${query}`, { redirect: 'manual' })
  t.match(response.headers.getSetCookie(), [/^__Host-parley-oauth=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/])
  const { origin, searchParams } = new URL(response.headers.get('location') ?? '')
  t.same([origin, searchParams.get('redirect_uri')], ['https://github.com', 'https://chat.example/v1/auth/oauth/github/callback'])
})

t.test('in a real browser: an app begins, its user signs in at the provider, comes back and is who it says', async (t) => {
  const app = spawn(process.execPath, ['sdk/examples/oauth.ts', baseUrl, 'acme', '0'])
  t.teardown(() => app.kill())
  const [line] = await once(app.stdout, 'data')
  const browser = await launchBrowser()
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  const who = newcomer()

  await page.goto(String(line).trim())
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('input[name=login]').fill(who.login)
  await page.locator('input[name=password]').fill('anything')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText(`Grace Hopper <${who.email}> is signed in.`).waitFor()
  t.equal(page.url(), String(line).trim(), 'and no code is left in the address')
  const [cookie] = (await page.context().cookies(baseUrl)).filter(({ name }) => name === 'parley-oauth')
  t.match(cookie, { httpOnly: true, sameSite: 'Lax' })
})
