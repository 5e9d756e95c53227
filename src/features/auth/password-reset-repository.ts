import { and, eq, gt, isNull, lt } from 'drizzle-orm'
import type { Executor } from '../../db/executor.ts'
import { passwordResets } from '../../db/schema/credentials.ts'
import { sweep } from '../../db/sql.ts'
import { type MailLimit, replacement } from './mail-limit.ts'

export interface NewPasswordReset {
  email: string
  requestId: string
  tokenHash: string
  now: Date
  expiresAt: Date
}

export type PasswordResetRepository = ReturnType<typeof createPasswordResetRepository>

export const createPasswordResetRepository = (db: Executor) => ({
  /** See `replacement`. @returns whether it is there */
  async replace({ email, requestId, tokenHash, now, expiresAt }: NewPasswordReset, limit: MailLimit): Promise<boolean> {
    const { issuedAt, isAllowed } = replacement(passwordResets, limit, now)
    const rows = await db
      .insert(passwordResets)
      .values({ email, requestId, tokenHash, expiresAt, issuedAt: [now] })
      .onConflictDoUpdate({
        target: passwordResets.email,
        set: { requestId, tokenHash, expiresAt, usedAt: null, issuedAt },
        setWhere: isAllowed,
      })
      .returning({ email: passwordResets.email })
    return rows.length > 0
  },

  /** @returns the address that it was mailed to, while it is good */
  async findEmail(tokenHash: string, now: Date): Promise<string | undefined> {
    const [row] = await db.select({ email: passwordResets.email }).from(passwordResets).where(isGood(tokenHash, now))
    return row?.email
  },

  /** @returns whether it was still good */
  async markUsed(tokenHash: string, now: Date, executor: Executor): Promise<boolean> {
    const rows = await executor.update(passwordResets).set({ usedAt: now }).where(isGood(tokenHash, now)).returning({ email: passwordResets.email })
    return rows.length > 0
  },

  /** What was mailed to the address is good no longer. */
  async void(email: string, now: Date, executor: Executor): Promise<void> {
    await executor
      .update(passwordResets)
      .set({ usedAt: now })
      .where(and(eq(passwordResets.email, email), isNull(passwordResets.usedAt)))
  },

  async delete(email: string, executor: Executor): Promise<void> {
    await executor.delete(passwordResets).where(eq(passwordResets.email, email))
  },

  async deleteExpired(before: Date): Promise<void> {
    await sweep(passwordResets, passwordResets.email, lt(passwordResets.expiresAt, before), db)
  },
})

const isGood = (tokenHash: string, now: Date) => and(eq(passwordResets.tokenHash, tokenHash), isNull(passwordResets.usedAt), gt(passwordResets.expiresAt, now))
