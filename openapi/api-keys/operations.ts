import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { ApiKeyId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { ApiKey, CreateApiKeyRequest, CreatedApiKey } from './schemas.ts'

const apiKeyExample = {
  id: '01890a5d-ac96-774b-bcce-b302099a8063',
  name: 'Support bot',
  scope: 'write',
  hint: 'x7Qa',
  createdAt: '2026-11-20T10:00:00.000Z',
  lastUsedAt: null,
  expiresAt: null,
}

export const list = defineOperation({
  operationId: 'apiKeys.list',
  method: 'GET',
  path: '/v1/api-keys',
  summary: 'List your API keys',
  description: 'The newest first. Revoked ones are left out; those that have expired stay for 30 days, the last 50 of them at least.',
  access: 'session',
  rateLimit: 'default',
  query: Type.Object({ limit: limit(100, 50), cursor: Type.Optional(Cursor) }),
  responses: { 200: { description: 'A page of keys', body: page(ref(ApiKey)), example: { items: [apiKeyExample], nextCursor: null, hasMore: false } } },
  errors: [],
})

export const create = defineOperation({
  operationId: 'apiKeys.create',
  method: 'POST',
  path: '/v1/api-keys',
  summary: 'Create an API key',
  description:
    'A program that bears it acts as you, as far as its scope allows. It is shown this once, and you are told of it by mail. At most 50 at a time, and 20 new ones within 24 hours, revoked ones counted; `admin` is for administrators.',
  access: 'session',
  rateLimit: 'default',
  body: ref(CreateApiKeyRequest),
  examples: { any: { name: 'Support bot', scope: 'write' } },
  responses: {
    201: {
      description: 'The new key',
      body: ref(CreatedApiKey),
      example: { apiKey: apiKeyExample, key: 'pk_2mHnGWTfrJ0V5b8Jc0vJ0g0w0yqQ2t3y4u5i6o7px7Qa' },
    },
  },
  errors: ['forbidden', 'conflict'],
})

export const revoke = defineOperation({
  operationId: 'apiKeys.revoke',
  method: 'DELETE',
  path: '/v1/api-keys/{apiKeyId}',
  summary: 'Revoke an API key',
  description: 'It stops working within a second, and its sockets close.',
  access: 'session',
  rateLimit: 'default',
  params: Type.Object({ apiKeyId: ApiKeyId }),
  responses: { 204: { description: 'The key is revoked' } },
  errors: ['not_found'],
})
