import { and, eq } from 'drizzle-orm'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { messageJson } from '../../db/json.ts'
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

/** One more than asked for tells whether there are more. */
const rangeStatement = (direction: 'asc' | 'desc') => `
  select coalesce(json_agg(${messageJson('m')} order by m.seq ${direction}) filter (where m.position <= $5), '[]')::text as items,
    ${direction === 'asc' ? 'max' : 'min'}(m.seq) filter (where m.position <= $5) as "lastSeq", count(m.seq) > $5 as "hasMore"
  from members reader
  left join lateral (
    select *, row_number() over (order by seq ${direction}) as position from messages
    where conversation_id = $1 and seq > $3 and seq < $4 order by seq ${direction} limit $5 + 1
  ) m on true
  where reader.conversation_id = $1 and reader.user_id = $2 and reader.left_at is null
  group by reader.user_id`

const rangeStatements = { ascending: rangeStatement('asc'), descending: rangeStatement('desc') }
