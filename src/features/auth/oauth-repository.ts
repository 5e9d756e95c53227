import { and, eq, gt, isNull, lt } from 'drizzle-orm'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type OauthFlowRow, oauthAccounts, oauthFlows } from '../../db/schema/credentials.ts'
import { sweep } from '../../db/sql.ts'

/** An account at a provider. */
export interface AccountKey {
  provider: string
  subject: string
}

export type OAuthRepository = ReturnType<typeof createOAuthRepository>

export const createOAuthRepository = (db: Executor) => ({
  async insertFlow(flow: typeof oauthFlows.$inferInsert, executor: Executor = db): Promise<void> {
    await executor.insert(oauthFlows).values(flow)
  },

  /** Of several that come back with one state, one gets the flow. */
  async takeByState(
    { stateHash, browserHash, provider }: Pick<OauthFlowRow, 'stateHash' | 'browserHash' | 'provider'>,
    now: Date,
  ): Promise<OauthFlowRow | undefined> {
    const [row] = await db
      .delete(oauthFlows)
      .where(
        and(
          eq(oauthFlows.stateHash, stateHash),
          eq(oauthFlows.browserHash, browserHash),
          eq(oauthFlows.provider, provider),
          isNull(oauthFlows.codeHash),
          gt(oauthFlows.expiresAt, now),
        ),
      )
      .returning()
    return row
  },

  /** @returns whom a code signs in */
  async findCodeOwner(codeHash: string, executor: Executor): Promise<UserId | undefined> {
    const [row] = await executor.select({ userId: oauthFlows.userId }).from(oauthFlows).where(eq(oauthFlows.codeHash, codeHash))
    return row?.userId ?? undefined
  },

  async findByCode(codeHash: string, now: Date, executor: Executor): Promise<OauthFlowRow | undefined> {
    const [row] = await executor
      .select()
      .from(oauthFlows)
      .where(and(eq(oauthFlows.codeHash, codeHash), gt(oauthFlows.expiresAt, now)))
    return row
  },

  async deleteByCode(codeHash: string, executor: Executor): Promise<void> {
    await executor.delete(oauthFlows).where(eq(oauthFlows.codeHash, codeHash))
  },

  async setSession(codeHash: string, sessionId: SessionId, executor: Executor): Promise<void> {
    await executor.update(oauthFlows).set({ sessionId }).where(eq(oauthFlows.codeHash, codeHash))
  },

  async deleteExpiredFlows(before: Date): Promise<void> {
    await sweep(oauthFlows, oauthFlows.stateHash, lt(oauthFlows.expiresAt, before), db)
  },

  async deleteOf(userId: UserId, executor: Executor): Promise<void> {
    await executor.delete(oauthFlows).where(eq(oauthFlows.userId, userId))
    await executor.delete(oauthAccounts).where(eq(oauthAccounts.userId, userId))
  },

  /** @returns whose it is, if it is anybody's */
  async findUserId(key: AccountKey, executor: Executor): Promise<UserId | undefined> {
    const [row] = await executor.select({ userId: oauthAccounts.userId }).from(oauthAccounts).where(isAccount(key))
    return row?.userId
  },

  async markAccountUsed(key: AccountKey, at: Date, executor: Executor): Promise<void> {
    await executor.update(oauthAccounts).set({ lastUsedAt: at }).where(isAccount(key))
  },

  /** @returns whether it was nobody's before */
  async insertAccount(account: AccountKey & { userId: UserId }, at: Date, executor: Executor): Promise<boolean> {
    const rows = await executor
      .insert(oauthAccounts)
      .values({ ...account, createdAt: at, lastUsedAt: at })
      .onConflictDoNothing()
      .returning({ userId: oauthAccounts.userId })
    return rows.length > 0
  },
})

const isAccount = ({ provider, subject }: AccountKey) => and(eq(oauthAccounts.provider, provider), eq(oauthAccounts.subject, subject))
