import { and, asc, eq, gt, gte, inArray, isNotNull, lte } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, members } from '../../db/schema/conversations.ts'
import { type MessageRow, type MessageVersionRow, messages, messageVersions } from '../../db/schema/messages.ts'

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

  /** Of messages that are deleted, which show it to nobody any more: that is no change to be told. */
  async forgetClientIds(conversationId: ConversationId, seqs: number[], tx: Executor): Promise<void> {
    await tx
      .update(messages)
      .set({ clientId: null })
      .where(and(eq(messages.conversationId, conversationId), inArray(messages.seq, seqs), isNotNull(messages.deletedAt)))
  },

  /** What messages of one conversation said before, by their numbers. */
  async versions(edited: readonly MessageRow[]): Promise<Map<number, Omit<MessageVersionRow, 'conversationId' | 'seq'>[]>> {
    const [first] = edited
    if (first === undefined) return new Map()
    const seqs = edited.map(({ seq }) => seq)
    const rows = await db
      .select()
      .from(messageVersions)
      .where(and(eq(messageVersions.conversationId, first.conversationId), inArray(messageVersions.seq, seqs)))
      .orderBy(asc(messageVersions.seq), asc(messageVersions.version))
    const bySeq = Map.groupBy(rows, ({ seq }) => seq)
    return new Map([...bySeq].map(([seq, versions]) => [seq, versions.map(({ conversationId: _, seq: __, ...version }) => version)]))
  },
})
