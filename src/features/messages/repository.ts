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
    const { rows } = await pool.query<RangeText>({
      name: `message-range-${order}`,
      text: rangeStatements[order],
      values: [conversationId, readerId, afterSeq, beforeSeq, limit],
    })
    return rows[0]
  },

  async seqOf(conversationId: ConversationId, id: MessageId): Promise<number | undefined> {
    const [row] = await db
      .select({ seq: messages.seq })
      .from(messages)
      .where(and(eq(messages.id, id), eq(messages.conversationId, conversationId)))
    return row?.seq
  },
})

const rangeStatement = (direction: 'asc' | 'desc') => `
  select page.items, page."lastSeq", exists (
    select from messages where conversation_id = $1 and ${direction === 'asc' ? 'seq > page."lastSeq" and seq < $4' : 'seq > $3 and seq < page."lastSeq"'}
  ) as "hasMore"
  from members reader
  cross join lateral (
    select '[' || coalesce(string_agg(item, ','), '') || ']' as items, ${direction === 'asc' ? 'max' : 'min'}(seq) as "lastSeq" from (
      select m.seq, ${messageText('m')} as item from messages m
      where m.conversation_id = $1 and m.seq > $3 and m.seq < $4 order by m.seq ${direction} limit $5
    ) item
  ) page
  where reader.conversation_id = $1 and reader.user_id = $2 and reader.left_at is null`

const rangeStatements = { ascending: rangeStatement('asc'), descending: rangeStatement('desc') }
