/** All operations as one OpenAPI 3.1 document, without a server. */
import packageJson from '../package.json' with { type: 'json' }
import * as accounts from './accounts/operations.ts'
import * as audit from './admin/audit-operations.ts'
import * as admin from './admin/operations.ts'
import * as adminUsers from './admin/user-operations.ts'
import * as apiKeys from './api-keys/operations.ts'
import * as oauth from './auth/oauth-operations.ts'
import * as auth from './auth/operations.ts'
import * as passwords from './auth/password-operations.ts'
import * as sessions from './auth/session-operations.ts'
import * as avatars from './avatars/operations.ts'
import * as blocks from './blocks/operations.ts'
import { isBodyOptional, type Operation, scopeOf } from './contract.ts'
import * as conversationGroups from './conversations/group-operations.ts'
import * as conversations from './conversations/operations.ts'
import { parametersOf, sharedParameters } from './emission/parameters.ts'
import { responsesOf, sharedHeaders, sharedResponses } from './emission/responses.ts'
import { emitComponents, emitSchema, type JsonObject, toJson } from './emission/schema.ts'
import * as files from './files/operations.ts'
import * as messageChanges from './messages/change-operations.ts'
import * as messages from './messages/operations.ts'
import * as reactions from './messages/reaction-operations.ts'
import * as presence from './presence/operations.ts'
import './realtime/frames.ts'
import * as messageReceipts from './receipts/message-operations.ts'
import * as receipts from './receipts/operations.ts'
import * as search from './search/operations.ts'
import * as security from './security/operations.ts'
import * as sync from './sync/operations.ts'
import * as system from './system/operations.ts'
import * as users from './users/operations.ts'

interface OperationModule {
  /** The chapter of the documentation. */
  tag: string
  description: string
  operations: readonly Record<string, Operation>[]
}

const operationModules: readonly OperationModule[] = [
  {
    tag: 'auth',
    description: 'Who you are: registration, passwords, other providers, sessions and their tokens',
    operations: [auth, passwords, oauth, sessions],
  },
  { tag: 'apiKeys', description: 'Keys by which programs act as you', operations: [apiKeys] },
  {
    tag: 'users',
    description: 'Your account and profile, the directory, presence, blocks',
    operations: [users, avatars, presence, blocks, accounts, adminUsers],
  },
  {
    tag: 'conversations',
    description: 'Direct conversations and groups, their members and read marks',
    operations: [conversations, conversationGroups, receipts],
  },
  {
    tag: 'messages',
    description: 'Sending, reading and changing messages, reactions and receipts',
    operations: [messages, messageChanges, reactions, messageReceipts],
  },
  { tag: 'files', description: 'Uploading files, sending them, and getting their bytes', operations: [files] },
  { tag: 'search', description: 'Finding messages and conversations', operations: [search] },
  { tag: 'sync', description: 'What changed while you were away, without a socket', operations: [sync] },
  { tag: 'security', description: 'What happened to accounts', operations: [security] },
  { tag: 'admin', description: 'For administrators', operations: [admin, audit] },
  { tag: 'system', description: 'Probes, metrics and these documents', operations: [system] },
]

export const allOperations: readonly Operation[] = operationModules.flatMap(({ operations }) => operations.flatMap((module) => Object.values(module)))

export interface OpenApiDocument extends JsonObject {
  readonly openapi: string
  readonly info: JsonObject
  readonly servers: readonly { readonly url: string }[]
  readonly paths: JsonObject
  readonly components: JsonObject
}

export const productInfo = { title: 'Parley', version: packageJson.version, license: { name: 'MIT', identifier: 'MIT' } }

const description = `A self-hosted messaging backend. This contract: [/openapi.json](/openapi.json). The socket that pushes what happens: [/asyncapi.json](/asyncapi.json).
A collection for Postman: [/docs/postman.json](/docs/postman.json).

**Signing in.** \`auth.register\`, then \`auth.verifyEmail\` with the code that was mailed (or \`auth.login\` with a password), give an access token for
\`Authorization: Bearer\` and a refresh token for the next pair. \`x-access\` says who may call an operation:
\`session\` is whoever has signed in personally. Programs use an API key (\`apiKeys.create\`) as \`Authorization: Bearer\` or \`X-Api-Key\`; \`x-scope\` says what it must be
allowed. Browsers can go on by a cookie (\`auth.startCookieSession\`); changes then need the header \`X-Requested-With\`.

**Errors** all have one shape, \`{ "error": { code, message, details?, requestId, timestamp } }\`. What you may not see is answered as if it did not exist.
A path that does not answer to a method says \`method_not_allowed\` (405).

**Request ids.** Send \`X-Request-Id\` or get one made; it comes back on every answer and stands in every log line of the request.

**Rate limits** are counted by class, \`x-rate-limit\`; the answers say in headers how much is left. After 429 and 503 wait for \`Retry-After\` seconds:
429 means that nothing was done; after 503, as after an answer that never came, it may have been.

**Retries.** Operations that take \`Idempotency-Key\` or \`clientId\` can be sent again safely: the retry gets the first result.`

export function openApiDocument(): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: { ...productInfo, description },
    servers: [{ url: '/' }],
    tags: operationModules.map(({ tag, description }) => ({ name: tag, description })),
    security: [],
    paths: paths(),
    components: {
      securitySchemes: {
        bearerAuth: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The `accessToken` of a sign-in, or an API key (`pk_…`)',
        },
        apiKeyAuth: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'An API key (`pk_…`): see `apiKeys.create`' },
        cookieAuth: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-parley',
          description: 'The cookie of `auth.startCookieSession`; `parley` on http://localhost',
        },
      },
      schemas: emitComponents({ discriminators: true }),
      parameters: sharedParameters,
      headers: sharedHeaders,
      responses: sharedResponses(allOperations),
    },
  }
}

function paths(): JsonObject {
  const all: Record<string, Record<string, JsonObject>> = {}
  for (const { tag, operations } of operationModules) {
    for (const operation of operations.flatMap((module) => Object.values(module))) {
      const path = all[operation.path] ?? {}
      all[operation.path] = { ...path, [operation.method.toLowerCase()]: emitOperation(tag, operation) }
    }
  }
  return all
}

/** Any one of them does. */
function securityOf({ access }: Operation): JsonObject[] {
  if (access === 'public') return []
  return access === 'session' ? [{ bearerAuth: [] }, { cookieAuth: [] }] : [{ bearerAuth: [] }, { apiKeyAuth: [] }, { cookieAuth: [] }]
}

function emitOperation(tag: string, operation: Operation): JsonObject {
  const { operationId, summary, description, access, rateLimit, repeatable, page, body, multipart, examples = {} } = operation
  const parameters = parametersOf(operation)
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description && { description }),
    'x-access': access,
    ...(access !== 'public' && { 'x-scope': scopeOf(operation) ?? 'none' }),
    'x-rate-limit': rateLimit,
    ...(repeatable && { 'x-repeatable': true }),
    ...(page && { 'x-page': true }),
    security: securityOf(operation),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: {
        required: !isBodyOptional(body),
        content: {
          [multipart ? 'multipart/form-data' : 'application/json']: {
            schema: emitSchema(body, { discriminators: true }),
            examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value: toJson(value) }])),
          },
        },
      },
    }),
    responses: responsesOf(operation),
  }
}
