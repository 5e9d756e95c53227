/**
 * Access tokens are checked without the database, by plain functions, so that requests, sockets and jobs can: the signature and
 * the times are in the token, and what was revoked is known in memory for as long as a token could live.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyJWTOptions, JWT } from '@fastify/jwt'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Role } from '../../../openapi/users/schemas.ts'
import type { Actor } from '../../actor.ts'
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
  jwt: Pick<JWT, 'sign' | 'verify'>
  revocations: Pick<Revocations, 'has'>
  clock: Clock
}

/** What @fastify/jwt is registered with. Verified tokens are kept until they expire, so that a signature is checked once. */
export const jwtOptions = (secret: string): FastifyJWTOptions => ({
  secret,
  sign: { algorithm: 'HS256', iss: issuer, aud: issuer, expiresIn: `${accessTokenSeconds}s`, kid: keyId(secret) },
  verify: {
    algorithms: ['HS256'],
    allowedIss: issuer,
    allowedAud: issuer,
    requiredClaims: ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp'],
    cache: verifiedTokensKept,
  },
})

export type AccessTokens = ReturnType<typeof createAccessTokens>

export const createAccessTokens = ({ jwt, revocations, clock }: Dependencies) => ({
  /** The same arguments make the same token: a pair that is asked for again is the same pair. */
  issue(
    user: Pick<UserRow, 'id' | 'role'>,
    sessionId: SessionId,
    pair: { id: string; issuedAt: Date } = { id: randomUUID(), issuedAt: clock.now() },
  ): { accessToken: string; expiresInSeconds: number } {
    const accessToken = jwt.sign({ sub: user.id, sid: sessionId, role: user.role, jti: pair.id, iat: Math.floor(pair.issuedAt.getTime() / 1000) })
    const elapsedSeconds = Math.floor((clock.now().getTime() - pair.issuedAt.getTime()) / 1000)
    return { accessToken, expiresInSeconds: accessTokenSeconds - elapsedSeconds }
  },

  /** @returns undefined for a token that is expired, forged, not ours or revoked; never throws, never asks the database */
  verify(token: string): Actor | undefined {
    const payload = read(jwt, token)
    if (payload === undefined || revocations.has(payload.sid)) return undefined
    const expiresAt = payload.exp * 1000
    // The library has asked the system's clock; ours may be another.
    return expiresAt > clock.now().getTime() ? { userId: payload.sub, sessionId: payload.sid, role: payload.role, expiresAt } : undefined
  },
})

function read(jwt: Dependencies['jwt'], token: string): Payload | undefined {
  try {
    const payload = jwt.verify<object>(token)
    return isPayload(payload) ? payload : undefined
  } catch {
    return undefined
  }
}

/** The signature says that the token is ours; that it is an access token, only its claims say. */
const isPayload = (claims: object & Partial<Record<keyof Payload, unknown>>): claims is Payload =>
  typeof claims.sub === 'string' &&
  typeof claims.sid === 'string' &&
  typeof claims.jti === 'string' &&
  (claims.role === 'user' || claims.role === 'admin') &&
  typeof claims.iat === 'number' &&
  typeof claims.exp === 'number'

/** Names the key without telling it, so that keys can be told apart when there are several. */
const keyId = (secret: string): string => deriveKey(secret, 'key-id').toString('base64url').slice(0, 8)
