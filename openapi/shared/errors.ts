/** The catalog of errors: the code that a program reads, the status it comes with, the sentence when nothing better is known. */
import { type Static, Type } from '@sinclair/typebox'
import { component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { Timestamp } from './scalars.ts'

export const errorCatalog = {
  validation_error: { status: 400, title: 'The request does not fit the contract; `details` names every field that is wrong.' },
  malformed_json: { status: 400, title: 'The body is not valid JSON.' },
  unauthorized: { status: 401, title: 'Credentials are missing, wrong, expired or revoked.' },
  invalid_credentials: { status: 401, title: 'The e-mail, username or password is wrong.' },
  invalid_code: { status: 401, title: 'The code is wrong, used or expired; request a new one.' },
  invalid_token: { status: 401, title: 'The token is wrong, used or expired; ask for a new one.' },
  forbidden: { status: 403, title: 'You may not do this.' },
  insufficient_scope: { status: 403, title: 'This API key may not do this: it needs a wider scope, or somebody who is signed in.' },
  csrf_rejected: { status: 403, title: 'A change that is signed in by cookie needs the header `X-Requested-With`, and a page of an allowed origin.' },
  account_suspended: { status: 403, title: 'This account is suspended; ask an administrator.' },
  email_not_verified: { status: 403, title: 'The e-mail address is not verified yet; verify it with the code that was mailed.' },
  token_family_compromised: { status: 403, title: 'A refresh token was used twice, so its session is revoked; sign in again.' },
  not_found: { status: 404, title: 'There is no such resource, or you may not see it.' },
  method_not_allowed: { status: 405, title: 'This path does not answer to this method; see the `Allow` header.' },
  conflict: { status: 409, title: 'The request contradicts the present state.' },
  quota_exceeded: { status: 409, title: 'Your files would take more room than each user has: delete some that were not sent, or messages that have some.' },
  payload_too_large: { status: 413, title: 'The request is too large.' },
  unsupported_media_type: { status: 415, title: 'This kind of content is not taken here; the operation says which is.' },
  range_not_satisfiable: { status: 416, title: 'The range begins behind the end of the file.' },
  upgrade_required: { status: 426, title: 'This path speaks WebSocket only (RFC 6455); /asyncapi.json describes it.' },
  rate_limit_exceeded: { status: 429, title: 'Too many requests; wait for the seconds that `Retry-After` says.' },
  internal_error: { status: 500, title: 'Something went wrong on the server; quote the request id when you report it.' },
  unavailable: { status: 503, title: 'The server cannot reach its database at the moment; try again shortly.' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof errorCatalog

const errorCodes = Object.keys(errorCatalog) as ErrorCode[]

export const FieldError = component(
  'FieldError',
  Type.Object(
    {
      field: Type.String({ description: 'Where: `body.email`, `query.limit`, `params.conversationId`' }),
      reason: Type.String({ description: 'What is wrong with it, for a person' }),
    },
    { description: 'One field of a request that is wrong' },
  ),
)
export type FieldError = Static<typeof FieldError>

export const ApiError = component(
  'ApiError',
  Type.Object(
    {
      code: oneOfWords(errorCodes, { description: 'For programs; the sentence in `message` may change, this does not' }),
      message: Type.String({ description: 'For a person: what is wrong and what to do' }),
      details: Type.Optional(Type.Array(ref(FieldError), { description: 'Every field that is wrong' })),
      retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, description: 'When to try again; on requests also in `Retry-After`' })),
      requestId: nullable(Type.String({ description: 'Also in the `X-Request-Id` header and in every log line of the request' })),
      timestamp: described(Timestamp, 'When it went wrong: ISO 8601, UTC, milliseconds'),
    },
    { description: 'What went wrong' },
  ),
)
export type ApiError = Static<typeof ApiError>

/** Every failure of every operation has this body. */
export const ErrorResponse = component(
  'ErrorResponse',
  Type.Object({ error: described(ref(ApiError), 'What went wrong') }, { description: 'The body of every failure' }),
)
export type ErrorResponse = Static<typeof ErrorResponse>
