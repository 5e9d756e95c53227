/** The package as it is published, and the generator that makes its methods. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as sdk from '@parley/sdk'
import * as realtime from '@parley/sdk/realtime'
import t from 'tap'
import { type OpenApi, readOperations } from '../../sdk/scripts/operations.ts'
import { writeResources } from '../../sdk/scripts/resources.ts'
import { writeTypes } from '../../sdk/scripts/types.ts'
import { startHttp } from './http-server.ts'

const require = createRequire(import.meta.url)

t.test('the package is the same as ECMAScript modules and as CommonJS', async (t) => {
  const { baseUrl } = await startHttp(t, () => ({ body: { status: 'healthy' } }))
  const commonJs: typeof sdk = require('@parley/sdk')
  t.same(Object.keys(commonJs).sort(), Object.keys(sdk).sort())
  t.same(Object.keys(require('@parley/sdk/realtime')).sort(), Object.keys(realtime).sort())
  t.match(await new commonJs.Parley({ baseUrl }).system.health(), { status: 'healthy' })
})

t.test('an error of the realtime entry is of the class of the main entry, in both forms of the package', async (t) => {
  for (const { Parley, UnauthorizedError, connect } of [
    { ...sdk, ...realtime },
    { ...require('@parley/sdk'), ...require('@parley/sdk/realtime') },
  ] as (typeof sdk & typeof realtime)[]) {
    const nobody = connect(new Parley({ baseUrl: 'http://127.0.0.1:9' }))
    const error = await nobody.ready().catch((reason: unknown) => reason)
    t.ok(error instanceof UnauthorizedError)
  }
})

t.test('the package needs nothing but the platform', async (t) => {
  const folder = new URL('../../sdk/dist/', import.meta.url)
  const scripts = readdirSync(folder).filter((name) => /\.c?js$/.test(name))
  t.ok(scripts.length >= 4)
  for (const name of scripts) {
    const imported = [...readFileSync(new URL(name, folder), 'utf8').matchAll(/(?:from |require\()["']([^"']+)["']/g)].map(([, module]) => module)
    t.same(
      imported.filter((module) => !module?.startsWith('./')),
      [],
    )
  }
})

t.test('the generator', async (t) => {
  const { operations, schemas } = readOperations(document)
  const resources = writeResources(operations, document.tags)

  t.test('path parameters come first, then the body, then the query, then options', async (t) => {
    t.match(resources, 'rename(boatId: string, sailId: string, body: BoatsRenameRequest, options?: CallOptions): ApiCall<Boat>')
    t.match(resources, `call({ id: 'boats.rename', method: 'PATCH', path: path\`/v1/boats/\${boatId}/sails/\${sailId}\`, body }, options)`)
  })

  t.test('what has a nextCursor is a list', async (t) => {
    t.match(resources, 'list(query?: BoatsListQuery, options?: CallOptions): PagedCall<Boat>')
    t.match(resources, "paged((next) => call({ id: 'boats.list', method: 'GET', path: '/v1/boats', query: { ...query, ...next } }, options))")
  })

  t.test('what takes an Idempotency-Key bears a clientId, and a body without required fields may be left out', async (t) => {
    t.match(resources, 'launch(body?: LaunchRequest, options?: CallOptions): ApiCall<void>')
    t.match(
      resources,
      "launch: (body = {}, options) => call({ id: 'boats.launch', method: 'POST', path: '/v1/boats/launch', body: withClientId(body), public: true, repeatable: true }",
    )
  })

  t.test('a method is documented with the errors that it can throw, and nothing in a description ends the comment', async (t) => {
    t.match(
      resources,
      ' * Rename a sail.\n   *\n   * For its *\\/ owner.\n   *\n   * `PATCH /v1/boats/{boatId}/sails/{sailId}`\n   *\n   * @throws {NotFoundError} `not_found`\n   */',
    )
  })

  t.test('a body with files takes them as blobs, and goes out as a form', async (t) => {
    t.match(resources, 'paint(body: PaintRequest, options?: UploadOptions): ApiCall<void>')
    t.match(resources, "call({ id: 'boats.paint', method: 'PUT', path: '/v1/boats/paint', body, form: true }, options)")
    t.match(await writeTypes(schemas), /picture: Uploadable;/)
  })

  t.test('every type has a name', async (t) => {
    const types = await writeTypes(schemas)
    t.match(types, /export interface BoatsListQuery \{\n {4}limit\?: number;\n\}/)
    t.match(types, /export interface BoatsRenameRequest \{\n {4}name: string;\n\}/)
    t.match(types, /\/\*\* It floats \*\/\nexport interface Boat \{/)
    t.match(types, /owner: Person \| null;/)
  })
})

const json = (schema: object) => ({ content: { 'application/json': { schema } } })
const boat = { $ref: '#/components/schemas/Boat' }

const document: OpenApi = {
  tags: [{ name: 'boats', description: 'What floats' }],
  paths: {
    '/v1/boats': {
      get: {
        operationId: 'boats.list',
        summary: 'List boats',
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
        responses: { 200: json({ type: 'object', properties: { items: { type: 'array', items: boat }, nextCursor: { type: ['string', 'null'] } } }) },
      },
    },
    '/v1/boats/launch': {
      post: {
        operationId: 'boats.launch',
        summary: 'Launch a boat',
        security: [],
        parameters: [{ name: 'Idempotency-Key', in: 'header', schema: { type: 'string' } }],
        requestBody: json({ $ref: '#/components/schemas/LaunchRequest' }),
        responses: { 204: {} },
      },
    },
    '/v1/boats/paint': {
      put: {
        operationId: 'boats.paint',
        summary: 'Paint a boat',
        requestBody: { content: { 'multipart/form-data': { schema: { $ref: '#/components/schemas/PaintRequest' } } } },
        responses: { 204: {} },
      },
    },
    '/v1/boats/{boatId}/sails/{sailId}': {
      patch: {
        operationId: 'boats.rename',
        summary: 'Rename a sail',
        description: 'For its */ owner.',
        security: [{ bearerAuth: [] }],
        requestBody: json({ type: 'object', required: ['name'], properties: { name: { type: 'string' } } }),
        responses: { 200: json(boat), 404: { $ref: '#/components/responses/NotFound' }, 500: { 'x-error-codes': ['internal_error'] } },
      },
    },
  },
  components: {
    schemas: {
      Boat: {
        type: 'object',
        description: 'It floats',
        required: ['owner'],
        properties: { owner: { anyOf: [{ $ref: '#/components/schemas/Person' }, { type: 'null' }] } },
      },
      LaunchRequest: { type: 'object', properties: { clientId: { type: 'string' } } },
      Person: { type: 'object' },
      PaintRequest: { type: 'object', required: ['picture'], properties: { picture: { type: 'string', format: 'binary' } } },
    },
    responses: { NotFound: { 'x-error-codes': ['not_found'] } },
  },
}
