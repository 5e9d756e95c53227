import { and, asc, desc, eq, gt, inArray, isNull, lt, lte, ne, or, sql } from 'drizzle-orm'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type RefreshTokenRow, type RevokedReason, refreshTokens, type SessionRow, sessions } from '../../db/schema/sessions.ts'
import { type UserRow, users } from '../../db/schema/users.ts'
import { isBefore, one, sweep } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'

/** Sessions that fit all that is given. */
export interface SessionSelection {
  userId?: UserId
  sessionId?: SessionId
  except?: SessionId
}

interface Use {
  usedAt: Date
  ip: string
  expiresAt: Date
}

export type SessionRepository = ReturnType<typeof createSessionRepository>

export const createSessionRepository = (db: Executor) => ({
  async insert(session: typeof sessions.$inferInsert, executor: Executor = db): Promise<SessionRow> {
    return one(await executor.insert(sessions).values(session).returning())
  },

  async insertToken(token: typeof refreshTokens.$inferInsert, executor: Executor = db): Promise<RefreshTokenRow> {
    return one(await executor.insert(refreshTokens).values(token).returning())
  },

  async findOwner(tokenHash: string, executor: Executor): Promise<UserId | undefined> {
    const [row] = await executor
      .select({ userId: sessions.userId })
      .from(sessions)
      .innerJoin(refreshTokens, eq(refreshTokens.sessionId, sessions.id))
      .where(eq(refreshTokens.tokenHash, tokenHash))
    return row?.userId
  },

  /**
   * Of users who may sign in. Locks both rows until the transaction ends: of several requests with one token, each sees what the one
   * before has done. The session comes first, as it does for whoever deletes it with its tokens.
   */
  async lockByTokenHash(tokenHash: string, executor: Executor): Promise<{ token: RefreshTokenRow; session: SessionRow } | undefined> {
    const [row] = await executor
      .select({ token: refreshTokens, session: sessions })
      .from(sessions)
      .innerJoin(refreshTokens, eq(refreshTokens.sessionId, sessions.id))
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(eq(refreshTokens.tokenHash, tokenHash), isNull(users.suspendedAt), isNull(users.erasedAt)))
      .for('update', { of: [sessions, refreshTokens] })
    return row
  },

  async findToken(tokenHashes: readonly string[], executor: Executor): Promise<RefreshTokenRow | undefined> {
    const [row] = await executor
      .select()
      .from(refreshTokens)
      .where(inArray(refreshTokens.tokenHash, [...tokenHashes]))
    return row
  },

  async markTokenUsed(id: string, at: Date, executor: Executor): Promise<void> {
    await executor.update(refreshTokens).set({ usedAt: at }).where(eq(refreshTokens.id, id))
  },

  async prolong(id: SessionId, { usedAt, ip, expiresAt }: Use, executor: Executor = db): Promise<void> {
    await executor.update(sessions).set({ lastUsedAt: usedAt, ip, expiresAt }).where(eq(sessions.id, id))
  },

  /** Those of one user that go on, the newest first. @param before where the page begins */
  async list(userId: UserId, { now, before, limit }: { now: Date; before: TimePosition | undefined; limit: number }): Promise<SessionRow[]> {
    return db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, userId), isNull(sessions.revokedAt), gt(sessions.expiresAt, now), isBefore(sessions, before)))
      .orderBy(desc(sessions.createdAt), desc(sessions.id))
      .limit(limit)
  },

  /** Of users who may sign in; with the user's role. */
  async findByCookieHash(cookieHash: string, now: Date): Promise<{ session: SessionRow; role: UserRow['role'] } | undefined> {
    const [row] = await db
      .select({ session: sessions, role: users.role })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(
        and(eq(sessions.cookieHash, cookieHash), isNull(sessions.revokedAt), gt(sessions.expiresAt, now), isNull(users.suspendedAt), isNull(users.erasedAt)),
      )
    return row
  },

  /** Which of these go on, of users who may sign in. */
  async listLive(ids: readonly SessionId[], now: Date): Promise<SessionRow[]> {
    if (ids.length === 0) return []
    const rows = await db
      .select({ session: sessions })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(and(isAnyOf(ids), isNull(sessions.revokedAt), gt(sessions.expiresAt, now), isNull(users.suspendedAt), isNull(users.erasedAt)))
    return rows.map(({ session }) => session)
  },

  /** Those that go on; skips what others have locked: it ends, or is used otherwise. */
  async prolongCookies(cookies: readonly { id: SessionId; expiresAt: Date }[], usedAt: Date): Promise<void> {
    if (cookies.length === 0) return
    const ids = cookies.map(({ id }) => id)
    const expiries = cookies.map(({ expiresAt }) => expiresAt.toISOString())
    const locked = db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(isAnyOf(ids), isNull(sessions.revokedAt)))
      .for('update', { skipLocked: true })
    await db
      .update(sessions)
      .set({ lastUsedAt: usedAt, expiresAt: sql`prolonged.expires_at` })
      .from(sql`unnest(${sql.param(ids)}::uuid[], ${sql.param(expiries)}::timestamptz[]) as prolonged (id, expires_at)`)
      .where(sql`${sessions.id} = prolonged.id and ${sessions.id} = any(array(${locked}))`)
  },

  /** The first time and reason stay. @returns those that had not ended before */
  async revoke({ userId, sessionId, except }: SessionSelection, at: Date, reason: RevokedReason, executor: Executor): Promise<SessionId[]> {
    const selected = executor
      .select({ id: sessions.id })
      .from(sessions)
      .where(
        and(
          isNull(sessions.revokedAt),
          gt(sessions.expiresAt, at),
          userId && eq(sessions.userId, userId),
          sessionId && eq(sessions.id, sessionId),
          except && ne(sessions.id, except),
        ),
      )
      .orderBy(asc(sessions.id))
      .for('update')
    const rows = await executor
      .update(sessions)
      .set({ revokedAt: at, revokedReason: reason })
      .where(sql`${sessions.id} = any(array(${selected}))`)
      .returning({ id: sessions.id })
    return rows.map(({ id }) => id)
  },

  async listRevokedSince(since: Date): Promise<SessionId[]> {
    const rows = await db.select({ id: sessions.id }).from(sessions).where(gt(sessions.revokedAt, since))
    return rows.map(({ id }) => id)
  },

  /** Their tokens go with them. */
  async deleteExpired(before: Date, executor: Executor = db): Promise<void> {
    await sweep(sessions, sessions.id, lt(sessions.expiresAt, before), executor)
  },

  /**
   * Of those that ended after `since` the ids stay until `expiresAt`, and nothing else: by them access tokens are refused.
   * They are locked before their tokens, as everywhere.
   */
  async erase(userId: UserId, { since, expiresAt }: { since: Date; expiresAt: Date }, executor: Executor): Promise<void> {
    const isOwn = eq(sessions.userId, userId)
    const own = await executor.select({ id: sessions.id }).from(sessions).where(isOwn).orderBy(asc(sessions.id)).for('update')
    await executor.delete(refreshTokens).where(
      inArray(
        refreshTokens.sessionId,
        own.map(({ id }) => id),
      ),
    )
    await executor.delete(sessions).where(and(isOwn, or(isNull(sessions.revokedAt), lte(sessions.revokedAt, since))))
    await executor.update(sessions).set({ ip: null, userAgent: null, cookieHash: null, expiresAt }).where(isOwn)
  },

  async deleteExpiredTokens(sessionId: SessionId, before: Date, executor: Executor): Promise<void> {
    await executor.delete(refreshTokens).where(and(eq(refreshTokens.sessionId, sessionId), lt(refreshTokens.expiresAt, before)))
  },
})

const isAnyOf = (ids: readonly SessionId[]) => sql`${sessions.id} = any(${sql.param([...ids])}::uuid[])`
