import { type SQL, sql } from 'drizzle-orm'
import { maximumReadRanges } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { readRangesJson } from '../../db/json.ts'
import type { SeqRange } from '../../db/schema/conversations.ts'
import { readUpTo } from '../../db/unread.ts'
import { AppError } from '../../errors/app-error.ts'

/** A mark that was moved, and the number of that change. */
export interface Moved {
  readSeq: number
  readRanges: SeqRange[]
  changeSeq: number
}

export interface Marked {
  conversationIds: ConversationId[]
  /** Of those in which not all was read already. */
  moved: (Moved & { conversationId: ConversationId })[]
}

interface Seen {
  conversationId: ConversationId
  seqs: number[]
}

/**
 * Marks messages of several conversations one by one, all of them or none.
 * @throws `not_found` when one of them is not for the reader, `conflict` when more would be marked so than may be
 */
export async function markMessages(db: Database['db'], readerId: UserId, messageIds: MessageId[]): Promise<Marked> {
  const { rows: seen } = await db.execute<Seen & Record<string, unknown>>(seenBy(readerId, messageIds))
  if (seen.flatMap(({ seqs }) => seqs).length < messageIds.length) throw new AppError('not_found')
  return db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ held: number; moved: Marked['moved'] } & Record<string, unknown>>(mark(readerId, seen))
    const [{ held = 0, moved = [] } = {}] = rows
    if (held < seen.length) throw new AppError('not_found')
    if (moved.some(({ readRanges }) => readRanges.length > maximumReadRanges))
      throw new AppError('conflict', `At most ${maximumReadRanges} ranges of a conversation are marked one by one: mark up to a message instead.`)
    return { conversationIds: seen.map(({ conversationId }) => conversationId), moved }
  })
}

const seenBy = (readerId: UserId, messageIds: MessageId[]): SQL => sql`
  select m.conversation_id as "conversationId", json_agg(m.seq) as seqs
  from messages m join members me on me.conversation_id = m.conversation_id and me.user_id = ${readerId} and me.left_at is null
  where m.id = any(${sql.param(messageIds)}::uuid[]) and m.seq >= me.first_seq
  group by m.conversation_id`

const multirange = ({ seqs }: Seen): string => `{${seqs.map((seq) => `[${seq},${seq}]`).join(',')}}`

/** As `markRead` does, of several conversations, which are locked in the order of their ids. */
const mark = (readerId: UserId, seen: Seen[]): SQL => sql`
  with input as (
    select * from unnest(${sql.param(seen.map(({ conversationId }) => conversationId))}::uuid[], ${sql.param(seen.map(multirange))}::text[]) i (id, added)
  ), locked as materialized (
    select id, first_seq, last_change_seq + 1 as change_seq from conversations where id in (select id from input) order by id for no key update
  ), mine as materialized (
    select m.conversation_id, ${sql.raw(readUpTo('l', 'm'))} as mark, m.read_ranges, l.change_seq
    from locked l join members m on m.conversation_id = l.id and m.user_id = ${readerId} and m.left_at is null
    for no key update of m
  ), standing as (
    select conversation_id, change_seq, int8multirange(int8range(0, mark, '[]')) + read_ranges as marks, input.added::int8multirange as added
    from mine join input on input.id = conversation_id
  ), marked as (
    select conversation_id, change_seq, marks + added as marks from standing where not added <@ marks
  ), moved as (
    update members m set read_seq = upper(first.range) - 1, read_ranges = marked.marks - int8multirange(first.range), read_change_seq = marked.change_seq
    from marked, unnest(marked.marks) first (range)
    where m.conversation_id = marked.conversation_id and m.user_id = ${readerId} and first.range @> 0::bigint
    returning m.conversation_id, m.read_seq, m.read_ranges, m.read_change_seq
  ), advanced as (
    update conversations c set last_change_seq = moved.read_change_seq from moved where c.id = moved.conversation_id
  )
  select (select count(*) from mine) as held, coalesce((select json_agg(json_build_object('conversationId', conversation_id, 'readSeq', read_seq,
    'readRanges', ${sql.raw(readRangesJson('moved'))}, 'changeSeq', read_change_seq)) from moved), '[]') as moved`
