import { type ApiKeyScope, apiKeyScopes } from '../openapi/contract.ts'
import type { ApiKeyId, SessionId, UserId } from '../openapi/shared/ids.ts'
import type { Role } from '../openapi/users/schemas.ts'

interface Identified {
  userId: UserId
  role: Role
  /** Unix milliseconds after which its credentials are no longer good. */
  expiresAt: number
}

/** Somebody who has signed in, on one device. */
export interface SessionActor extends Identified {
  kind: 'session'
  credentialId: SessionId
}

/** A program of a user. */
export interface ApiKeyActor extends Identified {
  kind: 'apiKey'
  credentialId: ApiKeyId
  scope: ApiKeyScope
}

/**
 * Who acts. It outlives the request that brought it: sockets and jobs pass it to services as routes do. It ends when it expires or
 * when its credential is revoked: see `credential-ends.ts`.
 */
export type Actor = SessionActor | ApiKeyActor

/** Whether the actor's credentials are enough. @param needed what an API key must be allowed; undefined where none will do */
export const hasScope = (actor: Actor, needed: ApiKeyScope | undefined): boolean =>
  actor.kind === 'session' || (needed !== undefined && apiKeyScopes.indexOf(actor.scope) >= apiKeyScopes.indexOf(needed))

export type CredentialId = Actor['credentialId']

/** Where a request came from, for what is written down about it. */
export interface Caller {
  ip: string
  userAgent: string | undefined
}
