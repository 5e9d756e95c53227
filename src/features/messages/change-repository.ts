import { and, desc, eq, gte, isNull, lt } from 'drizzle-orm'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database, Transaction } from '../../db/client.ts'
import { members } from '../../db/schema/conversations.ts'
import { type MessageVersionRow, messages, messageVersions } from '../../db/schema/messages.ts'
import { type LockedMessages, lockMessages, type MessageChange } from './locked-messages.ts'

/** Where a message is. */
export interface Place {
  conversationId: ConversationId
  seq: number
}

export type MessageChangeRepository = ReturnType<typeof createMessageChangeRepository>

export const createMessageChangeRepository = (db: Database['db']) => ({
  /** @returns undefined when there is none, or none for this reader. */
  async locate(readerId: UserId, messageId: MessageId): Promise<Place | undefined> {
    const [place] = await db
      .select({ conversationId: messages.conversationId, seq: messages.seq })
      .from(messages)
      .innerJoin(members, eq(members.conversationId, messages.conversationId))
      .where(and(eq(messages.id, messageId), eq(members.userId, readerId), isNull(members.leftAt), gte(messages.seq, members.firstSeq)))
    return place
  },

  /** Runs a change under the lock of a conversation; what it throws undoes it. @returns undefined when there is no such conversation. */
  change<T>(
    conversationId: ConversationId,
    work: (messages: LockedMessages, tx: Transaction) => Promise<T>,
  ): Promise<{ result: T; changes: MessageChange[] } | undefined> {
    return db.transaction(async (tx) => {
      const locked = await lockMessages(tx, conversationId)
      return locked && { result: await work(locked, tx), changes: await locked.finish() }
    })
  },

  /** The latest first. */
  async versions({ conversationId, seq }: Place, beforeVersion: number, limit: number): Promise<MessageVersionRow[]> {
    return db
      .select()
      .from(messageVersions)
      .where(and(eq(messageVersions.conversationId, conversationId), eq(messageVersions.seq, seq), lt(messageVersions.version, beforeVersion)))
      .orderBy(desc(messageVersions.version))
      .limit(limit)
  },
})
