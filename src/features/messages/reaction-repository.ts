import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { UserReaction } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database, Transaction } from '../../db/client.ts'
import { isoTime, userSummaryJson } from '../../db/json.ts'
import { type ReactionRow, reactions } from '../../db/schema/messages.ts'
import type { JsonText } from '../../json-text.ts'
import type { Place } from './change-repository.ts'

/** A place in the list, which goes by kind, by time, and by user within a millisecond. */
export interface ReactionPosition {
  emoji: string
  milliseconds: number
  userId: string
}

interface ListedReaction extends ReactionPosition {
  text: JsonText<UserReaction>
}

const shownPerKind = 20

/**
 * What a message shows of its reactions after some of these kinds have changed: only those are counted, of the rows. Kinds keep their places, and one
 * that is new comes last. It is written by every change of them under the lock of the conversation.
 */
export const reactionSummary = (changed: readonly string[]): SQL => sql`(
  select json_agg(shown.kind order by shown.place) from (
    select o.kind, o.place from json_array_elements(messages.reactions) with ordinality o (kind, place)
    where o.kind->>'emoji' <> all(${sql.param(changed)}::text[])
    union all
    select json_build_object('emoji', r.emoji, 'count', count(*), 'userIds', (
        select json_agg(f.user_id) from (select user_id from reactions where conversation_id = messages.conversation_id and seq = messages.seq
          and emoji = r.emoji order by created_at, user_id limit ${sql.raw(String(shownPerKind))}) f)),
      (select o.place from json_array_elements(messages.reactions) with ordinality o (kind, place) where o.kind->>'emoji' = r.emoji)
    from reactions r where r.conversation_id = messages.conversation_id and r.seq = messages.seq and r.emoji = any(${sql.param(changed)}::text[])
    group by r.emoji) shown (kind, place))`

export type ReactionRepository = ReturnType<typeof createReactionRepository>

export const createReactionRepository = ({ db, pool }: Database) => ({
  /** @returns whether it is new */
  async insert(reaction: ReactionRow, tx: Transaction): Promise<boolean> {
    const inserted = await tx.insert(reactions).values(reaction).onConflictDoNothing().returning({ seq: reactions.seq })
    return inserted.length > 0
  },

  /** @returns whether there was one */
  async delete({ conversationId, seq }: Place, emoji: string, userId: UserId, tx: Transaction): Promise<boolean> {
    const isIt = and(eq(reactions.conversationId, conversationId), eq(reactions.seq, seq), eq(reactions.emoji, emoji), eq(reactions.userId, userId))
    const deleted = await tx.delete(reactions).where(isIt).returning({ seq: reactions.seq })
    return deleted.length > 0
  },

  /** Kind by kind, in the order in which they came. */
  async list({ conversationId, seq }: Place, emoji: string | undefined, after: ReactionPosition | undefined, limit: number): Promise<ListedReaction[]> {
    const { rows } = await pool.query<ListedReaction>({
      name: 'reaction-list',
      text: listStatement,
      values: [conversationId, seq, emoji ?? null, after?.emoji ?? null, after?.milliseconds ?? null, after?.userId ?? null, limit],
    })
    return rows
  },

  /** Some of the messages to which a user has reacted. */
  async some(userId: UserId, limit: number): Promise<Place[]> {
    return db
      .selectDistinct({ conversationId: reactions.conversationId, seq: reactions.seq })
      .from(db.select().from(reactions).where(eq(reactions.userId, userId)).limit(limit).as('reactions'))
  },

  /** Takes back all that a user has reacted to these messages. @returns those where there was something, and of which kinds that was */
  async deleteOf(userId: UserId, conversationId: ConversationId, seqs: number[], tx: Transaction): Promise<{ seqs: number[]; kinds: string[] }> {
    const deleted = await tx
      .delete(reactions)
      .where(and(eq(reactions.conversationId, conversationId), inArray(reactions.seq, seqs), eq(reactions.userId, userId)))
      .returning({ seq: reactions.seq, emoji: reactions.emoji })
    return { seqs: [...new Set(deleted.map(({ seq }) => seq))].sort((a, b) => a - b), kinds: [...new Set(deleted.map(({ emoji }) => emoji))] }
  },
})

const milliseconds = '(extract(epoch from r.created_at) * 1000)::float8'

const listStatement = `
  select json_build_object('emoji', r.emoji, 'user', ${userSummaryJson('u')}, 'createdAt', ${isoTime('r.created_at')})::text as text,
    r.emoji, ${milliseconds} as milliseconds, r.user_id as "userId"
  from reactions r join users u on u.id = r.user_id
  where r.conversation_id = $1 and r.seq = $2 and ($3::text is null or r.emoji = $3)
    and ($4::text is null or (r.emoji, r.created_at, r.user_id) > ($4, to_timestamp($5::float8 / 1000), $6::uuid))
  order by r.emoji, r.created_at, r.user_id limit $7`
