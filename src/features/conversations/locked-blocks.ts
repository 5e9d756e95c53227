import { eq, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import { members } from '../../db/schema/conversations.ts'
import type { LockedRow } from './locked-row.ts'

/** Who cannot write in a direct conversation, or bring whom into a group. */
export function lockedBlocks({ tx, state: { id } }: LockedRow) {
  return {
    /** Of a direct conversation: whom the other one has blocked can read, and not write. @returns who that is */
    async applyBlocks(): Promise<UserId[]> {
      const { rows } = await tx.execute<{ userId: UserId }>(sql`
        update members m set blocked = true from members other join blocks b on b.blocker_id = other.user_id
        where m.conversation_id = ${id} and other.conversation_id = ${id} and b.blocked_id = m.user_id
        returning m.user_id as "userId"`)
      return rows.map(({ userId }) => userId)
    },

    /** Whether one of these, who is no member, has blocked the user. */
    async isBlocked(userId: UserId, by: readonly UserId[]): Promise<boolean> {
      const { rowCount } = await tx.execute(sql`
        select from blocks b where b.blocked_id = ${userId} and b.blocker_id = any(${sql.param(by)}::uuid[])
          and not exists (select from members m where m.conversation_id = ${id} and m.user_id = b.blocker_id and m.left_at is null)
        limit 1`)
      return rowCount === 1
    },

    /** None of its members can write any more. */
    async close(): Promise<void> {
      await tx.update(members).set({ blocked: true }).where(eq(members.conversationId, id))
    },
  }
}
