/** That the tests hold every answer and frame against the contract is worth something only if a wrong one is found. */
import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import pino from 'pino'
import t from 'tap'
import { binaryContent, defineOperation, ref } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import { Readiness } from '../../openapi/system/schemas.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { AppError } from '../../src/errors/app-error.ts'
import { addComponents, bindOperations, type Handler } from '../../src/http/bind-operations.ts'
import { handleErrors } from '../../src/http/error-handler.ts'
import { usualFormTimes } from '../../src/http/multipart.ts'
import { createServer } from '../../src/http/server.ts'
import { jsonText } from '../../src/json-text.ts'
import { guardAnswers } from '../helpers/contract-guard.ts'
import { startServer } from '../helpers/server.ts'

const probe = defineOperation({
  operationId: 'probe.get',
  method: 'GET',
  path: '/probe',
  summary: 'Get something',
  access: 'public',
  rateLimit: 'default',
  responses: { 200: { description: 'Something', body: Type.Object({ count: Type.Integer({ maximum: 10 }), readiness: ref(Readiness) }) } },
  errors: [],
})
type Probe = Handler<typeof probe>

const silent = defineOperation({ ...probe, operationId: 'silent.get', path: '/silent', responses: { 204: { description: 'Nothing' } } })

const readiness = { status: 'ready', timestamp: '2026-11-20T10:00:00.000Z', services: { database: 'up', jobs: 'up', bus: 'up', storage: 'up' } } as const
const right = { count: 1, readiness }

const picture = defineOperation({
  ...probe,
  operationId: 'picture.get',
  path: '/picture',
  responses: { 200: { description: 'A picture', contentType: 'image/webp', body: binaryContent('WebP') } },
})

const bytes = Uint8Array.of(0, 255, 10)

interface Handled {
  probed?: Probe
  silenced?: Handler<typeof silent>
  drawn?: Handler<typeof picture>
}

/** What a handler's answer is on the wire, and what the guard has to say about it. */
async function judge({ probed = async () => right, silenced = async () => undefined, drawn = async () => bytes }: Handled, path = '/probe') {
  const log = pino({ level: 'silent' })
  const server = await createServer({ config: loadConfig({}), clock: systemClock, log })
  handleErrors(server, { clock: systemClock, operations: [...allOperations, probe] })
  addComponents(server)
  const guard = guardAnswers(server)
  const hooks = { uploadMaxBytes: 1, formTimes: usualFormTimes, identify: async () => undefined, rateLimit: () => [] }
  bindOperations(server, hooks, { probe, silent, picture }, { 'probe.get': probed, 'silent.get': silenced, 'picture.get': drawn })
  const { statusCode, body, headers, rawPayload } = await server.inject(path)
  await server.close()
  return { status: statusCode, body, type: headers['content-type'], bytes: new Uint8Array(rawPayload), violations: guard.violations.join('\n') }
}

const text =
  (value: unknown): Probe =>
  async () =>
    jsonText(JSON.stringify(value))

t.test('an answer that fits the contract is left alone', async (t) => {
  t.match(await judge({}), { status: 200, violations: '' })
  t.match(await judge({ probed: text(right) }), { status: 200, violations: '' })
  t.match(await judge({}, '/silent'), { status: 204, violations: '' })
})

t.test('a handler whose text does not fit the contract is found out', async (t) => {
  const { count, ...without } = right
  const wrong: [what: string, answer: unknown, violation: RegExp][] = [
    ['a field too many', { ...right, passwordHash: 'x' }, /probe\.get 200: data must NOT have additional properties/],
    [
      'a field too many, deep within a component',
      { count, readiness: { ...readiness, services: { ...readiness.services, cache: 'up' } } },
      /additional properties/,
    ],
    ['a field too few', without, /must have required property 'count'/],
    ['a wrong type', { ...right, count: '1' }, /count must be integer/],
    ['a value out of its bounds', { ...right, count: 11 }, /count must be <= 10/],
    ['a wrong format', { count, readiness: { ...readiness, timestamp: 'now' } }, /timestamp must match format/],
    ['null for what is there always', { ...right, readiness: null }, /readiness must be object/],
  ]
  for (const [what, answer, violation] of wrong) t.match((await judge({ probed: text(answer) })).violations, violation, what)
})

t.test('a field that the contract does not have never leaves, when the handler returns an object', async (t) => {
  const { body, violations } = await judge({ probed: async () => ({ ...right, passwordHash: 'x' }) })
  t.strictSame(JSON.parse(body), right)
  t.equal(violations, '')
})

t.test('bytes leave as they are, in one piece or several; text in their place, or another type, is found out', async (t) => {
  async function* pieces() {
    for (const byte of bytes) yield Uint8Array.of(byte)
  }
  for (const drawn of [async () => bytes, async () => Buffer.from(bytes), async () => pieces(), async () => Readable.from(pieces())]) {
    const { status, type, bytes: received, violations } = await judge({ drawn }, '/picture')
    t.same([status, type, received, violations], [200, 'image/webp', bytes, ''])
  }
  const asText = await judge({ drawn: async () => jsonText('"text"') }, '/picture')
  t.match(asText.violations, /picture\.get 200: is text or bytes, and declares the other/)
  const asPage: Handler<typeof picture> = async ({ reply }) => {
    reply.raw.setHeader('content-type', 'text/html')
    return bytes
  }
  t.equal((await judge({ drawn: asPage }, '/picture')).type, 'image/webp', 'the contract names the type')
})

t.test('a status that the operation does not declare becomes an internal error, whatever was in the answer', async (t) => {
  for (const status of [202, 302, 404]) {
    const { status: answered, body } = await judge({
      probed: async ({ reply }) => {
        reply.code(status)
        return right
      },
    })
    t.equal(answered, 500, String(status))
    t.equal(JSON.parse(body).error.code, 'internal_error')
    t.notMatch(body, /count|readiness/)
  }
})

t.test('an error that the operation does not declare is found out', async (t) => {
  const { status, violations } = await judge({
    probed: async () => {
      throw new AppError('conflict')
    },
  })
  t.equal(status, 409)
  t.match(violations, /probe\.get 409 conflict: is not declared/)
})

t.test('a test whose server has said something wrong, over HTTP or a socket, fails', async (t) => {
  const ends: (() => unknown)[] = []
  const server = await startServer({ teardown: (end) => void ends.push(end) })
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  t.same(server.guard.violations, [])

  await server.database.pool.query('update users set email = $1 where id = $2', ['no address', alice.id])
  await server.request('GET', '/v1/auth/me', { token: alice.accessToken })
  const socket = await server.socket(alice.accessToken)
  const conversationId = conversation.id as ConversationId
  server.app.topics.publish('conversation', conversationId, { type: 'typing', conversationId, userId: 'nobody' as UserId, typing: true })
  await socket.frame(({ type }) => type === 'typing')

  const [end] = ends
  await t.rejects(Promise.resolve(end?.()), /auth\.me 200: data\/email must match format "email"[\s\S]*frame typing: data\/data\/userId must match/)
})
