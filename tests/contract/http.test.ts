/** What holds for HTTP whatever the operation: one envelope for every failure, ids, logs, headers, bodies, upgrades, probes. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import pino from 'pino'
import t from 'tap'
import { type ErrorCode, errorCatalog } from '../../openapi/shared/errors.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

const server = await startServer(t)
const alice = await server.signUp()
const bob = await server.signUp()
const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id] })
const messages = `/v1/conversations/${conversation.id}/messages`

const json = { 'content-type': 'application/json' }
const uuid = /^[0-9a-f-]{36}$/

/** Bytes as they are, on a connection of their own. */
function raw(bytes: string, { url }: { url: string } = server): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(bytes)
  return socket
}

/** The answer to bytes after which the server closes. */
const answerTo = async (bytes: string): Promise<string> => text(raw(bytes))

const handshake = (path: string, headers: string[] = []) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: parley', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...headers].join('\r\n')}\r\n\r\n`

t.test('every failure has the same envelope and tells its request id', async (t) => {
  const as = { token: alice.accessToken }
  const failures: [what: string, code: ErrorCode, asked: Parameters<TestServer['request']>][] = [
    ['JSON that ends early', 'malformed_json', ['POST', messages, { ...as, body: '{"content":', headers: json }]],
    ['a single quote', 'malformed_json', ['POST', messages, { ...as, body: "{'content':'a'}", headers: json }]],
    [
      'another content type',
      'unsupported_media_type',
      ['POST', messages, { ...as, body: 'content=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ],
    ['no content type', 'unsupported_media_type', ['POST', messages, { ...as, body: 'a', headers: { 'content-type': '' } }]],
    ['a body of 2 MB', 'payload_too_large', ['POST', messages, { ...as, body: { content: 'a'.repeat(2_000_000) } }]],
    ['a path that there is not', 'not_found', ['GET', '/v1/nothing', as]],
    ['a path that cannot be decoded', 'not_found', ['GET', '/v1/conversations/%ZZ', as]],
    ['a path longer than any', 'not_found', ['GET', `/v1/conversations/${'a'.repeat(1000)}`, as]],
    ['a method that the path has not', 'method_not_allowed', ['PUT', messages, as]],
    ['no token', 'unauthorized', ['GET', messages]],
    ['a field that is wrong', 'validation_error', ['POST', messages, { ...as, body: {} }]],
    ['no socket where there is nothing else', 'upgrade_required', ['GET', '/v1/ws', as]],
  ]
  for (const [what, code, asked] of failures) {
    const { status, json, headers } = await server.request(...asked)
    t.equal(status, errorCatalog[code].status, what)
    t.same(Object.keys(json), ['error'], what)
    const { requestId, timestamp, details, message, ...rest } = json.error
    t.strictSame(rest, { code }, what)
    t.match(message, /\.$/, what)
    t.equal(requestId, headers.get('x-request-id'), what)
    t.equal(new Date(timestamp).toISOString(), timestamp, what)
    t.equal(details !== undefined, code === 'validation_error', what)
    t.equal(headers.get('content-type'), 'application/json; charset=utf-8', what)
  }
})

t.test('405 names the methods that the path has', async (t) => {
  t.equal((await server.request('DELETE', '/v1/auth/me')).headers.get('allow'), 'GET, HEAD')
  t.equal((await server.request('PUT', `${messages}?a=b`)).headers.get('allow')?.split(', ').toSorted().join(), 'GET,HEAD,POST')
})

t.test('426 names the protocol to upgrade to', async (t) => {
  t.equal((await server.request('GET', '/v1/ws', { token: alice.accessToken })).headers.get('upgrade'), 'websocket')
})

t.test('bytes that are no HTTP get the envelope too, and the connection ends', async (t) => {
  const host = 'Host: parley\r\n'
  const broken: [what: string, bytes: string, status: number, code: ErrorCode][] = [
    ['garbage', 'GARBAGE\r\n\r\n', 400, 'validation_error'],
    ['a method of no standard', `FETCH /health HTTP/1.1\r\n${host}\r\n`, 400, 'validation_error'],
    ['two lengths of one body', `POST /health HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'validation_error'],
    ['a length that is no number', `POST /health HTTP/1.1\r\n${host}Content-Length: many\r\n\r\n`, 400, 'validation_error'],
    ['headers of 20 kB', `GET /health HTTP/1.1\r\n${host}X-Long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'payload_too_large'],
  ]
  for (const [what, bytes, status, code] of broken) {
    const [head = '', body = ''] = (await answerTo(bytes)).split('\r\n\r\n')
    t.match(head, `HTTP/1.1 ${status} `, what)
    const { error } = JSON.parse(body)
    t.match(error, { code, requestId: null }, what)
    t.notMatch(body, /HPE_|Parse Error/, what)
  }
})

t.test('a request id that is harmless is kept, any other replaced, and each is in the answer', async (t) => {
  const ask = async (id?: string) =>
    (await server.request('GET', '/health', { ...(id !== undefined && { headers: { 'x-request-id': id } }) })).headers.get('x-request-id')
  for (const id of ['a', 'checkout-42', '0193a1b2-0000-7000-8000-00000000000f', 'a.b:c_d', 'a'.repeat(128)]) t.equal(await ask(id), id)
  for (const id of [undefined, '', 'a'.repeat(1_000), 'two words', '<script>', 'é', '{"a":1}']) t.match(await ask(id), uuid)
  const answer = await answerTo('GET /health HTTP/1.1\r\nHost: parley\r\nConnection: close\r\nX-Request-Id: one\r\n two\r\n\r\n')
  t.notMatch(answer, /x-request-id: one/i, 'nor is one folded over two lines')
})

t.test('each request is one line of the log, with its id and its user, and without what is secret', async (t) => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const logged = await startServer(t, { log })
  const { accessToken: token, id } = await logged.signUp()
  const lineOf = (requestId: string) => lines.filter((line) => line.requestId === requestId)

  await logged.request('GET', '/v1/auth/me', { token, headers: { 'x-request-id': 'mine' } })
  t.match(lineOf('mine'), [{ method: 'GET', route: '/v1/auth/me', status: 200, userId: id, durationMilliseconds: Number }])
  t.equal(lineOf('mine').length, 1)

  await logged.request('GET', '/v1/nothing?secret=hunter2', { headers: { 'x-request-id': 'lost' } })
  t.match(lineOf('lost'), [{ method: 'GET', route: null, status: 404 }])

  await logged.request('GET', `/v1/ws?token=${token}`, { headers: { 'x-request-id': 'socket' } })
  await logged.request('POST', '/v1/auth/login', { body: { identifier: 'nobody', password: 'hunter2 hunter2' }, headers: { 'x-request-id': 'login' } })
  t.same([lineOf('socket').length, lineOf('login').length], [1, 1])

  await logged.database.pool.query('alter table users rename to lost_users')
  await logged.request('GET', '/v1/auth/me', { token, headers: { 'x-request-id': 'broken' } })
  t.match(
    lineOf('broken').find(({ err }) => err !== undefined),
    { err: { stack: /lost|relation|users/ } },
    'what the answer does not tell, the log does, under the same id',
  )
  t.notMatch(JSON.stringify(lines), /hunter2/)
  t.notOk(JSON.stringify(lines).includes(token))
})

t.test('production without a mail server is warned of once, at the start', async (t) => {
  const warnings = async (env: Record<string, string>) => {
    const lines: string[] = []
    await startServer(t, { env, log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }) })
    return lines.filter((line) => line.includes('SMTP_URL')).length
  }
  t.equal(await warnings({ NODE_ENV: 'production' }), 1)
  t.equal(await warnings({ NODE_ENV: 'production', SMTP_URL: 'smtp://127.0.0.1:1' }), 0)
  t.equal(await warnings({}), 0)
})

t.test('every answer has the security headers', async (t) => {
  for (const path of ['/health', '/v1/auth/me', '/v1/nothing']) {
    const { headers } = await server.request('GET', path)
    t.equal(headers.get('x-content-type-options'), 'nosniff', path)
    t.match(headers.get('content-security-policy'), "default-src 'none'", path)
    t.equal(headers.get('x-frame-options'), 'SAMEORIGIN', path)
    t.equal(headers.get('referrer-policy'), 'no-referrer', path)
    t.equal(headers.get('cache-control'), 'no-store', path)
    t.match(headers.get('strict-transport-security'), /max-age=\d{7,}/, path)
    t.equal(headers.get('x-powered-by') ?? headers.get('server'), null, path)
  }
})

t.test('browsers of the configured origins may call, and no others', async (t) => {
  const app = 'https://app.example'
  const strict = await startServer(t, { env: { CORS_ORIGINS: `${app}, https://other.example` } })
  const closed = await startServer(t, { env: { NODE_ENV: 'production' } })
  const preflight = ({ request }: TestServer, origin: string) =>
    request('OPTIONS', '/v1/conversations', {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, content-type' },
    })

  const allowed = await preflight(strict, app)
  t.equal(allowed.status, 204)
  t.equal(allowed.headers.get('access-control-allow-origin'), app)
  t.match(allowed.headers.get('vary'), /origin/i)
  t.match(allowed.headers.get('access-control-allow-methods'), /GET, POST, PUT, PATCH, DELETE/)
  t.match(allowed.headers.get('access-control-allow-headers'), /authorization/)
  t.match(
    (await strict.request('GET', '/v1/auth/me', { headers: { origin: app } })).headers.get('access-control-expose-headers'),
    /X-Request-Id.*Retry-After.*ETag.*Content-Disposition/,
  )

  for (const [who, origin] of [
    [strict, 'https://evil.example'],
    [strict, `${app}.evil.example`],
    [strict, 'null'],
    [closed, app],
  ] as const) {
    t.equal((await preflight(who, origin)).headers.get('access-control-allow-origin'), null, origin)
    t.equal((await who.request('GET', '/health', { headers: { origin } })).headers.get('access-control-allow-origin'), null, origin)
  }
  t.equal((await preflight(server, 'https://any.example')).headers.get('access-control-allow-origin'), '*', 'in development anybody may')
  t.equal((await server.request('OPTIONS', '/v1/auth/me')).status, 204, 'an OPTIONS of no browser is no error')
})

t.test('HEAD answers as GET does, without the body', async (t) => {
  const get = await server.request('GET', '/v1/auth/me', { token: alice.accessToken })
  const head = await server.request('HEAD', '/v1/auth/me', { token: alice.accessToken })
  t.equal(head.status, 200)
  t.equal(head.text, '')
  for (const name of ['content-type', 'content-length']) t.equal(head.headers.get(name), get.headers.get(name), name)
  t.equal((await server.request('HEAD', '/v1/auth/me')).status, 401)
})

t.test('a body means what it says: nothing is converted, nothing unknown is dropped, and every field that is wrong is named', async (t) => {
  const fieldsOf = async (method: string, path: string, body?: unknown) => {
    const { status, json } = await server.request(method, path, { token: alice.accessToken, ...(body !== undefined && { body }) })
    const fields: string[] = status === 400 ? json.error.details.map(({ field }: { field: string }) => field) : [`answered ${status}`]
    return [...new Set(fields)].toSorted()
  }
  const conversations = '/v1/conversations'
  const read = `${conversations}/${conversation.id}/read`
  const wrong: [what: string, method: string, path: string, body: unknown, fields: string[]][] = [
    ['text for an integer', 'POST', read, { seq: '12' }, ['body.seq']],
    ['a fraction for an integer', 'POST', read, { seq: 1.5 }, ['body.seq']],
    ['null for what is required', 'POST', read, { seq: null }, ['body.seq']],
    ['a number for text', 'POST', messages, { content: 7 }, ['body.content']],
    ['text for a boolean', 'POST', `${conversations}/${conversation.id}/typing`, { typing: 'true' }, ['body.typing']],
    ['null for what is optional', 'POST', messages, { content: 'a', clientId: null }, ['body.clientId']],
    ['one value for a list', 'POST', conversations, { type: 'group', memberIds: bob.id }, ['body.memberIds']],
    ['a list for an object', 'POST', messages, [], ['body']],
    ['nothing', 'POST', messages, undefined, ['body.content']],
    ['an unknown field', 'POST', messages, { content: 'a', colour: 'red' }, ['body.colour']],
    ['an unknown query parameter', 'GET', `${messages}?colour=red`, undefined, ['query.colour']],
    ['text for a number in the query', 'GET', `${messages}?limit=many`, undefined, ['query.limit']],
    ['one query parameter twice', 'GET', `${messages}?limit=1&limit=2`, undefined, ['query.limit']],
    ['more than there may be', 'GET', `${messages}?limit=101`, undefined, ['query.limit']],
    ['an id in a path that is none', 'GET', `${conversations}/7/messages?limit=0`, undefined, ['params.conversationId', 'query.limit']],
    ['an id in another spelling', 'GET', `${conversations}/${conversation.id.toUpperCase()}`, undefined, ['params.conversationId']],
    ['a URN', 'GET', `${conversations}/urn:uuid:${conversation.id}`, undefined, ['params.conversationId']],
    ['a wrong field within a list', 'POST', conversations, { type: 'group', memberIds: [bob.id, 'bob'] }, ['body.memberIds.1']],
    [
      'text that cannot be stored',
      'POST',
      messages,
      { content: 'a\u0000', clientId: 'b\u0000', metadata: { c: '\ud800' } },
      ['body.content', 'body.clientId', 'body.metadata.c'],
    ],
    ['a sign-in that cannot be looked up', 'POST', '/v1/auth/login', { identifier: 'a\u0000b', password: 'a' }, ['body.identifier']],
    [
      'all at once',
      'POST',
      '/v1/auth/register',
      { email: 'a', password: 'short', username: '-', phone: 1, extra: true },
      ['body.email', 'body.extra', 'body.password', 'body.phone', 'body.username'],
    ],
  ]
  for (const [what, method, path, body, fields] of wrong) t.same(await fieldsOf(method, path, body), fields.toSorted(), what)
  t.same(await fieldsOf('GET', `${messages}?limit=1`), ['answered 200'], 'a query is text on the wire, so 1 is a number there')
})

t.test('where every field may be left out, so may the body; but null is none', async (t) => {
  const { accessToken: token } = await server.signUp()
  const revokeAll = (body?: string) => server.request('POST', '/v1/auth/revoke-all', { token, headers: json, ...(body !== undefined && { body }) })
  t.equal((await revokeAll('null')).json.error.code, 'validation_error')
  t.equal((await revokeAll()).status, 200)
})

t.test('JSON that would reach for prototypes, or is no number that JSON knows, is refused', async (t) => {
  for (const body of [
    '{"content":"a","__proto__":{"admin":true}}',
    '{"content":"a","metadata":{"__proto__":"b"}}',
    '{"content":"a","constructor":{"prototype":{"admin":true}}}',
    '{"content":"a","metadata":{"big":1e400}}',
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
  ]) {
    const { status, json: answer } = await server.request('POST', messages, { token: alice.accessToken, body, headers: json })
    t.equal(status, 400, body.slice(0, 60))
    t.match(answer.error.code, /malformed_json|validation_error/)
  }
  t.equal(({} as { admin?: true }).admin, undefined)
  t.equal((await server.request('POST', messages, { token: alice.accessToken, body: { content: 'a', metadata: { constructor: 'b' } } })).status, 201)
})

t.test('bytes that are not UTF-8 are no JSON, and are not taken for something else', async (t) => {
  const url = `${server.url}${messages}`
  const headers = { ...json, authorization: `Bearer ${alice.accessToken}` }
  const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from('{"content":"\xff\xfe"}', 'latin1') })
  t.equal(answer.status, 400)
  t.match(await answer.json(), { error: { code: 'malformed_json' } })
  t.equal((await fetch(url, { method: 'POST', headers, body: Buffer.from('{"content":"é😀"}') })).status, 201)
})

t.test('/health, /ready and /metrics tell how the server is', async (t) => {
  t.match((await server.request('GET', '/health')).json, { status: 'healthy', environment: 'development' })
  t.match((await server.request('GET', '/ready')).json, { status: 'ready', services: { database: 'up', jobs: 'up', bus: 'up', storage: 'up' } })

  const metrics = async () => {
    const { text, headers } = await server.request('GET', '/metrics')
    t.match(headers.get('content-type'), /^text\/plain/)
    const sample = /^[a-zA-Z_:][\w:]*(\{[^{}]*\})? (-?[\d.]+(e[+-]?\d+)?|nan|[+-]inf)$/i
    t.same(
      text.split('\n').filter((line) => line !== '' && !/^# (HELP|TYPE) /.test(line) && !sample.test(line)),
      [],
      'every line is what Prometheus reads',
    )
    return (name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1) ?? 0,
      )
  }
  const before = await metrics()
  await alice.api.conversations.sendMessage(conversation.id, { content: 'Hello' })
  const socket = await server.socket(alice.accessToken)
  const meanwhile = await metrics()
  const created = 'http_requests_total{method="POST",status="201"}'
  t.equal(meanwhile(created), before(created) + 1)
  t.equal(meanwhile('parley_messages_total'), before('parley_messages_total') + 1)
  t.equal(meanwhile('parley_sockets'), 1)
  const route = `http_request_duration_seconds_count{method="POST",route="/v1/conversations/:conversationId/messages",status="201"}`
  t.equal(meanwhile(route), before(route) + 1)
  for (const name of ['parley_database_connections', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds']) t.ok(meanwhile(name) > 0, name)

  socket.close()
  await socket.closed
  let sockets = 1
  while (sockets > 0) sockets = (await metrics())('parley_sockets')
  t.equal(sockets, 0)
})

t.test('upgrades that nobody serves are answered at once', async (t) => {
  for (const path of ['/', '/v1/ws/', '/v1/nothing', '/v1/auth/me']) t.match(await answerTo(handshake(path)), /^HTTP\/1\.1 404 /, path)
})

t.test('a socket without a good token is refused with the envelope', async (t) => {
  for (const [path, headers] of [
    ['/v1/ws', []],
    ['/v1/ws?token=abc', []],
    ['/v1/ws', ['Authorization: Bearer abc']],
    ['/v1/ws', ['Sec-WebSocket-Protocol: parley.v1, bearer.abc']],
  ] as const) {
    const [head = '', body = ''] = (await answerTo(handshake(path, [...headers]))).split('\r\n\r\n')
    t.match(head, /^HTTP\/1\.1 401 /)
    t.equal(JSON.parse(body).error.code, 'unauthorized')
  }
})

t.test('a client that offers HTTP/2 in clear text is answered in HTTP/1.1', async (t) => {
  const offer = 'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  t.match(await answerTo(`GET /health HTTP/1.1\r\nHost: parley\r\n${offer}\r\n`), /^HTTP\/1\.1 200 /)
})

t.test('clients that break off in the middle of anything do no harm', async (t) => {
  for (const bytes of [
    handshake('/nothing'),
    handshake('/v1/ws'),
    handshake('/v1/ws', [`Authorization: Bearer ${alice.accessToken}`]),
    'GARBAGE\r\n\r\n',
    'POST /v1/auth/login HTTP/1.1\r\n',
  ]) {
    for (let delay = 0; delay < 20; delay += 1) {
      const socket = raw(bytes)
      await once(socket, 'connect')
      for (let turn = 0; turn < delay; turn += 1) await new Promise(setImmediate)
      socket.resetAndDestroy()
    }
  }
  t.equal((await server.request('GET', '/health')).status, 200)
})

t.test('clients that were refused and stay do not keep the server from closing', async (t) => {
  const closing = await startServer(t)
  for (const bytes of ['GARBAGE\r\n\r\n', handshake('/nothing'), handshake('/v1/ws')]) await once(raw(bytes, closing), 'data')
  await closing.stop()
  t.pass('it has closed')
})
