/** Sessions of browsers: the cookie, what a page of somebody else could do with it, and sockets that are opened by it. */
import { Parley } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'
import t from 'tap'
import WebSocket from 'ws'
import type { TokenPair } from '../../openapi/auth/schemas.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { startServer } from '../helpers/server.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'
import { createAuthClient, createTestClock, day, eventually, isAbout, minute, second } from './auth-client.ts'

const hour = 60 * minute
const clock = createTestClock()
const app = 'https://app.example.com'
const evil = 'https://evil.example'
const { url: databaseUrl, drop } = await createTestDatabase()
t.teardown(drop)
const server = await startServer(t, { clock, databaseUrl, env: { CORS_ORIGINS: `${app},https://other.example.com` } })
const { pool } = server.database
const { signedIn, refresh, me: meByToken } = createAuthClient(server)
const own = server.url

const ajax = { 'x-requested-with': 'test' }

/** The cookie that an answer sets: its name, value and attributes, in lower case. */
function setCookie(headers: Headers) {
  const [line] = headers.getSetCookie()
  if (line === undefined) return undefined
  const [pair = '', ...attributes] = line.split('; ')
  const [name = '', value = ''] = pair.split('=')
  return { name, value, attributes: attributes.map((attribute) => attribute.toLowerCase()).toSorted() }
}

async function start(
  pair: Pick<TokenPair, 'refreshToken'>,
  { rememberMe = false, headers = {} }: { rememberMe?: boolean; headers?: Record<string, string> } = {},
) {
  const { refreshToken } = pair
  const answer = await server.request('POST', '/v1/auth/cookie', { body: { refreshToken, rememberMe }, headers })
  return { ...answer, cookie: setCookie(answer.headers) }
}

/** Somebody in a browser: what it sends by itself is the cookie. */
async function inBrowser(options: Parameters<typeof start>[1] = {}) {
  const pair = await signedIn()
  const started = await start(pair, options)
  const cookie = started.cookie?.value ?? ''
  return { pair, started, cookie, email: pair.email }
}

const me = (cookie: string, headers: Record<string, string> = {}) =>
  server.request('GET', '/v1/auth/me', { headers: { cookie: `parley=${cookie}`, ...headers } })
/** A change that anybody may make. */
const change = (cookie: string, headers: Record<string, string>, body: unknown = {}) =>
  server.request('POST', '/v1/auth/revoke-all', {
    body: typeof body === 'string' ? body : { exceptCurrent: true },
    headers: { cookie: `parley=${cookie}`, ...headers },
  })
/** Of the session by cookie. */
const lastUseOf = async (email: string): Promise<Date> =>
  (await pool.query('select last_used_at from sessions join users on users.id = user_id where email = $1 and cookie_hash is not null', [email])).rows[0]
    .last_used_at
const codeOf = ({ status, json }: { status: number; json: { error: { code: string } } | undefined }) => json?.error?.code ?? status

t.test('a cookie session', async (t) => {
  t.test('goes on by a cookie that scripts cannot read, and the tokens end', async (t) => {
    const { pair, started, cookie } = await inBrowser()
    t.equal(started.status, 200)
    t.equal(started.json.user.email, pair.email)
    t.same(started.cookie?.attributes, ['httponly', 'path=/', 'samesite=lax'], 'without an age it ends with the browser')
    t.equal(started.cookie?.name, 'parley')
    t.match(cookie, /^[\w-]{43}$/)
    t.equal((await me(cookie)).json.email, pair.email)
    t.equal((await meByToken(pair.accessToken)).error, 'unauthorized')
    t.equal((await refresh(pair.refreshToken)).error, 'unauthorized')
  })

  t.test('is remembered for 30 days when that is asked for', async (t) => {
    const { started } = await inBrowser({ rememberMe: true })
    const age = Number(started.cookie?.attributes.find((attribute) => attribute.startsWith('max-age='))?.slice('max-age='.length))
    t.ok(isAbout(age, 30 * 86_400), `${age}`)
    t.ok(isAbout((Date.parse(started.json.expiresAt) - clock.now().getTime()) / second, 30 * 86_400))
  })

  t.test('over https, and in production, has the prefix that binds it to the host, and comes over https only', async (t) => {
    const production = { NODE_ENV: 'production' }
    for (const env of [{ PUBLIC_URL: 'https://chat.example.com' }, production, { ...production, PUBLIC_URL: 'http://chat.example.com' }]) {
      const secure = await startServer(t, { env })
      const { refreshToken } = await signUpWith(secure)
      const answer = await secure.request('POST', '/v1/auth/cookie', { body: { refreshToken } })
      const cookie = setCookie(answer.headers)
      t.equal(cookie?.name, '__Host-parley')
      t.same(cookie?.attributes, ['httponly', 'path=/', 'samesite=lax', 'secure'])
      const headers = { cookie: `__Host-parley=${cookie?.value}` }
      t.equal((await secure.request('GET', '/v1/auth/me', { headers })).status, 200)
      t.equal((await secure.request('GET', '/v1/auth/me', { headers: { cookie: `parley=${cookie?.value}` } })).status, 401)
      const { host } = new URL(secure.url)
      t.equal(codeOf(await secure.request('POST', '/v1/auth/logout', { headers: { ...headers, ...ajax, origin: `http://${host}` } })), 'csrf_rejected')
      t.equal(codeOf(await secure.request('POST', '/v1/auth/logout', { headers: { ...headers, ...ajax, origin: `https://${host}` } })), 204)
    }
  })

  t.test('keeps no cookie in clear', async (t) => {
    const { cookie } = await inBrowser()
    const { rows } = await pool.query("select count(*) from sessions where to_jsonb(sessions)::text like '%' || $1 || '%'", [cookie])
    t.equal(rows[0].count, 0)
  })

  t.test('never adopts what the browser brings, and ends the session of it', async (t) => {
    const attacker = await inBrowser()
    const victim = await signedIn()
    const started = await start(victim, { headers: { cookie: `parley=${attacker.cookie}` } })
    t.not(started.cookie?.value, attacker.cookie)
    t.equal((await me(started.cookie?.value ?? '')).json.email, victim.email)
    t.equal((await me(attacker.cookie)).status, 401, 'the fixed one leads nowhere')
    const made = 'A'.repeat(43)
    t.not((await start(await signedIn(), { headers: { cookie: `parley=${made}` } })).cookie?.value, made)
    t.equal((await me(made)).status, 401)
  })

  t.test('begins and replaces another in one act, also when its commit lost its answer', async (t) => {
    const proxy = await startDatabaseProxy(t, databaseUrl)
    const shaky = await startServer(t, { clock, databaseUrl: proxy.url })
    const before = await inBrowser()
    const { refreshToken } = await signedIn()
    const held = proxy.hold('commit')
    const answer = shaky.request('POST', '/v1/auth/cookie', { body: { refreshToken }, headers: { cookie: `parley=${before.cookie}` } })
    const connection = await held
    connection.cut()
    t.equal(codeOf(await answer), 'unavailable')
    t.equal((await refresh(refreshToken)).error, 'unauthorized')
    t.equal((await me(before.cookie)).status, 401)
  })

  t.test('of two people who sign in at once, each in the browser of the other, begins for both', async (t) => {
    const [alice, bob] = [await inBrowser(), await inBrowser()]
    const [pairOfAlice, pairOfBob] = [await byCode(alice.email), await byCode(bob.email)]
    const waiting = (count: number) =>
      eventually(async () => {
        const { rows } = await pool.query("select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
        return rows.length >= count ? true : undefined
      })
    const holder = await pool.connect()
    await holder.query('begin')
    await holder.query('select from users where email = $1 for no key update', [alice.email])
    const first = start(pairOfAlice, { headers: { cookie: `parley=${bob.cookie}` } })
    await waiting(1)
    const second = start(pairOfBob, { headers: { cookie: `parley=${alice.cookie}` } })
    await waiting(2)
    await holder.query('commit')
    holder.release()
    t.same((await Promise.all([first, second])).map(codeOf), [200, 200])
    for (const { cookie } of [alice, bob]) t.equal((await me(cookie)).status, 401)
  })

  t.test('ends after 24 hours without use, and after 7 days however much it is used', async (t) => {
    const idle = await inBrowser()
    const busy = await inBrowser()
    for (let times = 0; times < 7; times++) {
      clock.advance(23 * hour)
      t.equal((await me(busy.cookie)).status, 200)
      if (times === 0) t.equal((await me(idle.cookie)).status, 200)
      if (times === 2) t.equal((await me(idle.cookie)).status, 401)
    }
    clock.advance(7 * hour - minute)
    t.equal((await me(busy.cookie)).status, 200)
    clock.advance(minute)
    t.equal((await me(busy.cookie)).status, 401)
  })

  t.test('that is remembered ends after 30 days', async (t) => {
    const { cookie } = await inBrowser({ rememberMe: true })
    clock.advance(30 * day - minute)
    t.equal((await me(cookie)).status, 200)
    clock.advance(minute)
    t.equal((await me(cookie)).status, 401)
  })

  t.test('is begun only by a sign-in that is younger than it may become', async (t) => {
    const pair = await signedIn()
    clock.advance(6 * day)
    const { body } = await refresh(pair.refreshToken)
    clock.advance(2 * day)
    const late = await start(body)
    t.equal(codeOf(late), 'unauthorized')
    t.equal((await refresh(body.refreshToken)).status, 200, 'the tokens are as good as before')
  })

  t.test('begun with a token that was used before ends the session that it was of', async (t) => {
    const pair = await signedIn()
    const { body: next } = await refresh(pair.refreshToken)
    t.equal(codeOf(await start(pair)), 'token_family_compromised')
    t.equal((await meByToken(next.accessToken)).error, 'unauthorized')
    t.equal(codeOf(await start({ refreshToken: `rt_${'a'.repeat(43)}` })), 'unauthorized')
    t.equal(codeOf(await start({ refreshToken: 'x' })), 'validation_error')
  })

  t.test('is one, when a token is turned into one twice at once', async (t) => {
    const pair = await signedIn()
    const answers = await Promise.all([start(pair), start(pair), start(pair)])
    t.same(answers.map(codeOf).toSorted(), [200, 'unauthorized', 'unauthorized'])
  })

  t.test('ends with signing out, at once, and the browser forgets the cookie', async (t) => {
    const { cookie } = await inBrowser()
    t.equal((await me(cookie)).status, 200)
    const answer = await server.request('POST', '/v1/auth/logout', { headers: { cookie: `parley=${cookie}`, ...ajax } })
    t.equal(answer.status, 204)
    t.same(setCookie(answer.headers), { name: 'parley', value: '', attributes: ['httponly', 'max-age=0', 'path=/', 'samesite=lax'] })
    t.equal((await me(cookie)).status, 401)
  })

  t.test('ends at once when it is revoked from another device, and when the user is suspended within a minute', async (t) => {
    const { cookie, email } = await inBrowser()
    t.equal((await me(cookie)).status, 200)
    const api = server.client({ accessToken: (await byCode(email)).accessToken })
    const [session] = (await api.auth.listSessions()).items.filter(({ kind }) => kind === 'cookie')
    await api.auth.revokeSession(session?.id ?? '')
    t.equal((await me(cookie)).status, 401)
    const other = await inBrowser()
    t.equal((await me(other.cookie)).status, 200)
    await pool.query('update users set suspended_at = now() where email = $1', [other.email])
    clock.advance(minute)
    t.equal((await me(other.cookie)).status, 401)
  })

  t.test('counts its use once a minute', async (t) => {
    const { cookie, email } = await inBrowser()
    const lastUse = () => lastUseOf(email)
    const begun = await lastUse()
    await me(cookie)
    clock.advance(59 * second)
    await me(cookie)
    t.same(await lastUse(), begun)
    clock.advance(second)
    const moment = clock.now()
    await me(cookie)
    t.ok((await lastUse()) >= moment)
  })

  t.test('is not asked for where nobody need be signed in', async (t) => {
    const { cookie } = await inBrowser()
    const headers = { cookie: `parley=${cookie}`, origin: evil }
    t.equal((await server.request('POST', '/v1/auth/code', { body: { email: 'nobody@example.com' }, headers })).status, 202)
    t.equal((await server.request('GET', '/health', { headers })).status, 200)
  })
})

t.test('a change that is signed in by cookie', async (t) => {
  const { cookie } = await inBrowser()

  t.test('is made by pages of the server, and of origins that are named', async (t) => {
    for (const origin of [own, app, 'https://other.example.com']) {
      const { status, headers } = await change(cookie, { ...ajax, origin })
      t.equal(status, 200, origin)
      if (origin !== own) t.match([headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')], [origin, 'true'])
    }
    t.equal((await change(cookie, { ...ajax, origin: own, 'sec-fetch-site': 'same-origin' })).status, 200)
    t.equal((await change(cookie, { ...ajax, origin: app, 'sec-fetch-site': 'cross-site' })).status, 200)
    t.equal((await change(cookie, ajax)).status, 200, 'and by what is no browser')
  })

  const forgeries: [what: string, headers: Record<string, string>][] = [
    ['without the header', { origin: own }],
    ['without the header, from an origin that is named', { origin: app }],
    ['of another origin', { ...ajax, origin: evil }],
    ['of another origin, without the header', { origin: evil }],
    ['of a page that hides its origin', { ...ajax, origin: 'null' }],
    ['of a host that begins like an allowed one', { ...ajax, origin: `${app}.evil.example` }],
    ['of another port', { ...ajax, origin: 'http://127.0.0.1:1' }],
    ['that the browser says comes from another site', { ...ajax, 'sec-fetch-site': 'cross-site' }],
    ['that the browser says comes from a neighbour', { ...ajax, 'sec-fetch-site': 'same-site' }],
  ]
  for (const [what, headers] of forgeries) {
    t.test(`is refused ${what}`, async (t) => {
      const answer = await change(cookie, headers)
      t.equal(codeOf(answer), 'csrf_rejected')
      t.not(answer.headers.get('access-control-allow-origin'), evil)
    })
  }

  t.test('cannot be a form', async (t) => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
      const form = { 'content-type': type, origin: evil, 'sec-fetch-site': 'cross-site' }
      t.equal(codeOf(await change(cookie, form, '{"exceptCurrent":true}')), 'csrf_rejected')
      t.equal(codeOf(await change(cookie, { ...form, ...ajax, origin: own }, '{"exceptCurrent":true}')), 'unsupported_media_type')
    }
  })

  t.test('is refused for want of the header before it is looked at', async (t) => {
    for (const [method, path] of [
      ['POST', '/v1/auth/logout'],
      ['PATCH', '/v1/users/me'],
      ['DELETE', '/v1/users/me'],
      ['POST', '/v1/conversations'],
    ] as const)
      t.equal(codeOf(await server.request(method, path, { body: {}, headers: { cookie: `parley=${cookie}` } })), 'csrf_rejected', path)
    t.equal((await me(cookie)).status, 200, 'and nothing has happened')
  })

  t.test('with another credential needs no header: no browser adds it by itself', async (t) => {
    const pair = await signedIn()
    const headers = { authorization: `Bearer ${pair.accessToken}`, origin: evil }
    t.equal((await server.request('POST', '/v1/auth/revoke-all', { body: { exceptCurrent: true }, headers })).status, 200)
    t.equal((await change(cookie, { ...headers })).status, 200, 'it counts, and not the cookie')
    t.equal((await change(cookie, { authorization: 'Bearer x', ...ajax })).status, 401, 'also where it is bad')
  })

  t.test('can be prepared by pages of named origins only', async (t) => {
    const preflight = (origin: string) =>
      server.request('OPTIONS', '/v1/auth/revoke-all', {
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-requested-with' },
      })
    const allowed = await preflight(app)
    t.equal(allowed.headers.get('access-control-allow-origin'), app)
    t.equal(allowed.headers.get('access-control-allow-credentials'), 'true')
    t.match(allowed.headers.get('access-control-allow-headers'), 'x-requested-with')
    t.equal((await preflight(evil)).headers.get('access-control-allow-origin'), null)
    const open = await startServer(t)
    const answer = await open.request('GET', '/health', { headers: { origin: evil } })
    t.equal(answer.headers.get('access-control-allow-origin'), '*')
    t.equal(answer.headers.get('access-control-allow-credentials'), null, 'where all may read, none may use cookies')
    const { refreshToken } = await signUpWith(open)
    t.equal(codeOf(await open.request('POST', '/v1/auth/cookie', { body: { refreshToken }, headers: { origin: evil } })), 'csrf_rejected')
  })

  t.test('signing in as somebody is one too: no page of another origin begins a cookie session', async (t) => {
    const pair = await signedIn()
    for (const origin of [evil, 'null']) {
      const answer = await start(pair, { headers: { origin } })
      t.equal(codeOf(answer), 'csrf_rejected')
      t.equal(answer.cookie, undefined)
    }
    t.equal((await start(pair, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
    t.equal((await start(pair, { headers: { origin: app } })).status, 200)
  })
})

t.test('a socket that is opened by cookie', async (t) => {
  const open = (cookie: string, headers: Record<string, string> = {}) => {
    const socket = new WebSocket(`${own.replace('http', 'ws')}/v1/ws`, ['parley.v1'], { headers: { cookie: `parley=${cookie}`, ...headers } })
    const refused = new Promise<number>((resolve) => socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0)))
    const hello = new Promise<number>((resolve) => socket.once('message', () => resolve(101)))
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    socket.on('error', () => undefined)
    t.teardown(() => socket.terminate())
    return { answer: Promise.race([hello, refused]), closed }
  }

  t.test('is opened by pages of the server and of named origins, and by no other', async (t) => {
    const { cookie } = await inBrowser()
    for (const origin of [own, app]) t.equal(await open(cookie, { origin }).answer, 101, origin)
    t.equal(await open(cookie).answer, 101)
    for (const origin of [evil, 'null', 'http://127.0.0.1:1']) t.equal(await open(cookie, { origin }).answer, 403, origin)
    t.equal(await open('A'.repeat(43), { origin: own }).answer, 401)
  })

  t.test('says why it is refused', async (t) => {
    const { cookie } = await inBrowser()
    const headers = { cookie: `parley=${cookie}`, origin: evil }
    const { status } = await fetch(`${own}/v1/ws`, { headers })
    t.equal(status, 426, 'a page that reads it is told nothing of the user')
    const answer = Promise.withResolvers<string>()
    const socket = new WebSocket(`${own.replace('http', 'ws')}/v1/ws`, ['parley.v1'], { headers })
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_request, response) => response.on('data', (data) => answer.resolve(String(data))))
    t.equal(JSON.parse(await answer.promise).error.code, 'csrf_rejected')
  })

  t.test('closes at once when the session ends', async (t) => {
    const { cookie } = await inBrowser()
    const socket = open(cookie, { origin: own })
    t.equal(await socket.answer, 101)
    await server.request('POST', '/v1/auth/logout', { headers: { cookie: `parley=${cookie}`, ...ajax } })
    t.equal(await socket.closed, 4401)
  })

  t.test('is use: its session goes on while it is open, for 7 days at most', async (t) => {
    const { cookie, email } = await inBrowser()
    const socket = open(cookie)
    t.equal(await socket.answer, 101)
    for (let times = 0; times < 7; times++) {
      clock.advance(23 * hour)
      const moment = clock.now()
      await eventually(async () => ((await lastUseOf(email)) >= moment ? true : undefined))
    }
    t.equal((await me(cookie)).status, 200)
    clock.advance(7 * hour)
    t.equal(await socket.closed, 4401)
    t.equal((await me(cookie)).status, 401)
  })

  t.test('closes when the cookie that it replaces was used for it', async (t) => {
    const { cookie } = await inBrowser()
    const socket = open(cookie)
    t.equal(await socket.answer, 101)
    await start(await signedIn(), { headers: { cookie: `parley=${cookie}` } })
    t.equal(await socket.closed, 4401)
  })
})

t.test('the SDK in cookie mode signs in, calls, listens and signs out, and holds no token', async (t) => {
  const jar = createCookieJar()
  const api = new Parley({ baseUrl: own, cookieSession: { rememberMe: true }, fetch: jar.fetch, onTokens: () => t.fail('there are no tokens') })
  const { email } = await signedIn()
  const { user } = await api.auth.verifyEmail({ email, code: '000000' })
  t.equal(api.tokens, null)
  t.equal(await api.getAccessToken(), undefined)
  t.match(jar.cookies.get('parley'), /^[\w-]{43}$/)
  t.equal((await api.auth.me()).id, user.id)

  const bob = await server.signUp()
  const { conversation } = await api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const live = connect(api, { WebSocket: jar.WebSocket })
  t.teardown(() => live.close())
  await live.ready()
  const heard = new Promise((resolve) => live.on('message.created', ({ data }) => resolve(data.message.content)))
  await bob.api.conversations.sendMessage(conversation.id, { content: 'Hello' })
  t.equal(await heard, 'Hello')
  t.same(
    (await api.auth.listSessions()).items.filter(({ current }) => current).map(({ kind }) => kind),
    ['cookie'],
  )

  const signedOut = new Promise((resolve) => live.on('signedOut', ({ error }) => resolve(error.code)))
  await api.auth.logout()
  t.equal(await signedOut, 'unauthorized')
  t.equal(jar.cookies.get('parley'), undefined)
  await t.rejects(api.auth.me(), { code: 'unauthorized' })
})

async function byCode(email: string): Promise<TokenPair> {
  return (await server.request('POST', '/v1/auth/verify-email', { body: { email, code: '000000' } })).json
}

/** Also where no fixed code opens every account: by the one that was mailed. */
const signUpWith = (other: typeof server): Promise<TokenPair> => createAuthClient(other).signedIn()

/** What a browser does with cookies, as far as one server needs it. */
function createCookieJar() {
  const cookies = new Map<string, string>()
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const withCookies: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    if (init?.credentials === 'include' && cookies.size > 0) headers.set('cookie', header())
    const response = await fetch(input, { ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  class CookieWebSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { cookie: header(), origin: own } })
    }
  }
  return { cookies, fetch: withCookies, WebSocket: CookieWebSocket }
}
