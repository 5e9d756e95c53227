import type { Pool } from 'pg'
import type { GetMessageResult, Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, FileId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import { createBatch } from '../../db/batch.ts'
import type { Database } from '../../db/client.ts'
import { messageText } from '../../db/json.ts'
import { messageStatus } from '../../db/message-status.ts'
import type { JsonText } from '../../json-text.ts'
import { createSendWithFiles, type SentFiles } from './send-with-files.ts'
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
  /** Of the oldest message that the reader may see. */
  firstSeq: number
}

/** What a send refers to, as far as the sender may. */
export interface References {
  /** Null when there is no such message to be answered. */
  replyToSeq: number | null
  /** Those of the mentioned who are members. */
  mentioned: UserId[]
}

interface Read {
  readerId: UserId
  conversationId: ConversationId
  afterSeq: number
  beforeSeq: number
  limit: number
}

/** Nothing is in the range when `items` is null, and the reader is no member when `firstSeq` is. */
interface ReadRange {
  items: JsonText<Message[]> | null
  lastSeq: number | null
  firstSeq: number | null
  newestSeq: number
}

const batchSize = { statements: 4, maximum: 16 }

export type MessageRepository = ReturnType<typeof createMessageRepository>

export function createMessageRepository({ pool }: Pick<Database, 'pool'>, { files, onStored }: Pick<WriterOptions, 'onStored'> & { files: SentFiles }) {
  const writer = createMessageWriter({ pool, onStored })
  const ranges = {
    ascending: createBatch({ ...batchSize, run: (reads: Read[]) => readRanges(pool, 'ascending', reads) }),
    descending: createBatch({ ...batchSize, run: (reads: Read[]) => readRanges(pool, 'descending', reads) }),
  }

  return {
    /** Resolves after the commit. */
    insert: writer.write,

    /** The same, and the files become the message's. */
    insertWithFiles: createSendWithFiles({ pool, files, onStored }),

    /** @returns undefined when the reader is no member. */
    async range(readerId: UserId, conversationId: ConversationId, { order, afterSeq, beforeSeq, limit }: Range): Promise<RangeText | undefined> {
      const { items, lastSeq, firstSeq, newestSeq } = await ranges[order]({ readerId, conversationId, afterSeq, beforeSeq, limit })
      if (firstSeq === null) return undefined
      // `seq` has no holes, so the number tells whether more messages follow.
      const end = order === 'descending' ? Math.max(afterSeq + 1, firstSeq) : Math.min(newestSeq, beforeSeq - 1)
      const hasMore = lastSeq !== null && (order === 'descending' ? lastSeq > end : lastSeq < end)
      return { items: items ?? '[]', lastSeq, hasMore, firstSeq }
    },

    async seqOf(conversationId: ConversationId, id: MessageId): Promise<number | undefined> {
      const { rows } = await pool.query<{ seq: number }>({
        name: 'message-seq',
        text: 'select seq from messages where id = $1 and conversation_id = $2',
        values: [id, conversationId],
      })
      return rows[0]?.seq
    },

    /** As JSON: how far it has come too. @returns undefined when there is none, or none for this reader. */
    async view(readerId: UserId, id: MessageId): Promise<JsonText<GetMessageResult> | undefined> {
      const { rows } = await pool.query<{ text: JsonText<GetMessageResult> }>({ name: 'message-view', text: viewStatement, values: [id, readerId] })
      return rows[0]?.text
    },

    /** @returns undefined when the sender is no member. */
    async references(
      senderId: UserId,
      conversationId: ConversationId,
      { replyTo, mentions = [] }: { replyTo?: MessageId | undefined; mentions?: UserId[] | undefined },
    ): Promise<References | undefined> {
      const values = [conversationId, senderId, replyTo ?? null, mentions]
      const { rows } = await pool.query<References>({ name: 'references', text: referencesStatement, values })
      return rows[0]
    },

    /** @throws `validation_error` unless all of these files are the user's, and no message has them */
    async requireFiles(userId: UserId, fileIds: readonly FileId[]): Promise<void> {
      if (fileIds.length > 0) await files.requireUnsent(userId, fileIds)
    },

    async isKnown(senderId: UserId, clientId: string): Promise<boolean> {
      const { rowCount } = await pool.query({
        name: 'known-client-id',
        text: 'select from messages where sender_id = $1 and client_id = $2',
        values: [senderId, clientId],
      })
      return rowCount !== 0
    },
  }
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

/**
 * `limit 1` has the reader looked up by key for each read, however the tables grow. A parameter within a `select` keeps its length from the
 * planner, which would else plan each read anew and take as long as the read itself.
 */
const rangeStatement = (direction: 'asc' | 'desc') => `
  select page.items, page."lastSeq", reader.first_seq as "firstSeq", reader.last_seq as "newestSeq"
  from unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::bigint[]), (select $4::bigint[]), (select $5::int[]))
    with ordinality as read (conversation_id, reader_id, after_seq, before_seq, size, ord)
  left join lateral (
    select greatest(c.first_seq, me.first_seq) as first_seq, c.last_seq from members me join conversations c on c.id = me.conversation_id
    where me.conversation_id = read.conversation_id and me.user_id = read.reader_id and me.left_at is null limit 1
  ) reader on true
  cross join lateral (
    select '[' || string_agg(item, ',') || ']' as items, ${direction === 'asc' ? 'max' : 'min'}(seq) as "lastSeq"
    from (
      select m.seq, ${messageText('m', 'reader.first_seq')} as item from messages m
      where m.conversation_id = read.conversation_id and m.seq > greatest(read.after_seq, reader.first_seq - 1) and m.seq < read.before_seq
        and reader.first_seq is not null
      order by m.seq ${direction} limit read.size
    ) item
  ) page
  order by read.ord`

const rangeStatements = { ascending: rangeStatement('asc'), descending: rangeStatement('desc') }

const viewStatement = `
  select '{"message":' || ${messageText('m', 'me.first_seq')} || ',"status":"' || ${messageStatus('m')} || '"}' as text
  from messages m join members me on me.conversation_id = m.conversation_id and me.user_id = $2 and me.left_at is null
  where m.id = $1 and m.seq >= me.first_seq`

const referencesStatement = `
  select
    (select o.seq from messages o where o.id = $3::uuid and o.conversation_id = $1 and o.deleted_at is null and o.seq >= me.first_seq) as "replyToSeq",
    array(select user_id from members where conversation_id = $1 and user_id = any($4::uuid[]) and left_at is null) as mentioned
  from members me where me.conversation_id = $1 and me.user_id = $2 and me.left_at is null`
