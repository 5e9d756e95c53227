import { and, asc, desc, eq, isNull, or } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type BlockRow, blocks, type UserSummaryRow, userSummary, users } from '../../db/schema/users.ts'
import { isBefore } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'

/** A block together with what others may see of the blocked user. */
export type BlockEntity = BlockRow & { user: UserSummaryRow }

export type BlockRepository = ReturnType<typeof createBlockRepository>

export const createBlockRepository = (db: Executor) => ({
  /** @returns undefined when the block was there already */
  async insert(block: BlockRow, executor: Executor): Promise<BlockRow | undefined> {
    const [row] = await executor.insert(blocks).values(block).onConflictDoNothing().returning()
    return row
  },

  async get(blockerId: UserId, blockedId: UserId, executor: Executor): Promise<BlockRow | undefined> {
    const [row] = await executor
      .select()
      .from(blocks)
      .where(and(eq(blocks.blockerId, blockerId), eq(blocks.blockedId, blockedId)))
    return row
  },

  /** @returns whether there was one */
  async delete(blockerId: UserId, blockedId: UserId, executor: Executor): Promise<boolean> {
    const deleted = await executor
      .delete(blocks)
      .where(and(eq(blocks.blockerId, blockerId), eq(blocks.blockedId, blockedId)))
      .returning({ blockedId: blocks.blockedId })
    return deleted.length > 0
  },

  /** By and of a user, in one order: of two who have blocked each other, both may be erased at once. */
  async deleteOf(userId: UserId, executor: Executor): Promise<void> {
    const own = or(eq(blocks.blockerId, userId), eq(blocks.blockedId, userId))
    await executor.select().from(blocks).where(own).orderBy(asc(blocks.blockerId), asc(blocks.blockedId)).for('update')
    await executor.delete(blocks).where(own)
  },

  /** The latest first; whoever is erased is nobody to unblock. */
  async list(blockerId: UserId, { before, limit }: { before: TimePosition | undefined; limit: number }): Promise<BlockEntity[]> {
    const rows = await db
      .select({ block: blocks, user: userSummary })
      .from(blocks)
      .innerJoin(users, eq(users.id, blocks.blockedId))
      .where(and(eq(blocks.blockerId, blockerId), isNull(users.erasedAt), isBefore({ createdAt: blocks.createdAt, id: blocks.blockedId }, before)))
      .orderBy(desc(blocks.createdAt), desc(blocks.blockedId))
      .limit(limit)
    return rows.map(({ block, user }) => ({ ...block, user }))
  },
})
