import { and, asc, eq, gt, gte, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, members } from '../../db/schema/conversations.ts'
import { type MessageRow, messages } from '../../db/schema/messages.ts'

/** Numbers of messages, both ends included. */
interface Window {
  from: number
  to: number
}

export type AuthorshipRepository = ReturnType<typeof createAuthorshipRepository>

export const createAuthorshipRepository = (db: Executor) => ({
  /** Whoever wrote in a conversation is or was a member of it. @param after the last one of the page before */
  async conversationsOf(userId: UserId, after: ConversationId | undefined, limit: number): Promise<{ id: ConversationId; lastSeq: number }[]> {
    return db
      .select({ id: conversations.id, lastSeq: conversations.lastSeq })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), after === undefined ? undefined : gt(members.conversationId, after)))
      .orderBy(asc(members.conversationId))
      .limit(limit)
  },

  /** In order. */
  async list(conversationId: ConversationId, senderId: UserId, { from, to }: Window, limit: number): Promise<MessageRow[]> {
    const isOwn = and(eq(messages.conversationId, conversationId), gte(messages.seq, from), lte(messages.seq, to), eq(messages.senderId, senderId))
    return db.select().from(messages).where(isOwn).orderBy(asc(messages.seq)).limit(limit)
  },

  /** Each is a change of its own, numbered under the lock of the conversation, whose sends wait meanwhile. */
  empty: (conversationId: ConversationId, seqs: number[], at: Date): Promise<MessageRow[]> =>
    db.transaction(async (tx) => {
      const [conversation] = await tx.select().from(conversations).where(eq(conversations.id, conversationId)).for('no key update')
      if (conversation === undefined) return []
      const left = await tx
        .select({ seq: messages.seq })
        .from(messages)
        .where(and(eq(messages.conversationId, conversationId), inArray(messages.seq, seqs), isNull(messages.deletedAt)))
        .orderBy(asc(messages.seq))
      if (left.length === 0) return []
      const ordered = sql.param(left.map(({ seq }) => seq))
      const emptied = await tx
        .update(messages)
        .set({
          content: '',
          metadata: {},
          clientId: null,
          deletedAt: at,
          changeSeq: sql`${conversation.lastChangeSeq} + array_position(${ordered}::bigint[], ${messages.seq})`,
        })
        .where(and(eq(messages.conversationId, conversationId), sql`${messages.seq} = any(${ordered}::bigint[])`))
        .returning()
      await tx
        .update(conversations)
        .set({ lastChangeSeq: conversation.lastChangeSeq + left.length, deletedCount: conversation.deletedCount + left.length })
        .where(eq(conversations.id, conversationId))
      return emptied.sort((a, b) => a.changeSeq - b.changeSeq)
    }),
})
