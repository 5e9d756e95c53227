import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import { closed, defineCommand, defineOperation, type Operation, ref, uploadedFile } from '../../openapi/contract.ts'
import { allOperations, openApiDocument } from '../../openapi/document.ts'
import { SendMessageRequest, SendMessageResult } from '../../openapi/messages/schemas.ts'
import { changeEvents, commands, signalEvents } from '../../openapi/realtime/frames.ts'
import { asyncApiDocument, asyncApiServer } from '../../openapi/realtime.ts'
import { type Contract, contractProblems } from '../../openapi/rules.ts'
import { asyncApiProblems } from '../../scripts/check/asyncapi.ts'
import { breakingChanges } from '../../scripts/check/breaking.ts'
import { fileProblems } from '../../scripts/check/sizes.ts'
import { contractDocuments } from '../../scripts/generate/documents.ts'

interface PublishedOperation {
  operationId: string
  security: object[]
  parameters?: { $ref?: string; name?: string }[]
  responses: Record<string, { $ref?: string; headers?: Record<string, object> }>
}
interface PublishedDocument {
  paths: Record<string, Record<string, PublishedOperation>>
  components: { responses: Record<string, { headers: Record<string, object>; 'x-error-codes': string[] }>; schemas: Record<string, Published> }
}
interface Published {
  required?: string[]
  properties?: Record<string, object>
  discriminator?: { mapping: Record<string, string> }
  oneOf?: { $ref: string }[]
}

const published = (): PublishedDocument => JSON.parse(JSON.stringify(openApiDocument()))
const publishedOperations = Object.values(published().paths).flatMap((methods) => Object.values(methods))

t.test('the contract fulfils every rule', async (t) => {
  t.same(contractProblems(), [])
})

t.test('a contract that breaks a rule is told so', async (t) => {
  const good = defineOperation({
    operationId: 'things.create',
    method: 'POST',
    path: '/v1/things/{thingId}',
    summary: 'Create a thing',
    access: 'user',
    rateLimit: 'default',
    params: Type.Object({ thingId: Type.String({ format: 'uuid', description: 'Id of a thing' }) }),
    body: ref(SendMessageRequest),
    examples: { any: { content: 'Hello' } },
    responses: { 204: { description: 'Created' } },
    errors: [],
  })
  const empty: Contract = { components: new Map(), operations: [], events: [], commands: [] }
  const problemsOf = (change: Partial<Operation>) => contractProblems({ ...empty, operations: [{ ...good, ...change }] })
  const bodyOf = (property: Parameters<typeof closed>[0][string], value: unknown) => ({ body: closed({ value: property }), examples: { any: { value } } })

  t.same(problemsOf({}), [], 'the one that is changed below is good')

  const broken: [string, Partial<Operation>, RegExp][] = [
    ['an id of one word', { operationId: 'things.create.now' }, /<resource>\.<verb>/],
    ['no summary', { summary: ' ' }, /needs a summary/],
    ['params that are not in the path', { path: '/v1/things' }, /the path has \{\}, params declare \{thingId\}/],
    ['no example of the body', { examples: {} }, /the body has no example/],
    ['an example that does not fit', { examples: { any: { content: 7 } } }, /example any\/content must be string/],
    ['an example with an unknown field', { examples: { any: { content: 'a', colour: 'red' } } }, /additional|colour/],
    ['no success', { responses: { 302: { description: 'Elsewhere' } } }, /has no success/],
    ['no example of an outcome', { responses: { 200: { description: 'Sent', body: ref(SendMessageResult) } } }, /outcome 200 has no example/],
    ['an outcome example that does not fit', { responses: { 200: { description: 'Sent', body: ref(SendMessageResult), example: {} } } }, /message/],
    [
      'an outcome example that shows too much',
      { responses: { 200: { description: 'Counted', body: Type.Object({ count: Type.Integer() }), example: { count: 1, secret: 2 } } } },
      /has secret, which the schema does not know/,
    ],
    ['a status that is outcome and error', { responses: { 401: { description: 'Odd' } } }, /status 401 is an outcome and an error/],
    ['a body that takes unknown fields', { body: Type.Object({ content: Type.Boolean() }), examples: { any: { content: true } } }, /body takes unknown fields/],
    ['an object inside that does', bodyOf(Type.Object({ a: Type.Boolean() }), { a: true }), /body\.value takes unknown fields/],
    ['endless text', bodyOf(Type.String(), 'a'), /body\.value is text without an end/],
    ['an endless pattern', bodyOf(Type.String({ pattern: '^[a-z]+$' }), 'a'), /body\.value is text without an end/],
    ['an endless list', bodyOf(Type.Array(Type.Boolean()), [true]), /body\.value is a list without maxItems/],
    ['an endless record', bodyOf(Type.Record(Type.String({ maxLength: 5 }), Type.Boolean()), { a: true }), /body\.value is a record without maxProperties/],
    ['a query that is not described', { query: Type.Object({ all: Type.Boolean() }) }, /query\.all has no description/],
    ['an endless query', { query: Type.Object({ q: Type.Optional(Type.String()) }) }, /query\.q is text without an end/],
    ['a file in JSON', bodyOf(uploadedFile({ maxBytes: 9, description: 'A file' }), 'a'), /has a file in a body that is no multipart/],
    ['idempotence without a clientId', { idempotent: true, ...bodyOf(Type.Boolean(), true) }, /has no clientId/],
  ]
  for (const [what, change, problem] of broken) t.match(problemsOf(change).join('\n'), problem, what)

  t.match(contractProblems({ ...empty, operations: [good, good] }).join('\n'), /operationId things\.create is there twice/)
  t.match(contractProblems({ ...empty, operations: [good, good] }).join('\n'), /route POST \/v1\/things\/\{\} is there twice/)
  const stray = defineCommand({ type: 'stray', summary: 'Stray', rateLimit: 'default', data: closed({}), errors: [], example: {} })
  t.match(contractProblems({ ...empty, commands: [stray] }).join('\n'), /stray: is not in realtime\/frames\.ts/)

  const Thing = Type.Object({ name: Type.String(), parts: Type.Array(Type.Object({ size: Type.Integer() }), { description: 'All of them' }) })
  t.same(contractProblems({ ...empty, components: new Map([['Thing', Thing]]) }), [
    'component Thing has no description',
    'component Thing.name has no description',
    'component Thing.parts.size has no description',
  ])
})

t.test('the documents are the same, byte for byte, whenever they are made', async (t) => {
  t.same(await contractDocuments(), await contractDocuments())
})

t.test('every operation of the contract is published, with its access', async (t) => {
  const expected = allOperations.map(({ operationId, access, idempotent = false }) => ({ operationId, open: access === 'public', idempotent }))
  const found = publishedOperations.map(({ operationId, security, parameters = [] }) => ({
    operationId,
    open: security.length === 0,
    idempotent: parameters.some(({ $ref }) => $ref?.endsWith('/IdempotencyKey')),
  }))
  const byId = (a: { operationId: string }, b: { operationId: string }) => (a.operationId < b.operationId ? -1 : 1)
  t.same(found.toSorted(byId), expected.toSorted(byId))
})

t.test('every answer is published with the headers that it has', async (t) => {
  const { components } = published()
  const wrong = publishedOperations.flatMap(({ operationId, responses }) => {
    const operation = allOperations.find((one) => one.operationId === operationId)
    const limited = operation?.rateLimit !== 'none'
    return Object.entries(responses).flatMap(([status, { $ref, headers }]) => {
      const names = Object.keys(headers ?? components.responses[$ref?.split('/').at(-1) ?? '']?.headers ?? {})
      const expected = [
        'X-Request-Id',
        ...(limited ? ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'] : []),
        ...($ref && ['429', '503'].includes(status) ? ['Retry-After'] : []),
        ...($ref && status === '416' ? ['Content-Range'] : []),
        ...Object.keys(operation?.responses[Number(status)]?.headers ?? {}),
      ]
      return names.join() === expected.join() ? [] : [`${operationId} ${status}: ${names.join()}`]
    })
  })
  t.same(wrong, [])
})

t.test('no reference of a document leads nowhere', async (t) => {
  for (const document of [openApiDocument(), asyncApiDocument()]) {
    const text = JSON.stringify(document)
    const references = [...text.matchAll(/"(#\/[^"]+)"/g)].map(([, reference = '']) => reference)
    t.not(references.length, 0)
    t.same(
      references.filter((reference) => resolve(JSON.parse(text), reference) === undefined),
      [],
    )
    t.notMatch(text, /"\$id"|"patternProperties"/)
  }
})

t.test('a discriminator maps every word to its schema', async (t) => {
  const { Change } = published().components.schemas
  t.same(
    Object.keys(Change?.discriminator?.mapping ?? {}),
    changeEvents.map(({ type }) => type),
  )
  t.same(
    Object.values(Change?.discriminator?.mapping ?? {}),
    Change?.oneOf?.map(({ $ref }) => $ref),
  )
})

t.test('the socket document is valid and has every frame', async (t) => {
  t.same(await asyncApiProblems(), [])
  const { channels }: { channels: { socket: { messages: object } } } = JSON.parse(JSON.stringify(asyncApiDocument()))
  const expected = [...changeEvents, ...signalEvents].map(({ type }) => type)
  const said = commands.flatMap(({ type }) => [`command.${type}`, `ack.${type}`])
  t.same(Object.keys(channels.socket.messages).toSorted(), [...expected, ...said, 'error'].toSorted())
  t.notMatch(JSON.stringify(asyncApiDocument()), /"discriminator"/)
})

t.test('the socket is found at the public address', async (t) => {
  t.match(asyncApiServer('https://chat.example.com/parley/'), { host: 'chat.example.com', pathname: '/parley', protocol: 'wss' })
  t.match(asyncApiServer('http://localhost:3000'), { host: 'localhost:3000', pathname: undefined, protocol: 'ws' })
})

t.test('a change that breaks a client is found, one that does not is let through', async (t) => {
  const folder = t.testdir({ 'base.json': JSON.stringify(openApiDocument()) })
  const base = join(folder, 'base.json')
  const changed = (change: (document: PublishedDocument) => void) => {
    const document = published()
    change(document)
    const path = join(folder, 'revision.json')
    writeFileSync(path, JSON.stringify(document))
    return breakingChanges(base, path)
  }

  t.same(await changed(() => undefined), [])
  t.same(
    await changed(({ components }) => Object.assign(components.schemas.SendMessageRequest?.properties ?? {}, { colour: { type: 'string', maxLength: 9 } })),
    [],
  )
  t.match(await changed(({ paths }) => delete paths['/v1/auth/me']), [/GET \/v1\/auth\/me/])
  t.match(await changed(({ components }) => components.schemas.SendDirectMessageRequest?.required?.push('clientId')), [/became required/])
  t.match(await changed(({ components }) => delete components.schemas.ReadMark?.properties?.unreadCount), [/unreadCount/])
  t.same(await breakingChanges(join(folder, 'none.json')), [], 'before the first release nothing can break')
})

t.test('the rule of the house is enforced: imports go downward only', async (t) => {
  const folder = t.testdir({})
  const files: Record<string, string> = {
    'openapi/document.ts': "import '../src/app.ts'",
    'openapi/things/operations.ts': 'export const unlisted = 1',
    'sdk/src/index.ts': "import '../../openapi/document.ts'\nimport 'node:fs'",
    'src/app.ts': "import './features/a/routes.ts'\nimport './http/glue.ts'\nimport '../scripts/tool.ts'",
    'src/features/a/routes.ts': "import './service.ts'\nimport './repository.ts'",
    'src/features/a/service.ts': "import './repository.ts'\nimport '../b/repository.ts'\nimport '../b/rules.ts'\nimport '../../realtime/gateway.ts'",
    'src/features/a/repository.ts': "import '../../db/client.ts'\nimport './service.ts'",
    'src/features/b/repository.ts': 'export const rows = 1',
    'src/features/b/rules.ts': 'export const rule = 1',
    'src/http/glue.ts': "import '../features/a/routes.ts'\nimport '../features/b/repository.ts'",
    'src/realtime/gateway.ts': 'export const gateway = 1',
    'src/db/client.ts': "import '../http/glue.ts'",
    'src/alone.ts': 'export const alone = 1',
    'scripts/tool.ts': "import './missing.ts'",
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), `${text}\n`)
  }
  for (const path of ['.dependency-cruiser.mjs', 'tsconfig.json']) cpSync(path, join(folder, path))

  const cruiser = join(process.cwd(), 'node_modules/.bin/depcruise')
  const { stdout, status } = spawnSync(cruiser, ['--config', '.dependency-cruiser.mjs', 'openapi', 'src', 'sdk', 'scripts'], { cwd: folder, encoding: 'utf8' })
  t.not(status, 0)
  const broken = [
    ['contract-stands-alone', 'openapi/document.ts'],
    ['every-operation-is-published', 'openapi/things/operations.ts'],
    ['sdk-stands-alone', 'sdk/src/index.ts'],
    ['sdk-has-no-dependencies', 'sdk/src/index.ts'],
    ['server-stands-without-tools', 'src/app.ts'],
    ['routes-do-not-reach-below-services', 'src/features/a/routes.ts'],
    ['repositories-stay-in-their-feature', 'src/features/a/service.ts'],
    ['features-meet-through-services', 'src/features/a/service.ts'],
    ['services-know-no-transport', 'src/features/a/service.ts'],
    ['repositories-do-not-look-up', 'src/features/a/repository.ts'],
    ['http-knows-no-feature', 'src/http/glue.ts'],
    ['routes-only-from-app', 'src/http/glue.ts'],
    ['repositories-are-private', 'src/http/glue.ts'],
    ['database-is-the-floor', 'src/db/client.ts'],
    ['no-circles', 'src/features/a/'],
    ['no-orphans', 'src/alone.ts'],
    ['everything-resolves', 'scripts/tool.ts'],
  ]
  for (const [rule, path] of broken) t.match(stdout, new RegExp(`error ${rule}: [^\\n]*${path}`), `${rule} is seen in ${path}`)
})

t.test('a function that has grown too long is found, a factory of many short ones is not', async (t) => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `  console.log(${index})`).join('\n')
  const long = `function act() {\n${lines(49)}\n}\n`
  t.match(fileProblems('long.ts', long), [/^long\.ts:1 is a function of 51 lines/])
  t.same(
    fileProblems('factory.ts', `const create = () => ({\n${Array.from({ length: 20 }, (_, index) => `act${index}() {\n${lines(5)}\n},`).join('\n')}\n})\n`),
    [],
  )
  t.match(fileProblems('file.ts', lines(301)), [/^file\.ts has 301 lines/])
})

function resolve(document: unknown, reference: string): unknown {
  const steps = reference
    .slice(2)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return steps.reduce<unknown>((value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined), document)
}
