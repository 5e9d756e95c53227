/**
 * All that one user has written, wherever it stands, for taking it along and for erasing it. Conversations are read in windows of
 * numbers, so that no statement takes longer for a long conversation in which the user has said little.
 */
import { and, asc, eq, gt, gte, inArray, isNull, lte, sql } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/client.ts'
import { conversations, members } from '../../db/schema/conversations.ts'
import { type MessageRow, messages } from '../../db/schema/messages.ts'
import type { Topics } from '../../topics.ts'

interface Dependencies {
  database: Pick<Database, 'db'>
  topics: Pick<Topics, 'publish'>
  clock: Clock
}

const windowSize = 10_000
const batchSize = 200

export type Authorship = ReturnType<typeof createAuthorship>

export function createAuthorship({ database: { db }, topics, clock }: Dependencies) {
  /** Whoever wrote in a conversation is or was a member of it. */
  async function* conversationsOf(userId: UserId): AsyncGenerator<{ id: ConversationId; lastSeq: number }> {
    let after: ConversationId | undefined
    for (;;) {
      const found = await db
        .select({ id: conversations.id, lastSeq: conversations.lastSeq })
        .from(members)
        .innerJoin(conversations, eq(conversations.id, members.conversationId))
        .where(and(eq(members.userId, userId), after === undefined ? undefined : gt(members.conversationId, after)))
        .orderBy(asc(members.conversationId))
        .limit(batchSize)
      if (found.length === 0) return
      after = found.at(-1)?.id
      yield* found
    }
  }

  async function* batchesIn(conversationId: ConversationId, lastSeq: number, senderId: UserId): AsyncGenerator<MessageRow[]> {
    let next = 1
    while (next <= lastSeq) {
      const end = next + windowSize - 1
      const isOwn = and(eq(messages.conversationId, conversationId), gte(messages.seq, next), lte(messages.seq, end), eq(messages.senderId, senderId))
      const rows = await db.select().from(messages).where(isOwn).orderBy(asc(messages.seq)).limit(batchSize)
      yield rows
      next = ((rows.length === batchSize && rows.at(-1)?.seq) || end) + 1
    }
  }

  /** In order within each conversation, some at a time; nothing is read before it is asked for, and empty windows are told too: no step is long. */
  async function* batches(userId: UserId): AsyncGenerator<MessageRow[]> {
    for await (const { id, lastSeq } of conversationsOf(userId)) yield* batchesIn(id, lastSeq, userId)
  }

  /** Each is a change of its own, numbered under the lock of the conversation, whose sends wait meanwhile. */
  const empty = (conversationId: ConversationId, seqs: number[]): Promise<MessageRow[]> =>
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
          deletedAt: clock.now(),
          changeSeq: sql`${conversation.lastChangeSeq} + array_position(${ordered}::bigint[], ${messages.seq})`,
        })
        .where(and(eq(messages.conversationId, conversationId), sql`${messages.seq} = any(${ordered}::bigint[])`))
        .returning()
      await tx
        .update(conversations)
        .set({ lastChangeSeq: conversation.lastChangeSeq + left.length })
        .where(eq(conversations.id, conversationId))
      return emptied.sort((a, b) => a.changeSeq - b.changeSeq)
    })

  return {
    batches,

    /** Empties every message of a user; the numbers stay. To be killed in the middle and done again is no harm. */
    async erase(userId: UserId): Promise<void> {
      for await (const batch of batches(userId)) {
        const [first] = batch
        const left = batch.filter(({ deletedAt }) => deletedAt === null)
        if (first === undefined || left.length === 0) continue
        const { conversationId } = first
        const emptied = await empty(
          conversationId,
          left.map(({ seq }) => seq),
        )
        for (const message of emptied) {
          const { changeSeq } = message
          topics.publish('conversation', conversationId, { type: 'message.deleted', conversationId, changeSeq, message })
        }
      }
    },
  }
}
