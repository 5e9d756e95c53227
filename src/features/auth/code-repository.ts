import { and, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import type { Executor } from '../../db/executor.ts'
import { type EmailCodeRow, emailCodes } from '../../db/schema/email-codes.ts'
import { sweep } from '../../db/sql.ts'
import { type MailLimit, replacement } from './mail-limit.ts'

export interface NewCode {
  email: string
  requestId: string
  codeHash: string
  now: Date
  expiresAt: Date
}

export type CodeRepository = ReturnType<typeof createCodeRepository>

export const createCodeRepository = (db: Executor) => ({
  /**
   * Puts the code in the place of the one before, unless that one answers a later request, or the limit is reached. The same
   * request may come again, when its mail failed; it then counts once, and not at all if its code was used.
   * @returns whether it is there
   */
  async replace({ email, requestId, codeHash, now, expiresAt }: NewCode, limit: MailLimit): Promise<boolean> {
    const { issuedAt, isAllowed } = replacement(emailCodes, limit, now)
    const rows = await db
      .insert(emailCodes)
      .values({ email, requestId, codeHash, expiresAt, issuedAt: [now] })
      .onConflictDoUpdate({
        target: emailCodes.email,
        set: { requestId, codeHash, expiresAt, tries: 0, usedAt: null, issuedAt },
        setWhere: isAllowed,
      })
      .returning({ email: emailCodes.email })
    return rows.length > 0
  },

  /**
   * Counts a try before anybody looks at the code: the row's lock lets no more tries through than there are, however many come at once.
   * @returns undefined when there is no code that could still be used
   */
  async countTry(email: string, maxTries: number, now: Date): Promise<EmailCodeRow | undefined> {
    const [row] = await db
      .update(emailCodes)
      .set({ tries: sql`${emailCodes.tries} + 1` })
      .where(and(eq(emailCodes.email, email), isNull(emailCodes.usedAt), lt(emailCodes.tries, maxTries), gt(emailCodes.expiresAt, now)))
      .returning()
    return row
  },

  /** @returns whether it was still unused */
  async markUsed({ email, requestId }: EmailCodeRow, now: Date, executor: Executor): Promise<boolean> {
    const rows = await executor
      .update(emailCodes)
      .set({ usedAt: now })
      .where(and(eq(emailCodes.email, email), eq(emailCodes.requestId, requestId), isNull(emailCodes.usedAt)))
      .returning({ email: emailCodes.email })
    return rows.length > 0
  },

  async delete(email: string, executor: Executor): Promise<void> {
    await executor.delete(emailCodes).where(eq(emailCodes.email, email))
  },

  async deleteExpired(before: Date): Promise<void> {
    await sweep(emailCodes, emailCodes.email, lt(emailCodes.expiresAt, before), db)
  },
})
