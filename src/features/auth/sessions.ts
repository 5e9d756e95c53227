/**
 * Refresh tokens are rotated: each works once and brings the next one. The next token is derived, HMAC-SHA256(server's key, the
 * presented token), so that a retry after a lost answer gets the very same one, although only hashes are stored. A used token
 * that comes back later than a retry would, or after its successor was used, is taken for stolen and ends the session.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Caller } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { RefreshTokenRow, RevokedReason, SessionRow } from '../../db/schema/sessions.ts'
import { AppError } from '../../errors/app-error.ts'
import type { EventBus } from '../../event-bus.ts'
import type { Revocations } from './revocations.ts'
import type { SessionRepository, SessionSelection } from './session-repository.ts'

const refreshTokenMilliseconds = 7 * 24 * 60 * 60_000
const retryGraceMilliseconds = 10_000

/** A refresh token in clear, and what the access token that goes with it is made from. */
export interface IssuedSession {
  userId: UserId
  sessionId: SessionId
  refreshToken: string
  refreshExpiresAt: Date
  tokenId: string
  issuedAt: Date
}

interface Dependencies {
  db: TransactionRunner
  sessions: SessionRepository
  revocations: Pick<Revocations, 'revoke'>
  bus: Pick<EventBus, 'publish'>
  /** Derives refresh tokens. */
  key: Buffer
  clock: Clock
  newId: NewId
}

type Rotation = { outcome: 'rotated'; issued: IssuedSession } | { outcome: 'unknown' } | { outcome: 'compromised'; userId: UserId; sessionId: SessionId }

export type Sessions = ReturnType<typeof createSessions>

export function createSessions({ db, sessions, revocations, bus, key, clock, newId }: Dependencies) {
  const deriveNext = (refreshToken: string): string => format(createHmac('sha256', key).update(refreshToken).digest())

  const insertToken = async (sessionId: SessionId, refreshToken: string, now: Date, executor: Executor): Promise<RefreshTokenRow> => {
    const expiresAt = new Date(now.getTime() + refreshTokenMilliseconds)
    return sessions.insertToken({ id: newId(), sessionId, tokenHash: hash(refreshToken), issuedAt: now, expiresAt }, executor)
  }

  const rotateLocked = async (refreshToken: string, session: SessionRow, token: RefreshTokenRow, now: Date, tx: Executor): Promise<Rotation> => {
    const next = deriveNext(refreshToken)
    await sessions.markTokenUsed(token.id, now, tx)
    const issued = await insertToken(session.id, next, now, tx)
    await sessions.prolong(session.id, { usedAt: now, expiresAt: issued.expiresAt }, tx)
    await sessions.deleteExpiredTokens(session.id, now, tx)
    return { outcome: 'rotated', issued: toIssued(session.userId, next, issued) }
  }

  /** @returns what the first use returned, or undefined when this is no retry of the session's last refresh */
  const retry = async (refreshToken: string, session: SessionRow, token: RefreshTokenRow, now: Date, tx: Executor): Promise<IssuedSession | undefined> => {
    if (token.usedAt === null || now.getTime() - token.usedAt.getTime() > retryGraceMilliseconds) return undefined
    const next = deriveNext(refreshToken)
    const issued = await sessions.findToken(hash(next), tx)
    return issued === undefined || issued.usedAt !== null ? undefined : toIssued(session.userId, next, issued)
  }

  const rotateWithin = async (refreshToken: string, tx: Executor): Promise<Rotation> => {
    const locked = await sessions.lockByTokenHash(hash(refreshToken), tx)
    const now = clock.now()
    if (locked === undefined || locked.session.revokedAt !== null || locked.token.expiresAt <= now) return { outcome: 'unknown' }
    const { session, token } = locked
    if (token.usedAt === null) return rotateLocked(refreshToken, session, token, now, tx)
    const issued = await retry(refreshToken, session, token, now, tx)
    if (issued !== undefined) return { outcome: 'rotated', issued }
    await endWithin({ sessionId: session.id }, 'refresh_reuse', tx)
    return { outcome: 'compromised', userId: session.userId, sessionId: session.id }
  }

  /** Within a transaction: call `tell` with what it returns after the commit. */
  const endWithin = async (selection: SessionSelection, reason: RevokedReason, tx: Executor): Promise<SessionId[]> => {
    const ended = await sessions.revoke(selection, clock.now(), reason, tx)
    await bus.publish(tx, 'credentials.revoked', ended)
    return ended
  }

  /** Their tokens are worth nothing from now on, in this process; the bus tells the others. */
  const tell = (ended: readonly SessionId[]): void => ended.forEach(revocations.revoke)

  return {
    endWithin,
    tell,

    /** Ends the sessions that fit all that is given: refresh tokens, access tokens, cookies and sockets. Ending them twice changes nothing. @returns those that ended now */
    async end(selection: SessionSelection, reason: RevokedReason): Promise<SessionId[]> {
      const ended = await db.transaction((tx) => endWithin(selection, reason, tx))
      tell(ended)
      return ended
    },

    /** Begins a session; what has long expired makes room. */
    async start(userId: UserId, { ip, userAgent }: Caller, executor: Executor): Promise<IssuedSession> {
      const now = clock.now()
      const refreshToken = format(randomBytes(32))
      const expiresAt = new Date(now.getTime() + refreshTokenMilliseconds)
      const session = await sessions.insert({ id: newId(), userId, ip, userAgent, createdAt: now, lastUsedAt: now, expiresAt }, executor)
      await sessions.deleteExpired(now, executor)
      return toIssued(userId, refreshToken, await insertToken(session.id, refreshToken, now, executor))
    },

    /**
     * @throws `unauthorized` for a token that is unknown, expired or of an ended session,
     * `token_family_compromised` for one that was used before; its session has ended then.
     */
    async rotate(refreshToken: string): Promise<IssuedSession> {
      const rotation = await db.transaction((tx) => rotateWithin(refreshToken, tx))
      if (rotation.outcome === 'unknown') throw new AppError('unauthorized', 'The refresh token is unknown, expired or revoked; sign in again.')
      if (rotation.outcome === 'compromised') {
        tell([rotation.sessionId])
        throw new AppError('token_family_compromised')
      }
      return rotation.issued
    },
  }
}

const toIssued = (userId: UserId, refreshToken: string, { id, sessionId, issuedAt, expiresAt }: RefreshTokenRow): IssuedSession => ({
  userId,
  sessionId,
  refreshToken,
  refreshExpiresAt: expiresAt,
  tokenId: id,
  issuedAt,
})

const format = (bytes: Buffer): string => `rt_${bytes.toString('base64url')}`

/** 256 random bits need no salt and no slow hash. */
const hash = (refreshToken: string): string => createHash('sha256').update(refreshToken).digest('base64url')
