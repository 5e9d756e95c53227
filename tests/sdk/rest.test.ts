import { getEventListeners } from 'node:events'
import {
  ConflictError,
  ConnectionError,
  type DebugEvent,
  ForbiddenError,
  NotFoundError,
  Parley,
  ParleyError,
  RateLimitError,
  ServerError,
  TimeoutError,
  type Tokens,
  UnauthorizedError,
  ValidationError,
} from '@parley/sdk'
import t from 'tap'
import { tinyPng } from '../helpers/form.ts'
import { startServer } from '../helpers/server.ts'
import { type Answer, failure, type Received, startHttp, tokenPair } from './http-server.ts'
import { createTestRuntime } from './test-runtime.ts'

const signedIn = { accessToken: 'access-0', refreshToken: 'refresh-0' }
const message = { id: 'm1', seq: 1 }

t.test('a method sends its path, body and query, and returns the result', async (t) => {
  const { baseUrl, received } = await startHttp(t, () => ({ body: { message } }))
  const api = new Parley({ baseUrl: `${baseUrl}/prefix/`, accessToken: 'token', headers: { 'X-App': 'demo' } })

  t.match(await api.conversations.sendMessage('a/b', { content: 'Hello' }), { message })
  await api.messages.list('c', { limit: 10, before: 'm' })

  t.match(received[0], { method: 'POST', path: '/prefix/v1/conversations/a%2Fb/messages', body: { content: 'Hello' } })
  t.match(received[0]?.headers, { authorization: 'Bearer token', 'content-type': 'application/json', 'x-app': 'demo' })
  t.match(received[1], { method: 'GET', path: '/prefix/v1/conversations/c/messages?limit=10&before=m', body: {} })
})

t.test('a file goes out as a form, again when the first try was refused, and the server has it', async (t) => {
  const server = await startServer(t)
  const { accessToken } = await server.signUp()
  const types: (string | null)[] = []
  const api = new Parley({
    baseUrl: server.url,
    accessToken,
    headers: { 'X-App': 'demo' },
    runtime: createTestRuntime(),
    fetch: async (url, init) => {
      types.push(new Headers(init?.headers).get('content-type'))
      return types.length === 1 ? new Response('', { status: 503, headers: { 'Retry-After': '0' } }) : fetch(url, init)
    },
  })
  const { avatarUrl } = await api.users.setAvatar({ file: new Blob([tinyPng]) })
  t.match(avatarUrl, /^\/v1\/avatars\//)
  t.same(types, [null, null], 'the platform names the type, with the boundary')
  await t.rejects(api.users.setAvatar({ file: new File(['text'], 'a.png', { type: 'image/png' }) }), { code: 'unsupported_media_type' })
})

t.test('an upload', async (t) => {
  t.test('goes on when what hears of its progress throws', async (t) => {
    let received = 0
    const api = new Parley({
      baseUrl: 'http://127.0.0.1:9',
      accessToken: 'token',
      fetch: async (_url, init) => {
        received += (await new Response(init?.body ?? null).arrayBuffer()).byteLength
        return Response.json({ id: 'f1' })
      },
    })
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve))
    let told = 0
    const onProgress = () => {
      told += 1
      if (told === 1) throw new Error('Mine')
    }
    t.match(await api.files.upload({ file: new Uint8Array(200_000) }, { onProgress }), { id: 'f1' })
    t.match(await uncaught, { message: 'Mine' })
    t.ok(told > 3)
    t.ok(received > 200_000)
  })

  t.test('that fails before anything is sent lets go of its stream', async (t) => {
    const api = new Parley({ baseUrl: 'http://127.0.0.1:9', ...signedIn, fetch: () => Promise.reject(new TypeError('No network')), retries: 0 })
    for (const options of [{ signal: AbortSignal.abort(new Error('Not any more')) }, {}]) {
      const cancelled = Promise.withResolvers<void>()
      await t.rejects(api.files.upload({ file: new ReadableStream({ cancel: () => cancelled.resolve() }) }, options))
      await cancelled.promise
    }
    t.pass('both')
  })
})

t.test('an empty id is refused before it becomes another path', async (t) => {
  const api = new Parley({ baseUrl: 'http://127.0.0.1:9' })
  for (const id of ['', '.', '..']) t.throws(() => api.conversations.get(id), new TypeError("A part of the path is empty, '.' or '..'"))
})

t.test('the response is at hand beside the result', async (t) => {
  const { baseUrl } = await startHttp(t, () => ({ status: 200, body: { id: 'u1' }, headers: { 'X-Request-Id': 'r-7' } }))
  const { data, response } = await new Parley({ baseUrl }).auth.me().withResponse()
  t.equal(data.id, 'u1')
  t.equal(response.headers.get('X-Request-Id'), 'r-7')
})

t.test('a declared answer that is no error is a result whatever its status', async (t) => {
  const { baseUrl, received } = await startHttp(t, () => ({ status: 503, body: { status: 'not_ready' } }))
  t.match(await new Parley({ baseUrl }).system.ready(), { status: 'not_ready' })
  t.equal(received.length, 1)
})

t.test('text answers stay text, empty ones are undefined', async (t) => {
  const { baseUrl } = await startHttp(t, ({ path }) => (path === '/metrics' ? { text: 'up 1', headers: { 'Content-Type': 'text/plain' } } : { status: 202 }))
  const api = new Parley({ baseUrl })
  t.equal(await api.system.metrics(), 'up 1')
  t.equal(await api.auth.requestCode({ email: 'a@b.c' }), undefined)
})

t.test('tokens', async (t) => {
  t.test('a sign-in is kept and used, a sign-out forgets it', async (t) => {
    const { baseUrl, received } = await startHttp(t, ({ path }) => (path.endsWith('/login') ? { body: tokenPair('1') } : { status: 204 }))
    const told: (Tokens | null)[] = []
    const api = new Parley({ baseUrl, onTokens: (tokens) => told.push(tokens) })
    await api.auth.login({ identifier: 'alice', password: 'secret' })
    t.same(api.tokens, { accessToken: 'access-1', refreshToken: 'refresh-1' })
    await api.auth.logout()
    t.equal(api.tokens, null)
    t.equal(received[0]?.headers.authorization, undefined)
    t.equal(received[1]?.headers.authorization, 'Bearer access-1')
    t.same(told, [{ accessToken: 'access-1', refreshToken: 'refresh-1' }, null])
  })

  t.test('calls that are refused together share one renewal and are all repeated', async (t) => {
    const { baseUrl, received } = await startHttp(t, renewing)
    const api = new Parley({ baseUrl, ...signedIn })
    const users = await Promise.all([1, 2, 3, 4].map(() => api.auth.me()))
    t.equal(users.length, 4)
    t.equal(count(received, '/v1/auth/refresh'), 1)
    t.equal(count(received, '/v1/auth/me'), 8)
  })

  t.test('a call that is refused after another one renewed the tokens is repeated with the new ones', async (t) => {
    const late = Promise.withResolvers<Answer>()
    const { baseUrl, received } = await startHttp(t, (request, index) => (index === 0 ? late.promise : renewing(request)))
    const api = new Parley({ baseUrl, ...signedIn })
    const first = api.conversations.get('c')
    while (received.length === 0) await new Promise(setImmediate)
    await api.auth.me()
    late.resolve(failure(401, 'unauthorized'))
    await first
    t.equal(count(received, '/v1/auth/refresh'), 1)
  })

  t.test('tokens are renewed before they expire', async (t) => {
    const runtime = createTestRuntime()
    const { baseUrl, received } = await startHttp(t, ({ path }) => ({ body: path.endsWith('/me') ? {} : tokenPair(path.endsWith('/login') ? '0' : '1') }))
    const api = new Parley({ baseUrl, runtime })
    await api.auth.login({ identifier: 'alice', password: 'secret' })
    runtime.advance(869_000)
    await api.auth.me()
    t.equal(received.at(-1)?.headers.authorization, 'Bearer access-0', 'until 30 seconds before')
    runtime.advance(1_000)
    await Promise.all([api.auth.me(), api.auth.me()])
    t.equal(received.at(-1)?.headers.authorization, 'Bearer access-1')
    t.equal(count(received, '/v1/auth/refresh'), 1)
  })

  t.test('the expiry of a stored token is read from it', async (t) => {
    const runtime = createTestRuntime()
    const claims = Buffer.from(JSON.stringify({ iat: runtime.now() / 1000 - 890, exp: runtime.now() / 1000 + 10 })).toString('base64url')
    const { baseUrl, received } = await startHttp(t, ({ path }) => ({ body: path.endsWith('/me') ? {} : tokenPair('1') }))
    await new Parley({ baseUrl, runtime, accessToken: `x.${claims}.y`, refreshToken: 'refresh-0' }).auth.me()
    t.same(
      received.map(({ path }) => path),
      ['/v1/auth/refresh', '/v1/auth/me'],
    )
  })

  t.test('when renewal is refused the tokens are dropped and every call fails with the reason', async (t) => {
    const { baseUrl, received } = await startHttp(t, ({ path }) =>
      path.endsWith('/refresh') ? failure(403, 'token_family_compromised') : failure(401, 'unauthorized'),
    )
    const signedOut: ParleyError[] = []
    const api = new Parley({ baseUrl, ...signedIn, onSignedOut: (error) => signedOut.push(error) })
    const outcomes = await Promise.allSettled([api.auth.me(), api.auth.me()])
    for (const outcome of outcomes) t.match(outcome, { status: 'rejected', reason: { code: 'token_family_compromised' } })
    t.equal(api.tokens, null)
    t.equal(signedOut.length, 1)
    t.ok(signedOut[0] instanceof ForbiddenError)
    t.equal(count(received, '/v1/auth/refresh'), 1)
    await t.rejects(api.auth.me(), UnauthorizedError)
    t.equal(count(received, '/v1/auth/refresh'), 1, 'and no other renewal is tried')
  })

  t.test('when renewal fails for a passing reason the tokens are kept', async (t) => {
    const { baseUrl } = await startHttp(t, ({ path }) => (path.endsWith('/refresh') ? failure(500, 'internal_error') : failure(401, 'unauthorized')))
    const api = new Parley({ baseUrl, ...signedIn, retries: 0 })
    await t.rejects(api.auth.me(), ServerError)
    t.same(api.tokens, signedIn)
  })

  t.test('a sign-out in the middle of a renewal is not undone by its end', async (t) => {
    const renewal = Promise.withResolvers<Answer>()
    const { baseUrl, received } = await startHttp(t, ({ path }) => (path.endsWith('/refresh') ? renewal.promise : failure(401, 'unauthorized')))
    const api = new Parley({ baseUrl, ...signedIn })
    const call = api.auth.me()
    while (count(received, '/v1/auth/refresh') === 0) await new Promise(setImmediate)
    api.setTokens(null)
    renewal.resolve({ body: tokenPair('1') })
    await t.rejects(call, UnauthorizedError)
    t.equal(api.tokens, null)
  })

  t.test('a call that is refused with renewed tokens fails, once', async (t) => {
    const { baseUrl, received } = await startHttp(t, ({ path }) => (path.endsWith('/refresh') ? { body: tokenPair('1') } : failure(401, 'unauthorized')))
    await t.rejects(new Parley({ baseUrl, ...signedIn }).auth.me(), UnauthorizedError)
    t.equal(received.length, 3)
  })

  t.test('a wrong password is no reason to renew', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => failure(401, 'invalid_credentials'))
    const api = new Parley({ baseUrl, ...signedIn })
    await t.rejects(api.auth.login({ identifier: 'alice', password: 'wrong' }), { code: 'invalid_credentials' })
    t.equal(received.length, 1)
  })
})

t.test('an API key is sent with every request and never renewed, given at first or later', async (t) => {
  const { baseUrl, received } = await startHttp(t, (_request, index) => (index < 2 ? { body: {} } : failure(401, 'unauthorized')))
  const api = new Parley({ baseUrl, apiKey: 'pk_first', onSignedOut: () => t.fail('nobody was signed in') })
  await api.auth.me()
  t.equal(await api.getAccessToken(), 'pk_first')
  api.setToken('pk_second')
  await api.auth.me()
  await t.rejects(api.auth.me(), UnauthorizedError)
  t.same(
    received.map(({ path, headers }) => [path, headers.authorization]),
    [
      ['/v1/auth/me', 'Bearer pk_first'],
      ['/v1/auth/me', 'Bearer pk_second'],
      ['/v1/auth/me', 'Bearer pk_second'],
    ],
  )
})

t.test('in cookie mode', async (t) => {
  const byCookie = { cookieSession: { rememberMe: true } }

  t.test('a sign-in is turned into a cookie, and no token is kept, sent or told', async (t) => {
    const { baseUrl, received } = await startHttp(t, ({ path }) => ({ body: path.endsWith('/login') ? tokenPair('1') : {} }))
    const watched = watchFetch()
    const api = new Parley({ baseUrl, ...byCookie, fetch: watched.fetch, onTokens: () => t.fail('no token is told') })
    const { user } = await api.auth.login({ identifier: 'alice', password: 'secret' })
    t.ok(user)
    t.match(received[1], { path: '/v1/auth/cookie', body: { refreshToken: 'refresh-1', rememberMe: true } })
    await api.auth.me()
    await api.auth.logout()
    t.equal(received.length, 4)
    for (const { headers } of received) t.match(headers, { 'x-requested-with': 'parley-sdk', authorization: undefined })
    t.ok(watched.sent.every(({ credentials }) => credentials === 'include'))
    t.equal(api.tokens, null)
    t.equal(await api.getAccessToken(), undefined)
  })

  t.test('a sign-in fails when the cookie is refused', async (t) => {
    const { baseUrl } = await startHttp(t, ({ path }) => (path.endsWith('/login') ? { body: tokenPair('1') } : failure(403, 'csrf_rejected')))
    await t.rejects(new Parley({ baseUrl, ...byCookie }).auth.login({ identifier: 'alice', password: 'secret' }), { code: 'csrf_rejected' })
  })

  t.test('a cookie that is not accepted is told, and not renewed', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => failure(401, 'unauthorized'))
    const signedOut: ParleyError[] = []
    const api = new Parley({ baseUrl, ...byCookie, onSignedOut: (error) => signedOut.push(error) })
    await t.rejects(api.auth.me(), UnauthorizedError)
    t.equal(received.length, 1)
    t.match(signedOut, [{ code: 'unauthorized' }])
    await t.rejects(api.auth.login({ identifier: 'alice', password: 'wrong' }))
    t.equal(signedOut.length, 1, 'who signs in was not signed in')
  })

  t.test('that it is not accepted is told once, however many calls are refused, until somebody has been signed in again', async (t) => {
    let accepted = false
    const { baseUrl } = await startHttp(t, ({ path }) => {
      if (path.endsWith('/login')) accepted = true
      return accepted ? { body: path.endsWith('/login') ? tokenPair('1') : {} } : failure(401, 'unauthorized')
    })
    const signedOut: ParleyError[] = []
    const api = new Parley({ baseUrl, ...byCookie, onSignedOut: (error) => signedOut.push(error) })
    const refused = async () => {
      for (const { status } of await Promise.allSettled([api.auth.me(), api.auth.me()])) t.equal(status, 'rejected')
      await t.rejects(api.auth.me(), UnauthorizedError)
    }
    await refused()
    t.equal(signedOut.length, 1)
    await api.auth.login({ identifier: 'alice', password: 'secret' })
    accepted = false
    await refused()
    t.equal(signedOut.length, 2, 'after a sign-in')
    accepted = true
    await api.auth.me()
    accepted = false
    await refused()
    t.equal(signedOut.length, 3, 'after a sign-in in another window')
    accepted = true
    await api.auth.me()
    await api.auth.logout()
    accepted = false
    await refused()
    t.equal(signedOut.length, 3, 'and who has signed out knows it')
  })

  t.test('without it, requests bring no cookies', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => ({ body: {} }))
    const watched = watchFetch()
    await new Parley({ baseUrl, fetch: watched.fetch }).auth.me()
    t.equal(watched.sent[0]?.credentials, undefined)
    t.equal(received[0]?.headers['x-requested-with'], undefined)
  })
})

t.test('retries', async (t) => {
  t.test('every attempt of a send bears the same clientId, through failures and a renewal of tokens', async (t) => {
    const answers: Answer[] = [
      failure(503, 'unavailable'),
      'reset',
      failure(401, 'unauthorized'),
      { body: tokenPair('1') },
      failure(502, 'x'),
      { body: { message } },
    ]
    const { baseUrl, received } = await startHttp(t, (_, index) => answers[index] ?? 'hang')
    const api = new Parley({ baseUrl, ...signedIn, runtime: createTestRuntime() })
    await api.conversations.sendMessage('c', { content: 'Hello' })
    const sends = received.filter(({ path }) => path.endsWith('/messages'))
    t.equal(sends.length, 5)
    t.match(sends[0]?.body.clientId, /^[0-9a-f]{32}$/)
    t.equal(new Set(sends.map(({ body }) => body.clientId)).size, 1)
  })

  t.test('a clientId of the caller stays, and two sends have two', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => ({ body: { message } }))
    const api = new Parley({ baseUrl, accessToken: 'token' })
    await api.conversations.sendMessage('c', { content: 'Hello', clientId: 'mine' })
    await api.conversations.sendMessage('c', { content: 'Hello' })
    await api.conversations.sendMessage('c', { content: 'Hello' })
    t.equal(received[0]?.body.clientId, 'mine')
    t.equal(new Set(received.map(({ body }) => body.clientId)).size, 3)
  })

  t.test('what may have been done already is done again only where that changes nothing more', async (t) => {
    const unavailable = failure(503, 'unavailable', { 'Retry-After': '0' })
    for (const answer of ['reset', failure(502, 'x'), failure(503, 'x'), unavailable, failure(504, 'x')] as const) {
      const { baseUrl, received } = await startHttp(t, () => answer)
      const api = new Parley({ baseUrl, accessToken: 'token', runtime: createTestRuntime(), retries: 2 })
      await t.rejects(api.auth.register({ email: 'alice@example.com' }))
      t.equal(received.length, 1, 'a second registration would be a conflict')
      await t.rejects(api.conversations.update('c', { title: 'Lunch' }))
      t.equal(received.length, 4, 'a second title is the same title')
    }
  })

  t.test('what was refused before it began is tried again, whatever it is', async (t) => {
    const refusal = failure(429, 'rate_limit_exceeded')
    const { baseUrl, received } = await startHttp(t, (_, index) => (index === 0 ? refusal : { body: { user: {} } }))
    await new Parley({ baseUrl, runtime: createTestRuntime() }).auth.register({ email: 'alice@example.com' })
    t.equal(received.length, 2)
  })

  t.test('Retry-After is honoured', async (t) => {
    const runtime = createTestRuntime()
    const { baseUrl, received } = await startHttp(t, (_, index) => (index === 0 ? failure(429, 'rate_limit_exceeded', { 'Retry-After': '17' }) : { body: {} }))
    const call = new Parley({ baseUrl, accessToken: 'token', runtime }).auth.me()
    await runtime.expire(17_000)
    await call
    t.equal(received.length, 2)
  })

  t.test('a wait of more than a minute is left to the caller', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => failure(429, 'rate_limit_exceeded', { 'Retry-After': '61' }))
    const error = await rejection(new Parley({ baseUrl, accessToken: 'token' }).auth.me())
    t.ok(error instanceof RateLimitError)
    t.match(error, { retryAfterSeconds: 61 })
    t.equal(received.length, 1)
  })

  t.test('waits grow, with jitter, and end after the retries', async (t) => {
    const runtime = createTestRuntime(0.5)
    const { baseUrl, received } = await startHttp(t, () => failure(503, 'unavailable'))
    const call = t.rejects(new Parley({ baseUrl, accessToken: 'token', runtime }).auth.me(), ServerError)
    for (const wait of [250, 500, 1000]) await runtime.expire(wait)
    await call
    t.equal(received.length, 4)
  })

  t.test('errors of the request are not repeated', async (t) => {
    for (const status of [400, 403, 404, 409, 413, 500]) {
      const { baseUrl, received } = await startHttp(t, () => failure(status, 'x'))
      t.match(await rejection(new Parley({ baseUrl, accessToken: 'token' }).auth.me()), { status })
      t.equal(received.length, 1)
    }
  })
})

t.test('a call ends when its caller aborts it', async (t) => {
  t.test('while it waits for the answer', async (t) => {
    const abort = new AbortController()
    const { baseUrl } = await startHttp(t, () => {
      abort.abort(new Error('Enough'))
      return 'hang'
    })
    await t.rejects(new Parley({ baseUrl }).auth.me({ signal: abort.signal }), { message: 'Enough' })
  })

  t.test('while it waits for the next attempt', async (t) => {
    const abort = new AbortController()
    const { baseUrl, received } = await startHttp(t, () => failure(503, 'unavailable'))
    const api = new Parley({ baseUrl, runtime: createTestRuntime(0.5), debug: ({ type }) => type === 'retry' && setImmediate(() => abort.abort()) })
    await t.rejects(api.auth.me({ signal: abort.signal }), { name: 'AbortError' })
    t.equal(received.length, 1)
  })

  t.test('before it began', async (t) => {
    const { baseUrl, received } = await startHttp(t, () => ({ body: {} }))
    await t.rejects(new Parley({ baseUrl }).auth.me({ signal: AbortSignal.abort() }), { name: 'AbortError' })
    t.equal(received.length, 0)
  })

  t.test('and nothing listens for that any more once it is over, also where there was no file to read', async (t) => {
    const answers: Answer[] = [{ body: {} }, failure(404, 'not_found'), 'reset']
    const { baseUrl } = await startHttp(t, (_, index) => answers[index] ?? 'hang')
    const api = new Parley({ baseUrl, accessToken: 'token', retries: 0 })
    const { signal } = new AbortController()
    await api.auth.me({ signal })
    await t.rejects(api.files.getContent('f1', {}, { signal }), NotFoundError)
    await t.rejects(api.files.getContent('f1', {}, { signal }), ConnectionError)
    t.same(getEventListeners(signal, 'abort'), [])
  })
})

t.test('a call without an answer in time fails with a timeout', async (t) => {
  const runtime = createTestRuntime()
  const { baseUrl } = await startHttp(t, () => 'hang')
  const call = rejection(new Parley({ baseUrl, runtime, retries: 0 }).auth.me({ timeoutMilliseconds: 7_000 }))
  await runtime.expire(7_000)
  const error = await call
  t.ok(error instanceof TimeoutError)
  t.match(error, { code: 'timeout', status: undefined })
})

t.test('errors', async (t) => {
  t.test('an error is of the class of its status and carries the facts', async (t) => {
    const kinds = { 400: ValidationError, 401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 409: ConflictError, 500: ServerError }
    for (const [status, kind] of Object.entries(kinds)) {
      const { baseUrl } = await startHttp(t, () => failure(Number(status), 'some_code'))
      const error = await rejection(new Parley({ baseUrl }).conversations.get('c'))
      t.ok(error instanceof kind && error instanceof ParleyError && error instanceof Error)
      t.match(error, { name: kind.name, code: 'some_code', message: 'It is some_code', status: Number(status), requestId: 'r-1' })
    }
  })

  t.test('a validation error names every field', async (t) => {
    const details = [{ field: 'body.content', reason: 'must not be empty' }]
    const { baseUrl } = await startHttp(t, () => ({ status: 400, body: { error: { code: 'validation_error', message: 'No', details, requestId: null } } }))
    const error = await rejection(new Parley({ baseUrl }).conversations.get('c'))
    t.match(error, { details })
  })

  t.test('an answer that is not ours is told by its status', async (t) => {
    const answers: Answer[] = [
      { status: 500, text: '<html>Bad gateway</html>', headers: { 'Content-Type': 'text/html' } },
      { status: 500, text: '{"error":', headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'r-9' } },
      { status: 500, body: { error: 'text' } },
    ]
    for (const answer of answers) {
      const { baseUrl } = await startHttp(t, () => answer)
      const error = await rejection(new Parley({ baseUrl }).conversations.get('c'))
      t.ok(error instanceof ServerError)
      t.match(error, { code: 'unexpected_answer', status: 500 })
    }
    const { baseUrl } = await startHttp(t, () => ({ text: '{"broken', headers: { 'Content-Type': 'application/json' } }))
    t.match(await rejection(new Parley({ baseUrl }).auth.me()), { code: 'unexpected_answer', status: 200 })
  })

  t.test('a server that cannot be reached is a connection error with its cause', async (t) => {
    const error = await rejection(new Parley({ baseUrl: 'http://127.0.0.1:1', retries: 0 }).auth.me())
    t.ok(error instanceof ConnectionError)
    t.match(error, { code: 'connection_failed', cause: Error })
  })
})

t.test('lists', async (t) => {
  const pages = [
    { items: [1, 2], nextCursor: 'p2', hasMore: true },
    { items: [], nextCursor: 'p3', hasMore: true },
    { items: [3], nextCursor: null, hasMore: false },
  ]
  const answer = ({ path }: Received) => ({ body: pages[Number(new URL(path, 'http://x').searchParams.get('cursor')?.slice(1) ?? 1) - 1] })

  t.test('awaited, a list is its first page', async (t) => {
    const { baseUrl, received } = await startHttp(t, answer)
    t.same(await new Parley({ baseUrl }).conversations.list({ limit: 2 }), pages[0])
    t.equal(received.length, 1)
  })

  t.test('iterated, a list is all its items, each page fetched when it is reached', async (t) => {
    const { baseUrl, received } = await startHttp(t, answer)
    const items: unknown[] = []
    for await (const item of new Parley({ baseUrl }).conversations.list({ limit: 2 })) {
      items.push(item)
      if (items.length === 2) t.equal(received.length, 1)
    }
    t.same(items, [1, 2, 3])
    t.same(
      received.map(({ path }) => path),
      ['/v1/conversations?limit=2', '/v1/conversations?limit=2&cursor=p2', '/v1/conversations?limit=2&cursor=p3'],
    )
  })

  t.test('only the first page is asked for by where to begin', async (t) => {
    const { baseUrl, received } = await startHttp(t, answer)
    await Array.fromAsync(new Parley({ baseUrl }).messages.list('c', { before: 'm9', limit: 2 }))
    t.match(received[0]?.path, '?before=m9&limit=2')
    t.match(received[1]?.path, /\?limit=2&cursor=p2$/)
  })

  t.test('iterated by pages, a list is its pages', async (t) => {
    const { baseUrl } = await startHttp(t, answer)
    t.same(await Array.fromAsync(new Parley({ baseUrl }).conversations.list().pages()), pages)
  })

  t.test('leaving early fetches nothing more, and a failure ends the loop', async (t) => {
    const { baseUrl, received } = await startHttp(t, (request, index) => (index < 2 ? answer(request) : failure(404, 'not_found')))
    const list = new Parley({ baseUrl }).conversations.list()
    for await (const _ of list) break
    t.equal(received.length, 1)
    await t.rejects(Array.fromAsync(list), NotFoundError)
  })
})

t.test('the debug hook hears of requests, answers, retries and renewals, and of no secret', async (t) => {
  const events: DebugEvent[] = []
  const { baseUrl } = await startHttp(t, (request, index) => (index === 0 ? failure(429, 'rate_limit_exceeded', { 'Retry-After': '0' }) : renewing(request)))
  await new Parley({ baseUrl, ...signedIn, runtime: createTestRuntime(), debug: (event) => events.push(event) }).auth.me()
  t.same(
    events.map(({ type }) => type),
    ['request', 'response', 'retry', 'request', 'response', 'refresh', 'request', 'response', 'request', 'response'],
  )
  t.notMatch(JSON.stringify(events), /access-|refresh-/)
})

/** Refuses the first tokens, renews them, accepts the next. */
function renewing({ path, headers }: Received): Answer {
  if (path.endsWith('/refresh')) return { body: tokenPair('1') }
  return headers.authorization === 'Bearer access-1' ? { body: {} } : failure(401, 'unauthorized')
}

/** Keeps what is given to `fetch`: not all of it arrives. */
function watchFetch() {
  const sent: RequestInit[] = []
  const watched: typeof fetch = (input, init = {}) => {
    sent.push(init)
    return fetch(input, init)
  }
  return { sent, fetch: watched }
}

const count = (received: Received[], path: string) => received.filter((request) => request.path === path).length

async function rejection(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('The call succeeded')
    },
    (error: unknown) => error,
  )
}
