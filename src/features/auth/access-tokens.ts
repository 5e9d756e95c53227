/**
 * Access tokens are checked without the database, by plain functions, so that requests, sockets and jobs can: the signature and
 * the times are in the token, and what was revoked is known in memory for as long as a token could live. Of several secrets the
 * first signs and all verify, so that secrets can be changed while tokens of the one before are still good.
 */
import { randomUUID } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Role } from '../../../openapi/users/schemas.ts'
import type { SessionActor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { deriveKey } from './keys.ts'
import type { Revocations } from './revocations.ts'

export const accessTokenSeconds = 15 * 60

const issuer = 'parley'

/** More tokens than this at the same time are verified anew, not refused. */
const verifiedTokensKept = 10_000

interface Payload {
  sub: UserId
  sid: SessionId
  role: Role
  /** Of the pair of tokens. */
  jti: string
  /** Unix seconds. */
  iat: number
  exp: number
}

interface Dependencies {
  /** The first signs. */
  secrets: readonly [string, ...string[]]
  revocations: Pick<Revocations, 'has'>
  clock: Clock
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

export function createAccessTokens({ secrets, revocations, clock }: Dependencies) {
  const sign = createKeySigner(secrets[0])
  // The header tells the key and nothing else, so all tokens of a key begin alike.
  const verifiers = new Map(secrets.map((secret) => [headerOf(createKeySigner(secret)({})), createKeyVerifier(secret)]))

  const read = (token: string): Payload | undefined => {
    try {
      const payload: unknown = verifiers.get(headerOf(token))?.(token)
      return isPayload(payload) ? payload : undefined
    } catch {
      return undefined
    }
  }

  return {
    /** The same arguments make the same token: a pair that is asked for again is the same pair. */
    issue(
      user: Pick<UserRow, 'id' | 'role'>,
      sessionId: SessionId,
      pair: { id: string; issuedAt: Date } = { id: randomUUID(), issuedAt: clock.now() },
    ): { accessToken: string; expiresInSeconds: number } {
      const accessToken = sign({ sub: user.id, sid: sessionId, role: user.role, jti: pair.id, iat: Math.floor(pair.issuedAt.getTime() / 1000) })
      const elapsedSeconds = Math.floor((clock.now().getTime() - pair.issuedAt.getTime()) / 1000)
      return { accessToken, expiresInSeconds: accessTokenSeconds - elapsedSeconds }
    },

    /** @returns undefined for a token that is expired, forged, not ours or revoked; never throws, never asks the database */
    verify(token: string): SessionActor | undefined {
      const payload = read(token)
      if (payload === undefined || revocations.has(payload.sid)) return undefined
      const expiresAt = payload.exp * 1000
      // The library has asked the system's clock; ours may be another.
      if (expiresAt <= clock.now().getTime()) return undefined
      return { kind: 'session', userId: payload.sub, credentialId: payload.sid, role: payload.role, expiresAt }
    },
  }
}

const headerOf = (token: string): string => token.slice(0, token.indexOf('.'))

const createKeySigner = (key: string) =>
  createSigner({ key, algorithm: 'HS256', iss: issuer, aud: issuer, expiresIn: accessTokenSeconds * 1000, kid: keyId(key) })

/** Verified tokens are kept until they expire, so that a signature is checked once. */
const createKeyVerifier = (key: string) =>
  createVerifier({
    key,
    algorithms: ['HS256'],
    allowedIss: issuer,
    allowedAud: issuer,
    requiredClaims: ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp'],
    cache: verifiedTokensKept,
  })

/** The signature says that the token is ours; that it is an access token, only its claims say. */
function isPayload(claims: unknown): claims is Payload {
  if (typeof claims !== 'object' || claims === null) return false
  const { sub, sid, jti, role, iat, exp }: Partial<Record<keyof Payload, unknown>> = claims
  const isText = [sub, sid, jti].every((claim) => typeof claim === 'string')
  return isText && (role === 'user' || role === 'admin') && typeof iat === 'number' && typeof exp === 'number'
}

/** Names the key without telling it, so that keys can be told apart. */
const keyId = (secret: string): string => deriveKey(secret, 'key-id').toString('base64url').slice(0, 8)
