import { type Static, Type } from '@sinclair/typebox'
import { apiKeyScopes, closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { ApiKeyId } from '../shared/ids.ts'
import { storableText, Timestamp } from '../shared/scalars.ts'

export const ApiKeyScope = oneOfWords(apiKeyScopes, {
  description:
    '`read`: what only reads; `write`: what its user may do, but for sign-in, passwords, keys and leaving; `admin`: what administrators may do as well',
})
export type ApiKeyScope = Static<typeof ApiKeyScope>

export const ApiKey = component(
  'ApiKey',
  Type.Object(
    {
      id: ApiKeyId,
      name: Type.String({ description: 'What it is for' }),
      scope: ApiKeyScope,
      hint: Type.String({ description: 'The last 4 characters of the key, to know it again by' }),
      createdAt: described(Timestamp, 'When it was created: ISO 8601, UTC, milliseconds'),
      lastUsedAt: nullable(described(Timestamp, 'When it was used last, to a minute: ISO 8601, UTC; null if never')),
      expiresAt: nullable(described(Timestamp, 'When it stops working: ISO 8601, UTC; null for never')),
    },
    { description: 'A key by which a program acts as you. The key itself is shown once, when it is created' },
  ),
)
export type ApiKey = Static<typeof ApiKey>

export const CreateApiKeyRequest = component(
  'CreateApiKeyRequest',
  closed(
    {
      name: Type.String({ minLength: 1, maxLength: 100, pattern: storableText, description: 'What it is for: 1–100 characters' }),
      scope: ApiKeyScope,
      expiresAt: Type.Optional(described(Timestamp, 'When it shall stop working, in the future: ISO 8601; never unless said otherwise')),
    },
    { description: 'The key to create' },
  ),
)
export type CreateApiKeyRequest = Static<typeof CreateApiKeyRequest>

export const CreatedApiKey = component(
  'CreatedApiKey',
  Type.Object(
    {
      apiKey: described(ref(ApiKey), 'The key, as it is listed'),
      key: Type.String({ description: 'The key itself, `pk_…`, for `Authorization: Bearer` or `X-Api-Key`; it is never shown again' }),
    },
    { description: 'A new key' },
  ),
)
export type CreatedApiKey = Static<typeof CreatedApiKey>
