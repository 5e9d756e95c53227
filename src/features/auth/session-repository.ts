import { and, eq, gt, inArray, isNull, lt, ne } from 'drizzle-orm'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type RefreshTokenRow, type RevokedReason, refreshTokens, type SessionRow, sessions } from '../../db/schema/sessions.ts'

/** How many expired sessions go when a new one comes: more than one, so that what is left behind never grows. */
const cleanupLimit = 20

/** Sessions that fit all that is given. */
export interface SessionSelection {
  userId?: UserId
  sessionId?: SessionId
  except?: SessionId
}

export type SessionRepository = ReturnType<typeof createSessionRepository>

export const createSessionRepository = (db: Executor) => ({
  async insert(session: typeof sessions.$inferInsert, executor: Executor = db): Promise<SessionRow> {
    return one(await executor.insert(sessions).values(session).returning())
  },

  async insertToken(token: typeof refreshTokens.$inferInsert, executor: Executor = db): Promise<RefreshTokenRow> {
    return one(await executor.insert(refreshTokens).values(token).returning())
  },

  /**
   * Locks both rows until the transaction ends: of several requests with one token, each sees what the one before has done.
   * The session comes first, as it does for whoever deletes it with its tokens: locks in one order never wait in a circle.
   */
  async lockByTokenHash(tokenHash: string, executor: Executor): Promise<{ token: RefreshTokenRow; session: SessionRow } | undefined> {
    const [row] = await executor
      .select({ token: refreshTokens, session: sessions })
      .from(sessions)
      .innerJoin(refreshTokens, eq(refreshTokens.sessionId, sessions.id))
      .where(eq(refreshTokens.tokenHash, tokenHash))
      .for('update')
    return row
  },

  async findToken(tokenHash: string, executor: Executor): Promise<RefreshTokenRow | undefined> {
    const [row] = await executor.select().from(refreshTokens).where(eq(refreshTokens.tokenHash, tokenHash))
    return row
  },

  async markTokenUsed(id: string, at: Date, executor: Executor): Promise<void> {
    await executor.update(refreshTokens).set({ usedAt: at }).where(eq(refreshTokens.id, id))
  },

  async prolong(id: SessionId, { usedAt, expiresAt }: { usedAt: Date; expiresAt: Date }, executor: Executor): Promise<void> {
    await executor.update(sessions).set({ lastUsedAt: usedAt, expiresAt }).where(eq(sessions.id, id))
  },

  /** The first time and reason stay. @returns those that had not ended before */
  async revoke({ userId, sessionId, except }: SessionSelection, at: Date, reason: RevokedReason, executor: Executor): Promise<SessionId[]> {
    const rows = await executor
      .update(sessions)
      .set({ revokedAt: at, revokedReason: reason })
      .where(
        and(
          isNull(sessions.revokedAt),
          gt(sessions.expiresAt, at),
          userId && eq(sessions.userId, userId),
          sessionId && eq(sessions.id, sessionId),
          except && ne(sessions.id, except),
        ),
      )
      .returning({ id: sessions.id })
    return rows.map(({ id }) => id)
  },

  async listRevokedSince(since: Date): Promise<SessionId[]> {
    const rows = await db.select({ id: sessions.id }).from(sessions).where(gt(sessions.revokedAt, since))
    return rows.map(({ id }) => id)
  },

  /** Skips what others have locked, so that nobody waits for it. Their tokens go with them. */
  async deleteExpired(before: Date, executor: Executor = db): Promise<void> {
    const expired = executor
      .select({ id: sessions.id })
      .from(sessions)
      .where(lt(sessions.expiresAt, before))
      .limit(cleanupLimit)
      .for('update', { skipLocked: true })
    await executor.delete(sessions).where(inArray(sessions.id, expired))
  },

  async deleteExpiredTokens(sessionId: SessionId, before: Date, executor: Executor): Promise<void> {
    await executor.delete(refreshTokens).where(and(eq(refreshTokens.sessionId, sessionId), lt(refreshTokens.expiresAt, before)))
  },
})

function one<T>([row]: T[]): T {
  if (row === undefined) throw new Error('The statement returned no row')
  return row
}
