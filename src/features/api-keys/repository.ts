import { and, desc, eq, gt, gte, inArray, isNull, lt, lte, notInArray, or, sql } from 'drizzle-orm'
import type { ApiKeyId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type ApiKeyRow, apiKeys } from '../../db/schema/credentials.ts'
import { type UserRow, users } from '../../db/schema/users.ts'
import { isBefore, one, sweep } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'

/** A key, and what its user is allowed. */
export interface KeyWithUser {
  key: ApiKeyRow
  user: Pick<UserRow, 'role' | 'suspendedAt' | 'erasedAt'>
}

interface ListPosition {
  before: TimePosition | undefined
  expiredSince: Date
  limit: number
}

export type ApiKeyRepository = ReturnType<typeof createApiKeyRepository>

export const createApiKeyRepository = (db: Executor) => ({
  async insert(key: typeof apiKeys.$inferInsert, executor: Executor): Promise<ApiKeyRow> {
    return one(await executor.insert(apiKeys).values(key).returning())
  },

  async countLive(userId: UserId, now: Date, executor: Executor = db): Promise<number> {
    return executor.$count(apiKeys, and(eq(apiKeys.userId, userId), isLive(now)))
  },

  /** The newest first, expired ones as well, unless that was before `expiredSince`. */
  async list(userId: UserId, { before, expiredSince, limit }: ListPosition): Promise<ApiKeyRow[]> {
    const isListed = and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gte(apiKeys.expiresAt, expiredSince)))
    return db
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.userId, userId), isListed, isBefore(apiKeys, before)))
      .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
      .limit(limit)
  },

  /** The first time stays. @returns whether it was a key of this user that was not revoked before */
  async revoke(userId: UserId, id: ApiKeyId, at: Date, executor: Executor): Promise<boolean> {
    const isOwn = and(eq(apiKeys.userId, userId), eq(apiKeys.id, id), isNull(apiKeys.revokedAt))
    return (await executor.update(apiKeys).set({ revokedAt: at }).where(isOwn).returning({ id: apiKeys.id })).length > 0
  },

  /** @returns those that were live */
  async revokeAll(userId: UserId, at: Date, executor: Executor): Promise<ApiKeyId[]> {
    const rows = await executor
      .update(apiKeys)
      .set({ revokedAt: at })
      .where(and(eq(apiKeys.userId, userId), isLive(at)))
      .returning({ id: apiKeys.id })
    return rows.map(({ id }) => id)
  },

  async listRevokedSince(since: Date): Promise<ApiKeyId[]> {
    const rows = await db.select({ id: apiKeys.id }).from(apiKeys).where(gt(apiKeys.revokedAt, since))
    return rows.map(({ id }) => id)
  },

  async listLiveIds(userId: UserId, now: Date, executor: Executor): Promise<ApiKeyId[]> {
    const rows = await executor
      .select({ id: apiKeys.id })
      .from(apiKeys)
      .where(and(eq(apiKeys.userId, userId), isLive(now)))
    return rows.map(({ id }) => id)
  },

  /** @returns what is not revoked, in the order of the hashes; undefined where there is none */
  async findByHashes(hashes: readonly string[]): Promise<(KeyWithUser | undefined)[]> {
    const rows = await db
      .select(keyWithUser)
      .from(apiKeys)
      .innerJoin(users, eq(users.id, apiKeys.userId))
      .where(and(inArray(apiKeys.keyHash, [...hashes]), isNull(apiKeys.revokedAt)))
    const byHash = new Map(rows.map((row) => [row.key.keyHash, row]))
    return hashes.map((hash) => byHash.get(hash))
  },

  /** Which of these are not revoked and have not expired. */
  async listLive(ids: readonly ApiKeyId[], now: Date): Promise<KeyWithUser[]> {
    if (ids.length === 0) return []
    return db
      .select(keyWithUser)
      .from(apiKeys)
      .innerJoin(users, eq(users.id, apiKeys.userId))
      .where(and(sql`${apiKeys.id} = any(${sql.param([...ids])}::uuid[])`, isLive(now)))
  },

  /** Of several processes that say so within `milliseconds`, one writes. */
  async touch(id: ApiKeyId, at: Date, milliseconds: number): Promise<void> {
    const isDue = or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, new Date(at.getTime() - milliseconds)))
    await db
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(and(eq(apiKeys.id, id), isDue))
  },

  /** Of those that were revoked after `since` the ids stay, until `deleteRevoked`, and nothing else: by them processes that have missed it learn of it. */
  async erase(userId: UserId, since: Date, executor: Executor): Promise<void> {
    const isOwn = eq(apiKeys.userId, userId)
    await executor.delete(apiKeys).where(and(isOwn, or(isNull(apiKeys.revokedAt), lte(apiKeys.revokedAt, since))))
    await executor
      .update(apiKeys)
      .set({ name: '', keyHash: sql`${apiKeys.id}::text`, hint: '', lastUsedAt: null, expiresAt: null })
      .where(isOwn)
  },

  /** Of anybody. */
  async deleteRevoked(before: Date, executor: Executor): Promise<void> {
    await sweep(apiKeys, apiKeys.id, lt(apiKeys.revokedAt, before), executor)
  },

  /** Those of one user that expired before `before`, and all but the last `kept` of those that have expired. */
  async deleteExpired(userId: UserId, { now, before, kept }: { now: Date; before: Date; kept: number }, executor: Executor): Promise<void> {
    const expired = and(eq(apiKeys.userId, userId), isNull(apiKeys.revokedAt), lte(apiKeys.expiresAt, now))
    const last = executor.select({ id: apiKeys.id }).from(apiKeys).where(expired).orderBy(desc(apiKeys.expiresAt), desc(apiKeys.id)).limit(kept)
    await executor.delete(apiKeys).where(and(expired, or(lt(apiKeys.expiresAt, before), notInArray(apiKeys.id, last))))
  },
})

const keyWithUser = { key: apiKeys, user: { role: users.role, suspendedAt: users.suspendedAt, erasedAt: users.erasedAt } }

const isLive = (now: Date) => and(isNull(apiKeys.revokedAt), or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, now)))
