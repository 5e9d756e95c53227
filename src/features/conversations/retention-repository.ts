import { and, eq, gte, lte, sql } from 'drizzle-orm'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations } from '../../db/schema/conversations.ts'
import { messages } from '../../db/schema/messages.ts'
import { one } from '../../db/sql.ts'

export type RetentionRepository = ReturnType<typeof createRetentionRepository>

interface Old {
  count: number
  /** Of the newest of them; null when there is none. */
  lastSeq: number | null
}

export const createRetentionRepository = (db: Executor) => ({
  /** Conversations whose oldest message is older than they keep messages, by id. */
  async listDue(now: Date, { after, limit }: { after: ConversationId | undefined; limit: number }): Promise<ConversationId[]> {
    const { messageRetentionDays, firstSeq, id } = conversations
    const isOld = sql`${messages.createdAt} < ${now.toISOString()}::timestamptz - ${messageRetentionDays} * interval '24 hours'`
    const due = await db
      .select({ id })
      .from(conversations)
      .innerJoin(messages, and(eq(messages.conversationId, id), eq(messages.seq, firstSeq), isOld))
      .where(and(sql`${messageRetentionDays} is not null`, after && sql`${id} > ${after}`))
      .orderBy(id)
      .limit(limit)
    return due.map((row) => row.id)
  },

  /** Of the oldest messages, at most so many, those before a time: `createdAt` never falls where `seq` rises. */
  async findOld({ conversationId, firstSeq, before, limit }: { conversationId: ConversationId; firstSeq: number; before: Date; limit: number }, tx: Executor) {
    const { rows } = await tx.execute<{ count: number; lastSeq: number | null }>(sql`
      select count(*) as count, max(seq) as "lastSeq" from (
        select seq, created_at from messages where conversation_id = ${conversationId} and seq >= ${firstSeq} order by seq limit ${limit}
      ) oldest where created_at < ${before.toISOString()}::timestamptz`)
    return one<Old>(rows)
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
})
