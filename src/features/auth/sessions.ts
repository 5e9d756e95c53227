/**
 * Refresh tokens are rotated: each works once and brings the next one. The next token is derived, HMAC-SHA256(server's key, the
 * presented token), so that a retry after a lost answer gets the very same one, although only hashes are stored. A used token
 * that comes back later than a retry would, or after its successor was used, is taken for stolen and ends the session.
 */
import { createHmac } from 'node:crypto'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Caller } from '../../actor.ts'
import type { EventBus } from '../../bus/event-bus.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { RefreshTokenRow, RevokedReason, SessionRow } from '../../db/schema/sessions.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import { hashOf, newSecret } from '../../secret.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import type { Keys } from './keys.ts'
import type { Revocations } from './revocations.ts'
import { nextExpiry } from './session-lifetimes.ts'
import type { SessionRepository, SessionSelection } from './session-repository.ts'

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
  users: Pick<UserService, 'lock'>
  sessions: SessionRepository
  revocations: Pick<Revocations, 'revoke' | 'keptMilliseconds'>
  bus: Pick<EventBus, 'publish'>
  security: Pick<SecurityService, 'record'>
  /** They derive refresh tokens. */
  keys: Keys
  clock: Clock
  newId: NewId
}

/** Why a refresh token is good for nothing; what follows from that is committed. */
type Refused = { outcome: 'unknown' } | { outcome: 'compromised'; sessionId: SessionId }
type Rotation = { outcome: 'rotated'; issued: IssuedSession } | Refused
/** The session of the token, and all that have ended by it. */
export type Redemption = { outcome: 'redeemed'; user: UserRow; session: SessionRow; ended: SessionId[] } | Refused
export type ReplacedSession = Pick<SessionRow, 'id' | 'userId'>

const unknown: Refused = { outcome: 'unknown' }

export type Sessions = ReturnType<typeof createSessions>

export function createSessions({ db, users, sessions, revocations, bus, security, keys, clock, newId }: Dependencies) {
  const insertToken = async (session: SessionRow, refreshToken: string, now: Date, executor: Executor): Promise<RefreshTokenRow> =>
    sessions.insertToken({ id: newId(), sessionId: session.id, tokenHash: hashOf(refreshToken), issuedAt: now, expiresAt: nextExpiry(session, now) }, executor)

  const rotateLocked = async (refreshToken: string, { session, token }: Locked, { ip }: Caller, now: Date, tx: Executor): Promise<IssuedSession> => {
    const next = deriveNext(keys[0], refreshToken)
    await sessions.markTokenUsed(token.id, now, tx)
    const issued = await insertToken(session, next, now, tx)
    await sessions.prolong(session.id, { usedAt: now, ip, expiresAt: issued.expiresAt }, tx)
    await sessions.deleteExpiredTokens(session.id, now, tx)
    return toIssued(session.userId, next, issued)
  }

  /** @returns what the first use returned, or undefined when this is no retry of the session's last refresh */
  const retry = async (refreshToken: string, { session, token }: Locked, now: Date, tx: Executor): Promise<IssuedSession | undefined> => {
    if (token.usedAt === null || now.getTime() - token.usedAt.getTime() > retryGraceMilliseconds) return undefined
    // Another key may have made it.
    const candidates = keys.map((key) => deriveNext(key, refreshToken))
    const issued = await sessions.findToken(candidates.map(hashOf), tx)
    const next = candidates.find((candidate) => hashOf(candidate) === issued?.tokenHash)
    return issued === undefined || next === undefined || issued.usedAt !== null ? undefined : toIssued(session.userId, next, issued)
  }

  const lockToken = async (refreshToken: string, now: Date, tx: Executor): Promise<Locked | undefined> => {
    const locked = await sessions.lockByTokenHash(hashOf(refreshToken), tx)
    return locked === undefined || locked.session.revokedAt !== null || locked.token.expiresAt <= now ? undefined : locked
  }

  const endFamily = async ({ session }: Locked, { ip }: Caller, tx: Executor): Promise<Refused> => {
    await endWithin({ sessionId: session.id }, 'refresh_reuse', tx)
    await security.record({ type: 'refresh_token_reused', userId: session.userId, ip, metadata: { sessionId: session.id } }, tx)
    return { outcome: 'compromised', sessionId: session.id }
  }

  const rotateWithin = async (refreshToken: string, caller: Caller, tx: Executor): Promise<Rotation> => {
    const now = clock.now()
    const locked = await lockToken(refreshToken, now, tx)
    if (locked === undefined) return unknown
    if (locked.token.usedAt === null) return { outcome: 'rotated', issued: await rotateLocked(refreshToken, locked, caller, now, tx) }
    const issued = await retry(refreshToken, locked, now, tx)
    return issued === undefined ? endFamily(locked, caller, tx) : { outcome: 'rotated', issued }
  }

  /**
   * Within a transaction: call `tell` with what it returns after the commit. Sessions begin, and all of a user's end, while the user is
   * locked, so that none that has just begun is overlooked; and the user is locked before sessions are, by everybody.
   */
  const endWithin = async (selection: SessionSelection, reason: RevokedReason, tx: Executor): Promise<SessionId[]> => {
    if (selection.userId !== undefined && selection.sessionId === undefined) await users.lock({ id: selection.userId }, tx)
    const ended = await sessions.revoke(selection, clock.now(), reason, tx)
    await bus.publish(tx, 'credentials.revoked', ended)
    return ended
  }

  /** In one order, so that of two who lock the same nobody waits for the other for ever. */
  const lockUsers = async (ids: readonly (UserId | undefined)[], tx: Executor): Promise<UserRow[]> => {
    const rows: UserRow[] = []
    for (const id of [...new Set(ids)].toSorted()) {
      const user = id && (await users.lock({ id }, tx))
      if (user !== undefined) rows.push(user)
    }
    return rows
  }

  /** Their tokens are worth nothing from now on, in this process; the bus tells the others. */
  const tell = (ended: readonly SessionId[]): void => ended.forEach(revocations.revoke)

  /**
   * To be called after the commit.
   * @throws `unauthorized` for a token that is unknown, expired or of an ended session, or whose user may not sign in;
   * `token_family_compromised` for one that was used before: its session has ended then
   */
  const accept = <T extends { outcome: string }>(result: T | Refused): T => {
    if (isUnknown(result)) throw new AppError('unauthorized', 'The refresh token is unknown, expired or revoked; sign in again.')
    if (isCompromised(result)) {
      tell([result.sessionId])
      throw new AppError('token_family_compromised')
    }
    return result
  }

  return {
    endWithin,
    tell,
    accept,

    /** All of them have ended. */
    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      const now = clock.now().getTime()
      await sessions.erase(id, { since: new Date(now - revocations.keptMilliseconds), expiresAt: new Date(now + revocations.keptMilliseconds) }, tx)
    },

    /** Ends the sessions that fit all that is given: refresh tokens, access tokens, cookies and sockets. Ending them twice changes nothing. @returns those that ended now */
    async end(selection: SessionSelection, reason: RevokedReason): Promise<SessionId[]> {
      const ended = await db.transaction((tx) => endWithin(selection, reason, tx))
      tell(ended)
      return ended
    },

    /** Begins a session, of a user who is locked; what has long expired makes room. */
    async start(userId: UserId, { ip, userAgent }: Caller, executor: Executor): Promise<IssuedSession> {
      const now = clock.now()
      const refreshToken = format(newSecret())
      const expiresAt = nextExpiry({ createdAt: now, remembered: false }, now)
      const session = await sessions.insert({ id: newId(), userId, ip, userAgent, createdAt: now, lastUsedAt: now, expiresAt }, executor)
      await sessions.deleteExpired(now, executor)
      return toIssued(userId, refreshToken, await insertToken(session, refreshToken, now, executor))
    },

    /** @throws what `accept` does */
    async rotate(refreshToken: string, caller: Caller): Promise<IssuedSession> {
      return accept(await db.transaction((tx) => rotateWithin(refreshToken, caller, tx))).issued
    },

    /**
     * Uses up a refresh token for a session of another kind: its own ends, and so does the one that is replaced. Call `accept` after the
     * commit, and `tell` where it was good.
     */
    async redeem(refreshToken: string, replaced: ReplacedSession | undefined, caller: Caller, tx: Executor): Promise<Redemption> {
      const userId = await sessions.findOwner(hashOf(refreshToken), tx)
      const lockedUsers = await lockUsers([userId, replaced?.userId], tx)
      const user = lockedUsers.find(({ id }) => id === userId)
      const locked = await lockToken(refreshToken, clock.now(), tx)
      if (user === undefined || locked === undefined) return unknown
      if (locked.token.usedAt !== null) return endFamily(locked, caller, tx)
      const ended = await endWithin({ sessionId: locked.session.id }, 'revoked', tx)
      if (replaced !== undefined) ended.push(...(await endWithin({ sessionId: replaced.id }, 'revoked', tx)))
      return { outcome: 'redeemed', user, session: locked.session, ended }
    },
  }
}

interface Locked {
  session: SessionRow
  token: RefreshTokenRow
}

const isUnknown = (result: { outcome: string }): result is Extract<Refused, { outcome: 'unknown' }> => result.outcome === 'unknown'
const isCompromised = (result: { outcome: string }): result is Extract<Refused, { outcome: 'compromised' }> => result.outcome === 'compromised'

const toIssued = (userId: UserId, refreshToken: string, { id, sessionId, issuedAt, expiresAt }: RefreshTokenRow): IssuedSession => ({
  userId,
  sessionId,
  refreshToken,
  refreshExpiresAt: expiresAt,
  tokenId: id,
  issuedAt,
})

const deriveNext = (key: Buffer, refreshToken: string): string => format(createHmac('sha256', key).update(refreshToken).digest('base64url'))

const format = (secret: string): string => `rt_${secret}`
