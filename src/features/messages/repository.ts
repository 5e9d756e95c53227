import { and, eq } from 'drizzle-orm'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { messageText } from '../../db/json.ts'
import { messages } from '../../db/schema/messages.ts'

/** Messages between two positions, both exclusive. */
export interface Range {
  order: 'ascending' | 'descending'
  afterSeq: number
  beforeSeq: number
  limit: number
}

export interface RangeText {
  /** A JSON array of `Message`. */
  items: string
  /** `seq` of the last item, null when there is none. */
  lastSeq: number | null
  hasMore: boolean
}

export type MessageRepository = ReturnType<typeof createMessageRepository>

export const createMessageRepository = ({ db, pool }: Database) => ({
  /** @returns undefined when the reader is no member. */
  async range(readerId: UserId, conversationId: ConversationId, { order, afterSeq, beforeSeq, limit }: Range): Promise<RangeText | undefined> {
    const { rows } = await pool.query<{ items: string | null; lastSeq: number | null }>({
      name: `message-range-${order}`,
      text: rangeStatements[order],
      values: [conversationId, readerId, afterSeq, beforeSeq, limit],
    })
    const { items = null, lastSeq = null } = rows[0] ?? {}
    // `seq` has no holes, so the number tells whether older messages follow.
    if (items !== null && lastSeq !== null && order === 'descending') return { items, lastSeq, hasMore: lastSeq > afterSeq + 1 }
    const newest = await this.newestSeq(readerId, conversationId)
    return newest === undefined ? undefined : { items: items ?? '[]', lastSeq, hasMore: lastSeq !== null && lastSeq < Math.min(newest, beforeSeq - 1) }
  },

  /** @returns 0 when there is no message yet, undefined when the reader is no member. */
  async newestSeq(readerId: UserId, conversationId: ConversationId): Promise<number | undefined> {
    const { rows } = await pool.query<{ lastSeq: number }>({ name: 'newest-seq', text: readerStatement, values: [conversationId, readerId] })
    return rows[0]?.lastSeq
  },

  async seqOf(conversationId: ConversationId, id: MessageId): Promise<number | undefined> {
    const [row] = await db
      .select({ seq: messages.seq })
      .from(messages)
      .where(and(eq(messages.id, id), eq(messages.conversationId, conversationId)))
    return row?.seq
  },
})

/** One level, without a join or a window: it costs half of the same with them. */
const rangeStatement = (direction: 'asc' | 'desc') => `
  select '[' || string_agg(item, ',') || ']' as items, ${direction === 'asc' ? 'max' : 'min'}(seq) as "lastSeq"
  from (
    select m.seq, ${messageText('m')} as item from messages m
    where m.conversation_id = $1 and m.seq > $3 and m.seq < $4
      and exists (select from members where conversation_id = $1 and user_id = $2 and left_at is null)
    order by m.seq ${direction} limit $5
  ) page`

const rangeStatements = { ascending: rangeStatement('asc'), descending: rangeStatement('desc') }

const readerStatement = `
  select c.last_seq as "lastSeq" from members m join conversations c on c.id = m.conversation_id
  where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null`
