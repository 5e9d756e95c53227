/** Who is let in, what the others are told, and how often anybody may ask. */
import { createHmac, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import t from 'tap'
import type { Operation } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import { jwtSecret, startServer, type TestServer } from '../helpers/server.ts'

const minute = 60_000

/** The real time, which can be put ahead. */
function createTestClock() {
  let ahead = 0
  return {
    now: () => new Date(Date.now() + ahead),
    advance(milliseconds: number) {
      ahead += milliseconds
    },
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (algorithm: string, secret: string) => (text: string) => createHmac(algorithm, secret).update(text).digest('base64url')

function forge(header: object, claims: object, sign: (text: string) => string): string {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${sign(text)}`
}

const answerOf = ({ status, json }: { status: number; json: { error?: { requestId: string; timestamp: string } } }) => {
  const { requestId, timestamp, ...error } = json.error ?? { requestId: undefined, timestamp: undefined }
  return { status, error }
}

t.test('a token that is not good, for whatever reason, is answered as none is, over HTTP and by the socket', async (t) => {
  const clock = createTestClock()
  const server = await startServer(t, { clock })
  const { api, accessToken } = await server.signUp()
  const ask = async (token: string | undefined) => answerOf(await server.request('GET', '/v1/auth/me', token === undefined ? {} : { token }))
  const [header = {}, claims = { exp: 0, iat: 0 }] = accessToken
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  const signed = hmac('sha256', jwtSecret)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const seconds = Math.floor(Date.now() / 1000)

  t.equal((await ask(accessToken)).status, 200)
  t.equal((await ask(forge(header, claims, signed))).status, 200, 'what is forged below is forged well')
  const refused = await ask(undefined)
  t.match(refused, { status: 401, error: { code: 'unauthorized' } })

  const bad: [what: string, token: string][] = [
    ['no token at all', 'abc'],
    ['a signature of another key', forge(header, claims, hmac('sha256', 'another secret, as long as the right one'))],
    ['no signature', accessToken.replace(/[^.]*$/, '')],
    ['claims that were changed', [accessToken.split('.')[0], encode({ ...claims, role: 'admin' }), accessToken.split('.')[2]].join('.')],
    ['alg: none', forge({ ...header, alg: 'none' }, claims, () => '')],
    ['alg: none, with the signature', forge({ ...header, alg: 'None' }, claims, signed)],
    ['another algorithm with the right secret', forge({ ...header, alg: 'HS512' }, claims, hmac('sha512', jwtSecret))],
    ['a public key of its own', forge({ ...header, alg: 'RS256' }, claims, (text) => createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url'))],
    ['another audience', forge(header, { ...claims, aud: 'elsewhere' }, signed)],
    ['another issuer', forge(header, { ...claims, iss: 'elsewhere' }, signed)],
    ['no expiry', forge(header, { ...claims, exp: undefined }, signed)],
    ['an expiry that is past', forge(header, { ...claims, iat: seconds - 1000, exp: seconds - 1 }, signed)],
    ['a role that there is not', forge(header, { ...claims, role: 'root' }, signed)],
    ['no session', forge(header, { ...claims, sid: undefined }, signed)],
  ]
  for (const [what, token] of bad) {
    t.strictSame(await ask(token), refused, what)
    t.strictSame(answerOf(await server.request('GET', `/v1/ws?token=${token}`)), refused, `${what}, at the socket`)
  }
  for (const scheme of ['Basic', 'Token', '']) {
    t.strictSame(
      answerOf(await server.request('GET', '/v1/auth/me', { headers: { authorization: `${scheme} ${accessToken}` } })),
      refused,
      `as ${scheme || 'nothing'}`,
    )
  }

  const early = await server.signUp()
  await api.auth.logout()
  t.strictSame(await ask(accessToken), refused, 'a session that was ended')
  clock.advance(15 * minute)
  t.strictSame(await ask(early.accessToken), refused, 'a token that has expired')
})

t.test("whoever is no member is told of a conversation, byte for byte, what is told of one that there isn't", async (t) => {
  const server = await startServer(t)
  const [alice, bob, stranger] = [await server.signUp(), await server.signUp(), await server.signUp()]
  const { conversation: group } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, stranger.id] })
  const { conversation: direct } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const { message } = await alice.api.conversations.sendMessage(group.id, { content: 'Secret' })
  await alice.api.conversations.removeMember(group.id, stranger.id)
  const missing = randomUUID()

  const bodies: Record<string, unknown> = { 'conversations.addMembers': { userIds: [bob.id] } }
  const operations = allOperations.filter(({ path }) => path.includes('{conversationId}'))
  t.ok(operations.length >= 10)
  const ask = async ({ operationId, method, path, examples = {} }: Operation, conversationId: string, userId: string, search = '') => {
    const url = path.replace('{conversationId}', conversationId).replace('{userId}', userId).replace('{inviteId}', userId) + search
    const body = bodies[operationId] ?? Object.values(examples)[0]
    const { status, text, headers } = await server.request(method, url, { token: stranger.accessToken, ...(body !== undefined && { body }) })
    const bytes = text.replace(/"requestId":"[^"]+","timestamp":"[^"]+"/, '')
    return { status, bytes, headers: [...headers].filter(([name]) => !['x-request-id', 'date', 'connection', 'keep-alive'].includes(name)) }
  }
  for (const operation of operations) {
    for (const userId of [alice.id, missing]) {
      const ofMissing = await ask(operation, missing, userId)
      t.equal(ofMissing.status, 404, operation.operationId)
      t.strictSame(await ask(operation, direct.id, userId), ofMissing, `${operation.operationId}: one of others`)
      t.strictSame(await ask(operation, group.id, userId), ofMissing, `${operation.operationId}: one that was theirs once`)
    }
    if (operation.operationId !== 'messages.list') continue
    const search = `?before=${message.id}`
    t.strictSame(await ask(operation, group.id, alice.id, search), await ask(operation, missing, alice.id, search), 'nor is it told that a message is there')
  }
})

const limits = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] as const
const limitsOf = ({ headers }: { headers: Headers }) => limits.map((name) => Number(headers.get(name) ?? Number.NaN))

t.test('every answer of a limited operation tells what is left, also when it is refused', async (t) => {
  const clock = createTestClock()
  const server = await startServer(t, { clock, env: { RATE_LIMIT_DEFAULT: '50/1m', RATE_LIMIT_AUTH: '50/1m', RATE_LIMIT_PUBLIC: '50/1m' } })
  const { accessToken: token } = await server.signUp()
  const unknown = `/v1/conversations/${randomUUID()}`
  const asked: [status: number, asked: Parameters<TestServer['request']>][] = [
    [200, ['GET', '/v1/auth/me', { token }]],
    [400, ['GET', '/v1/auth/me?a=b', { token }]],
    [404, ['GET', unknown, { token }]],
    [415, ['PATCH', unknown, { token, body: 'a', headers: { 'content-type': 'text/plain' } }]],
    [400, ['PATCH', unknown, { token, body: '{', headers: { 'content-type': 'application/json' } }]],
    [413, ['PATCH', unknown, { token, body: { title: 'a'.repeat(2_000_000) } }]],
    [200, ['HEAD', '/v1/auth/me', { token }]],
    [204, ['POST', '/v1/auth/logout', { token }]],
  ]
  let remaining = 50
  for (const [status, request] of asked) {
    const answer = await server.request(...request)
    t.equal(answer.status, status)
    const [limit, left, reset = 0] = limitsOf(answer)
    t.strictSame([limit, left], [50, --remaining], `after ${status}`)
    const secondsToGo = reset - clock.now().getTime() / 1000
    t.ok(secondsToGo > 50 && secondsToGo <= 62, 'the reset is a Unix time, in seconds')
  }
  t.same(limitsOf(await server.request('GET', '/v1/auth/me')).slice(0, 2), [50, 49], 'without a good token it is the address that counts')
  t.same(
    limitsOf(await server.request('POST', '/v1/auth/login', { body: {} })).slice(0, 2),
    [50, 47],
    'each class counts by itself: a registration and its code came before',
  )
  for (const path of ['/health', '/ready', '/metrics', '/openapi.json'])
    t.same(limitsOf(await server.request('GET', path)), [NaN, NaN, NaN], `${path} is never limited`)
})

t.test('a limit that is used up is told with the seconds to wait, and then begins anew', async (t) => {
  const clock = createTestClock()
  const server = await startServer(t, { clock, env: { RATE_LIMIT_DEFAULT: '2/1m' } })
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const ask = (token: string) => server.request('GET', '/v1/auth/me', { token })

  t.equal((await ask(alice.accessToken)).status, 200)
  clock.advance(20_000)
  t.equal((await ask(alice.accessToken)).status, 200)
  const refused = await ask(alice.accessToken)
  t.equal(refused.status, 429)
  t.same(limitsOf(refused).slice(0, 2), [2, 0])
  const wait = Number(refused.headers.get('retry-after'))
  t.ok(wait > 35 && wait <= 40, `${wait} s: the window began with the first call`)
  t.match(refused.json.error, { code: 'rate_limit_exceeded', message: new RegExp(`in ${wait} s\\.`) })

  t.equal((await ask(bob.accessToken)).status, 200, 'somebody else has a limit of their own, from the same address')
  clock.advance((wait - 1) * 1000)
  t.equal((await ask(alice.accessToken)).status, 429, 'a second early is too early')
  clock.advance(1000)
  t.equal((await ask(alice.accessToken)).status, 200)
})

t.test('sign-in is limited by address, whoever asks', async (t) => {
  const server = await startServer(t, { env: { RATE_LIMIT_AUTH: '3/1m', TRUST_PROXY: '1' } })
  const { accessToken: token } = await server.signUp()
  const guess = async (parts: { token?: string; headers?: Record<string, string> }) =>
    (await server.request('POST', '/v1/auth/login', { body: { identifier: 'nobody', password: 'guess' }, ...parts })).status
  t.equal(await guess({ token }), 401, 'the third, after a registration and its code')
  t.equal(await guess({ token }), 429)
  t.equal(await guess({}), 429)
  t.equal(await guess({ headers: { 'x-forwarded-for': '198.51.100.7' } }), 401, 'behind a proxy the address is the one that it names')
  const forwarded: number[] = []
  for (const written of ['6.6.6.6', '6.6.6.7', '6.6.6.8', '6.6.6.9']) {
    forwarded.push(await guess({ headers: { 'x-forwarded-for': `${written}, 203.0.113.9` } }))
  }
  t.same(forwarded, [401, 401, 401, 429], 'and not what the client wrote before it')

  const direct = await startServer(t, { env: { RATE_LIMIT_AUTH: '1/1m' } })
  const pretend = async (address: string) => (await direct.request('POST', '/v1/auth/login', { body: {}, headers: { 'x-forwarded-for': address } })).status
  t.equal(await pretend('198.51.100.7'), 400)
  t.equal(await pretend('198.51.100.8'), 429, 'without one, nobody can name another address')
})

t.test('an IPv6 caller is counted by the /64, however it is written, and an IPv4 address in IPv6 clothes as what it is', async (t) => {
  const server = await startServer(t, { env: { RATE_LIMIT_AUTH: '1/1m', TRUST_PROXY: '1' } })
  const ask = async (address: string) => (await server.request('POST', '/v1/auth/login', { body: {}, headers: { 'x-forwarded-for': address } })).status
  t.equal(await ask('2001:db8:1:2:3:4:5:6'), 400)
  for (const same of ['2001:db8:1:2::1', '2001:0DB8:0001:0002:ffff::', '2001:db8:1:2::192.0.2.1']) t.equal(await ask(same), 429, same)
  for (const other of ['2001:db8:1:3::1', '2001:db8::1', '::1', 'fe80::1%eth0']) t.equal(await ask(other), 400, other)
  t.equal(await ask('::ffff:192.0.2.1'), 400)
  for (const same of ['192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:c000:0201']) t.equal(await ask(same), 429, same)
  t.equal(await ask('::ffff:192.0.2.2'), 400)
})

t.test('requests and socket commands share their limits, and opening sockets has its own', async (t) => {
  const server = await startServer(t, { env: { RATE_LIMIT_MESSAGES: '3/1m', RATE_LIMIT_SOCKETS: '2/1m' } })
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const path = `/v1/conversations/${conversation.id}/messages`
  const overHttp = async () => (await server.request('POST', path, { token: alice.accessToken, body: { content: 'Hello' } })).status
  const socket = await server.socket(alice.accessToken)
  let id = 0
  const overSocket = async () => {
    const own = ++id
    socket.send({ type: 'conversations.sendMessage', id: own, data: { conversationId: conversation.id, content: 'Hello' } })
    const { type, error } = await socket.frame((frame) => frame.id === own)
    return error?.code ?? type
  }
  t.equal(await overHttp(), 201)
  t.equal(await overSocket(), 'ack')
  t.equal(await overHttp(), 201)
  t.equal(await overSocket(), 'rate_limit_exceeded')
  t.equal(await overHttp(), 429)
  t.equal((await server.request('GET', path, { token: alice.accessToken })).status, 200, 'reading is of another class')
  t.equal((await bob.api.conversations.sendMessage(conversation.id, { content: 'Hello' })).message.seq, 4, 'and what was refused was not stored')

  t.equal((await server.request('GET', '/v1/ws', { token: alice.accessToken })).status, 426)
  t.equal((await server.request('GET', '/v1/ws', { token: alice.accessToken })).status, 429)
  await t.rejects(server.socket(alice.accessToken), /429/)
  t.ok(await server.socket(bob.accessToken))
})
