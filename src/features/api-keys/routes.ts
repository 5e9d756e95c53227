import type * as operations from '../../../openapi/api-keys/operations.ts'
import type { ApiKey } from '../../../openapi/api-keys/schemas.ts'
import type { ApiKeyRow } from '../../db/schema/credentials.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { parseTimestamp } from '../../timestamps.ts'
import type { ApiKeyService } from './service.ts'

export const apiKeyRoutes = (apiKeys: ApiKeyService): Handlers<typeof operations> => ({
  'apiKeys.list': async ({ actor, query }) => {
    const { rows, nextCursor } = await apiKeys.list(actor, query)
    return { items: rows.map(serializeApiKey), nextCursor, hasMore: nextCursor !== null }
  },
  'apiKeys.create': async ({ actor, body: { name, scope, expiresAt: expiry }, caller }) => {
    const expiresAt = expiry === undefined ? undefined : parseTimestamp(expiry, 'body.expiresAt')
    const { row, key } = await apiKeys.create(actor, { name, scope, expiresAt }, caller)
    return { apiKey: serializeApiKey(row), key }
  },
  'apiKeys.revoke': ({ actor, params, caller }) => apiKeys.revoke(actor, params.apiKeyId, caller),
})

const serializeApiKey = ({ id, name, scope, hint, createdAt, lastUsedAt, expiresAt }: ApiKeyRow): ApiKey => ({
  id,
  name,
  scope,
  hint,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
  expiresAt: expiresAt?.toISOString() ?? null,
})
