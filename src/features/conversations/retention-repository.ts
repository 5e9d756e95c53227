import { and, eq, gte, inArray, lte, sql } from 'drizzle-orm'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, members } from '../../db/schema/conversations.ts'
import { messages } from '../../db/schema/messages.ts'
import { one } from '../../db/sql.ts'

export type RetentionRepository = ReturnType<typeof createRetentionRepository>

interface Oldest {
  count: number
  /** Of the newest of them; null when there is none. */
  lastSeq: number | null
}

export const createRetentionRepository = (db: Executor) => ({
  /** By id: conversations whose oldest message is older than they keep messages, and groups that nobody is in since a time. */
  async listDue({ now, abandonedUntil }: { now: Date; abandonedUntil: Date }, { after, limit }: { after: ConversationId | undefined; limit: number }) {
    const { rows } = await db.execute<{ id: ConversationId }>(sql`
      (select c.id from conversations c join messages m on m.conversation_id = c.id and m.seq = c.first_seq
        where c.message_retention_days is not null and m.created_at < ${now.toISOString()}::timestamptz - c.message_retention_days * interval '24 hours'
          and (${after ?? null}::uuid is null or c.id > ${after ?? null}::uuid) order by c.id limit ${limit})
      union
      (select id from conversations
        where member_count = 0 and type = 'group' and updated_at <= ${abandonedUntil.toISOString()}::timestamptz
          and (${after ?? null}::uuid is null or id > ${after ?? null}::uuid) order by id limit ${limit})
      order by id limit ${limit}`)
    return rows.map(({ id }) => id)
  },

  /** Of the oldest messages, at most so many: those before a time, or whichever they are. `createdAt` never falls where `seq` rises. */
  async findOldest(
    { conversationId, firstSeq, before, limit }: { conversationId: ConversationId; firstSeq: number; before: Date | undefined; limit: number },
    tx: Executor,
  ) {
    const { rows } = await tx.execute<{ count: number; lastSeq: number | null }>(sql`
      select count(*) as count, max(seq) as "lastSeq" from (
        select seq, created_at from messages where conversation_id = ${conversationId} and seq >= ${firstSeq} order by seq limit ${limit}
      ) oldest where created_at < coalesce(${before?.toISOString() ?? null}::timestamptz, 'infinity')`)
    return one<Oldest>(rows)
  },

  /** With what was said before they were edited, and reactions. @returns how many of them were deleted before, all but their number */
  async deleteMessages(
    { conversationId, firstSeq, lastSeq }: { conversationId: ConversationId; firstSeq: number; lastSeq: number },
    tx: Executor,
  ): Promise<number> {
    const gone = await tx
      .delete(messages)
      .where(and(eq(messages.conversationId, conversationId), gte(messages.seq, firstSeq), lte(messages.seq, lastSeq)))
      .returning({ deletedAt: messages.deletedAt })
    return gone.filter(({ deletedAt }) => deletedAt !== null).length
  },

  /** Of a group that has no messages any more: some of those who were in it. @returns how many */
  async deleteMembers(conversationId: ConversationId, limit: number, tx: Executor): Promise<number> {
    const isIts = eq(members.conversationId, conversationId)
    const some = tx.select({ userId: members.userId }).from(members).where(isIts).limit(limit)
    const { rowCount } = await tx.delete(members).where(and(isIts, inArray(members.userId, some)))
    return rowCount ?? 0
  },

  /** One in which nothing is left. */
  async deleteConversation(conversationId: ConversationId, tx: Executor): Promise<void> {
    await tx.delete(conversations).where(eq(conversations.id, conversationId))
  },
})
