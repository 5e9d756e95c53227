/**
 * Requests and frames that nobody thought of, made from the contract: valid ones, nearly valid ones and nonsense, from different
 * people. Whatever comes, the answer is one that the contract declares, none is a defect of the server, and none tells of its inside.
 * Each run takes another way; FUZZ_SEED=<the seed it printed> takes it again.
 */
import { randomInt } from 'node:crypto'
import type { TSchema } from '@sinclair/typebox'
import fc from 'fast-check'
import { type GenerateOptions, generateSync, type JsonSchema } from 'json-schema-faker'
import t from 'tap'
import type { Operation } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import { emitComponents, emitSchema } from '../../openapi/emission/schema.ts'
import { closeCodes } from '../../openapi/realtime/events.ts'
import { commandFrames } from '../../openapi/realtime/frames.ts'
import { formOf, tinyPng } from '../helpers/form.ts'
import { startServer } from '../helpers/server.ts'

const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31))
t.comment(`FUZZ_SEED=${seed}`)

const server = await startServer(t)
const people = { alice: await server.signUp(), bob: await server.signUp(), carol: await server.signUp() }
type Name = keyof typeof people
const { alice, bob, carol } = people

/** Some of what is sent ends the sessions of who sends it: they begin another one. */
async function signInAgain(name: Name): Promise<void> {
  const { accessToken } = await server.client().auth.verifyEmail({ email: people[name].email, code: '000000' })
  people[name].accessToken = accessToken
}

const conversations: string[] = []
for (let count = 0; count < 6; count += 1) {
  const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: count % 2 === 0 ? [bob.id, carol.id] : [bob.id] })
  conversations.push(conversation.id)
}
const { message } = await alice.api.messages.send({ recipientId: bob.id, content: 'Hello' })
const messageIds = [message.id]
const fileIds: string[] = []
const codes: string[] = []
for (const id of conversations) {
  messageIds.push((await alice.api.conversations.sendMessage(id, { content: 'Hello' })).message.id)
  fileIds.push((await alice.api.files.upload({ file: new Blob([tinyPng]) })).id)
  codes.push((await alice.api.conversations.createInvite(id)).invite.code)
}
const known: Record<string, readonly string[]> = {
  conversationId: [...conversations, message.conversationId],
  userId: Object.values(people).map(({ id }) => id),
  messageId: messageIds,
  fileId: fileIds,
  code: codes,
  emoji: ['%F0%9F%91%8D', ':ship-it:'],
}
const knownIds = [known.conversationId, known.userId, messageIds].flatMap((ids = []) => ids)

const components = { schemas: emitComponents({ discriminators: false }) }

/** json-schema-faker does not reach `minProperties` by optional properties: objects of these may be empty. */
const without = (schema: object): JsonSchema => JSON.parse(JSON.stringify(schema, (key, value) => (key === 'minProperties' ? undefined : value)))

const generate = (schema: TSchema, options: GenerateOptions) => generateSync(without({ ...emitSchema(schema, { discriminators: false }), components }), options)

/** A value that fits the schema, with ids that exist in the place of most that do not: of what their field names, where that is known. */
const fitting = (schema: TSchema): fc.Arbitrary<unknown> =>
  fc.record({ seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }), first: fc.noBias(fc.nat()) }).map(({ seed, first }) => {
    let next = first
    const familiar = (value: unknown, field: string): unknown => {
      if (Array.isArray(value)) return [...new Set(value.map((part) => familiar(part, field.replace(/s$/, ''))))]
      if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, familiar(part, name)]))
      if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value) || next++ % 5 === 0) return value
      const ids = known[field] ?? knownIds
      return ids[next % ids.length]
    }
    return familiar(generate(schema, { seed, optionalsProbability: 0.4 }), '')
  })

const nasty: unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, 1e308, -0, '', ' ', '12', 'null', [], {}, [[]], [null], { a: { b: {} } }, { toString: 1, type: 2 }],
  ...[
    '\u0000',
    '\ud800',
    '\udc00\ud800',
    '\u202e',
    'é',
    '😀'.repeat(100),
    'a'.repeat(20_000),
    '../../etc/passwd',
    "'; drop table users; --",
    '%00',
    '$1',
    '{}',
    '\\',
  ],
]
const anything = fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary' }), fc.double(), fc.jsonValue({ maxDepth: 3 }))

type Path = (string | number)[]

const pathsOf = (value: unknown, path: Path = []): Path[] =>
  typeof value === 'object' && value !== null ? [path, ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...path, key]))] : [path]

interface Change {
  kind: 'replace' | 'omit' | 'add' | 'spoil'
  by: unknown
}

/** The same with one part replaced, left out or spoilt, or with one more. */
function changed(value: unknown, [key, ...rest]: Path, change: Change): unknown {
  if (key === undefined && change.kind === 'spoil') return typeof value === 'string' ? value.slice(1) + change.by : value
  if (key === undefined) return change.kind === 'add' && isRecord(value) ? { ...value, more: change.by } : change.by
  if (Array.isArray(value)) return value.map((part, index) => (String(index) === key ? changed(part, rest, change) : part))
  if (!isRecord(value)) return value
  const { [key]: part, ...others } = value
  return rest.length === 0 && change.kind === 'omit' ? others : { ...value, [key]: changed(part, rest, change) }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One of these is enough for text to be something else. */
const spoilers = ['\u0000', '\ud800']

const change = fc.oneof(
  fc.record({ at: fc.noBias(fc.nat()), kind: fc.constantFrom('replace', 'omit', 'add'), by: anything }),
  fc.record({ at: fc.noBias(fc.nat()), kind: fc.constant('spoil'), by: fc.constantFrom(...spoilers) }),
)

/** Half of them fit, half have been tampered with in one place or two. */
const nearly = (schema: TSchema): fc.Arbitrary<unknown> =>
  fc.tuple(fitting(schema), fc.oneof(fc.constant([]), fc.array(change, { minLength: 1, maxLength: 2 }))).map(([value, changes]) =>
    changes.reduce<unknown>((tampered, { at, ...what }) => {
      const [whole = [], ...parts] = pathsOf(tampered)
      return changed(tampered, at % 10 === 0 ? whole : (parts[at % parts.length] ?? whole), what)
    }, value),
  )

const textOf = (value: unknown): fc.Arbitrary<string> => {
  const json = JSON.stringify(value) ?? ''
  return fc.oneof(
    { weight: 30, arbitrary: fc.constant(json) },
    { weight: 1, arbitrary: fc.nat({ max: json.length }).map((end) => json.slice(0, end)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(json.replace(/\d+/, '1e999'), json.replace('{', '{"__proto__":{},'), `\ufeff${json}`, `[${json}`, '[['.repeat(5_000), ''),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  )
}

const names = Object.keys(people) as Name[]
const caller = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...names) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, 'abc', `${alice.accessToken}x`) },
)
const isName = (caller: string | undefined): caller is Name => caller !== undefined && caller in people

const segment = (name: string) =>
  fc.oneof(
    { weight: 16, arbitrary: fc.constantFrom(...(known[name] ?? knownIds)) },
    { weight: 1, arbitrary: fc.uuid() },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...knownIds).chain((id) => fc.constantFrom(`urn:uuid:${id}`, id.toUpperCase(), `{${id}}`, id.replaceAll('-', ''))),
    },
    { weight: 1, arbitrary: fc.string({ minLength: 1 }).map((text) => encodeURIComponent(text)) },
    { weight: 1, arbitrary: fc.constantFrom('%00', '%ZZ', '%2e%2e', '..', '%F0%9F', 'null', '1', 'a'.repeat(200)) },
  )

const pathOf = ({ path }: Operation) => {
  const parts = path.split('/').map((part) => (part.startsWith('{') ? segment(part.slice(1, -1)) : fc.constant(part)))
  return fc.tuple(...parts).map((segments) => segments.join('/'))
}

const plainText = fc.string({ minLength: 1, maxLength: 140 }).map((text) => text.trim())

const headersFor = ({ idempotent }: Operation) =>
  fc.record(
    {
      'content-type': fc.oneof(
        { weight: 15, arbitrary: fc.constant('application/json') },
        { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/json; charset=latin1', 'a', '') },
      ),
      ...(idempotent && { 'idempotency-key': plainText }),
      'x-request-id': plainText,
      accept: fc.constantFrom('text/html', '*/*'),
    },
    { requiredKeys: ['content-type'] },
  )

const noise = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('?', '?a=b', '?limit', '?limit[]=1', '?cursor=bnVsbA', '?%00=%ZZ', '?limit=1&limit=1') },
)

/** A form is sent as one more often than not. */
const bodyFor = (operation: Operation): fc.Arbitrary<string | FormData> => {
  const values = nearly(operation.body ?? operation.params ?? ({} as TSchema))
  return operation.multipart ? fc.oneof(values.chain(picturesOf(operation)), values.chain(textOf)) : values.chain(textOf)
}

const picturesOf = (operation: Operation) => (values: unknown) =>
  fc.oneof(fc.constant(tinyPng), fc.uint8Array()).map((bytes) => formOf(operation, isRecord(values) ? values : {}, new Uint8Array(bytes)))

const requestFor = (operation: Operation) =>
  fc.record({
    operation: fc.constant(operation.operationId),
    method: fc.constant(operation.method),
    path: pathOf(operation),
    query: operation.query === undefined ? noise : fc.oneof(nearly(operation.query).map(searchOf), noise),
    caller,
    headers: headersFor(operation),
    body: operation.method === 'GET' ? fc.constant(undefined) : bodyFor(operation),
  })

const searchOf = (query: unknown): string =>
  isRecord(query)
    ? `?${Object.entries(query)
        .map(
          ([name, value]) =>
            `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(String(JSON.stringify(value)).replace(/^"|"$/g, '').toWellFormed())}`,
        )
        .join('&')}`
    : '?'

/** What is in no answer: stacks, SQL, names of tables, constraints and files, words of the libraries. */
const inside =
  /\n\s+at |node_modules|\.[jt]s:\d|\/src\/|\bselect\b.*\bfrom\b|insert into|relation "|violates|_unique|email_codes|refresh_tokens|ECONN|HPE_|FST_|drizzle|ajv|invalid input syntax/i

t.test('1,000 requests made from the contract: no defect, no leak, no answer that it does not declare', { timeout: 200_000 }, async (t) => {
  const withBody = allOperations.filter(({ body }) => body !== undefined)
  const requests = fc.constantFrom(...allOperations, ...withBody, ...withBody).chain(requestFor)
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, query, caller, headers, body }) => {
      const token = isName(caller) ? people[caller].accessToken : caller
      const { 'content-type': _, ...untyped } = headers
      const sent = body instanceof FormData ? untyped : headers
      const answer = await server.request(method, path + query, { headers: sent, ...(token !== undefined && { token }), ...(body !== undefined && { body }) })
      if (answer.status === 401 && isName(caller)) await signInAgain(caller)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      if (answer.status >= 500) throw new Error(`answered ${answer.status}: ${answer.text}`)
      if (answer.status >= 400 && answer.text !== '') {
        const { code, message, details = [], requestId } = answer.json.error
        const told = [code, message, ...details.map(({ reason }: { reason: string }) => reason)].join('\n')
        if (inside.test(told)) throw new Error(`tells of the inside: ${told}`)
        if (requestId !== answer.headers.get('x-request-id')) throw new Error('names another request')
      }
      if (server.guard.violations.length > 0) throw new Error(server.guard.violations.splice(0).join('\n'))
    }),
    { numRuns: 1_000, seed },
  )
  t.comment(
    `Answers by status: ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}`,
  )
  const successes = [...server.guard.seen].filter((outcome) => / 2\d\d$/.test(outcome)).length
  t.ok(successes > allOperations.length / 3, `they went deep enough: ${successes} kinds of success`)
  t.equal((await server.request('GET', '/ready')).status, 200)
})

t.test('text that the database cannot store is no defect in any field of any body', async (t) => {
  for (const { operationId, method, path, body, multipart } of allOperations) {
    if (body === undefined) continue
    const whole = generate(body, { seed: 1, alwaysFakeOptionals: true })
    const params = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name]?.[0] ?? message.id)
    for (const field of pathsOf(whole)) {
      for (const by of spoilers) {
        const spoilt = changed(whole, field, { kind: 'spoil', by })
        if (spoilt === whole) continue
        const { status } = await server.request(method, params, { token: alice.accessToken, body: multipart ? formOf({ body }, spoilt) : spoilt })
        if (status === 401) await signInAgain('alice')
        t.ok(status < 500, `${operationId} ${field.join('.')}: ${status}`)
      }
    }
  }
})

t.test(
  '600 frames made from the contract: no defect, no frame that it does not declare, and every command works after them',
  { timeout: 60_000 },
  async (t) => {
    const frames = fc.constantFrom(...commandFrames.values()).chain((schema) => nearly(schema).chain(textOf))
    // Nobody knows what became of the others on the way.
    const dora = await server.signUp()
    const { conversation } = await dora.api.conversations.create({ type: 'group', memberIds: [bob.id] })
    const { message } = await dora.api.conversations.sendMessage(conversation.id, { content: 'Hello' })
    Object.assign(known, {
      conversationId: [conversation.id],
      replyTo: [message.id],
      mention: [bob.id],
      attachment: [(await dora.api.files.upload({ file: new Blob([tinyPng]) })).id],
    })
    let socket = await server.socket(dora.accessToken)
    let pings = 0
    await fc.assert(
      fc.asyncProperty(frames, fc.boolean(), async (text, binary) => {
        const id = `ping ${++pings}`
        const from = socket.frames.length
        socket.socket.send(text, { binary: binary && pings % 20 === 0 })
        socket.send({ type: 'ping', id, data: {} })
        const answer = await Promise.race([socket.frame((frame) => frame.id === id, from), socket.closed])
        if ('code' in answer) {
          if (!(answer.code in closeCodes)) throw new Error(`closed with ${answer.code}`)
          socket = await server.socket(dora.accessToken)
        }
        const defects = [...server.guard.seen].filter((outcome) => /internal_error|unavailable/.test(outcome))
        for (const defect of defects) server.guard.seen.delete(defect)
        if (defects.length > 0) throw new Error(defects.join('\n'))
        if (server.guard.violations.length > 0) throw new Error(server.guard.violations.splice(0).join('\n'))
      }),
      { numRuns: 600, seed },
    )
    t.comment(`Acknowledged: ${[...server.guard.seen].filter((outcome) => outcome.startsWith('ack ')).join(', ')}`)

    const conversationId = conversation.id
    const ordinary: Record<string, object> = {
      resume: { cursors: {} },
      subscribe: {},
      unsubscribe: { conversationIds: [conversationId] },
      ping: {},
      'conversations.sendMessage': { conversationId, content: 'Hello' },
      'conversations.markRead': { conversationId, seq: 1 },
      'conversations.markDelivered': { conversationId, seq: 1 },
      'conversations.setTyping': { conversationId, typing: true },
    }
    for (const type of commandFrames.keys()) {
      socket.send({ type, id: type, data: ordinary[type] })
      t.match(await socket.frame(({ id }) => id === type), { type: 'ack' }, type)
    }
  },
)
