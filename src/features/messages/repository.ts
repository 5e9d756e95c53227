import { and, eq } from 'drizzle-orm'
import type { Pool } from 'pg'
import type { Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import { createBatch } from '../../db/batch.ts'
import type { Database } from '../../db/client.ts'
import { messageText } from '../../db/json.ts'
import { messages } from '../../db/schema/messages.ts'
import type { JsonText } from '../../json-text.ts'
import { createMessageWriter, type WriterOptions } from './writer.ts'

/** Messages between two positions, both exclusive. */
export interface Range {
  order: 'ascending' | 'descending'
  afterSeq: number
  beforeSeq: number
  limit: number
}

export interface RangeText {
  items: JsonText<Message[]>
  /** `seq` of the last item, null when there is none. */
  lastSeq: number | null
  hasMore: boolean
}

interface Read {
  readerId: UserId
  conversationId: ConversationId
  afterSeq: number
  beforeSeq: number
  limit: number
}

/** Both are null when there is nothing in the range, or nothing for this reader. */
interface ReadRange {
  items: JsonText<Message[]> | null
  lastSeq: number | null
}

const batchSize = { statements: 4, maximum: 16 }

export type MessageRepository = ReturnType<typeof createMessageRepository>

export function createMessageRepository({ db, pool }: Database, { onStored }: Pick<WriterOptions, 'onStored'>) {
  const writer = createMessageWriter({ pool, onStored })
  const ranges = {
    ascending: createBatch({ ...batchSize, run: (reads: Read[]) => readRanges(pool, 'ascending', reads) }),
    descending: createBatch({ ...batchSize, run: (reads: Read[]) => readRanges(pool, 'descending', reads) }),
  }

  const repository = {
    /** Resolves after the commit. */
    insert: writer.write,

    /** @returns undefined when the reader is no member. */
    async range(readerId: UserId, conversationId: ConversationId, { order, afterSeq, beforeSeq, limit }: Range): Promise<RangeText | undefined> {
      const { items, lastSeq } = await ranges[order]({ readerId, conversationId, afterSeq, beforeSeq, limit })
      // `seq` has no holes, so the number tells whether older messages follow.
      if (items !== null && lastSeq !== null && order === 'descending') return { items, lastSeq, hasMore: lastSeq > afterSeq + 1 }
      const newest = await repository.newestSeq(readerId, conversationId)
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
  }
  return repository
}

async function readRanges(pool: Pool, order: Range['order'], reads: Read[]): Promise<ReadRange[]> {
  const { rows } = await pool.query<ReadRange>({
    name: `message-range-${order}`,
    text: rangeStatements[order],
    values: [
      reads.map(({ conversationId }) => conversationId),
      reads.map(({ readerId }) => readerId),
      reads.map(({ afterSeq }) => afterSeq),
      reads.map(({ beforeSeq }) => beforeSeq),
      reads.map(({ limit }) => limit),
    ],
  })
  return rows
}

const rangeStatement = (direction: 'asc' | 'desc') => `
  select page.items, page."lastSeq"
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::int[])
    with ordinality as read (conversation_id, reader_id, after_seq, before_seq, size, ord)
  cross join lateral (
    select '[' || string_agg(item, ',') || ']' as items, ${direction === 'asc' ? 'max' : 'min'}(seq) as "lastSeq"
    from (
      select m.seq, ${messageText('m')} as item from messages m
      where m.conversation_id = read.conversation_id and m.seq > read.after_seq and m.seq < read.before_seq
        and exists (select from members where conversation_id = read.conversation_id and user_id = read.reader_id and left_at is null)
      order by m.seq ${direction} limit read.size
    ) item
  ) page
  order by read.ord`

const rangeStatements = { ascending: rangeStatement('asc'), descending: rangeStatement('desc') }

const readerStatement = `
  select c.last_seq as "lastSeq" from members m join conversations c on c.id = m.conversation_id
  where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null`
