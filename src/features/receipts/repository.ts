import type { ReadMark } from '../../../openapi/receipts/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { readRangesJson } from '../../db/json.ts'
import type { SeqRange } from '../../db/schema/conversations.ts'
import { readUpTo, unreadCount } from '../../db/unread.ts'

/** A mark that was moved, and the number of that change. */
interface Moved {
  readSeq: number
  readRanges: SeqRange[]
  changeSeq: number
}

export type ReceiptRepository = ReturnType<typeof createReceiptRepository>

export const createReceiptRepository = ({ pool }: Pick<Database, 'pool'>) => ({
  /** Moves a mark forward, never back, and at most to the newest message. @returns undefined when the reader is no member, or the mark stands there already. */
  async markRead(readerId: UserId, conversationId: ConversationId, seq: number): Promise<Moved | undefined> {
    const { rows } = await pool.query<Moved>({ name: 'mark-read', text: markReadStatement, values: [conversationId, readerId, seq] })
    return rows[0]
  },

  /** All of one moment. @returns undefined when the reader is no member. */
  async readMark(readerId: UserId, conversationId: ConversationId): Promise<ReadMark | undefined> {
    const { rows } = await pool.query<ReadMark>({ name: 'read-mark', text: readMarkStatement, values: [conversationId, readerId] })
    return rows[0]
  },
})

/**
 * The locks come first, so that marks of many readers are numbered one after another. What is read, as one multirange from 0 on: its first
 * range ends at the mark, the others are what is marked beyond it.
 */
const markReadStatement = `
  with locked as materialized (
    select id, first_seq, last_seq, last_change_seq + 1 as change_seq from conversations where id = $1 for no key update
  ), mine as materialized (
    select m.user_id, ${readUpTo('l', 'm')} as mark, least($3, l.last_seq) as target, m.read_ranges, l.change_seq
    from locked l join members m on m.conversation_id = l.id and m.user_id = $2 and m.left_at is null
    for no key update of m
  ), marked as (
    select user_id, change_seq, int8multirange(int8range(0, target, '[]')) + read_ranges as marks from mine where mark < target
  ), moved as (
    update members m set read_seq = upper(first.range) - 1, read_ranges = marked.marks - int8multirange(first.range), read_change_seq = marked.change_seq
    from marked, unnest(marked.marks) first (range)
    where m.conversation_id = $1 and m.user_id = marked.user_id and first.range @> 0::bigint
    returning m.read_seq, m.read_ranges, m.read_change_seq
  ), advanced as (
    update conversations c set last_change_seq = moved.read_change_seq from moved where c.id = $1
  )
  select read_seq as "readSeq", ${readRangesJson('moved')} as "readRanges", read_change_seq as "changeSeq" from moved`

const readMarkStatement = `
  select m.read_seq as "readSeq", ${readRangesJson('m')} as "readRanges", ${unreadCount('c', 'm')} as "unreadCount"
  from conversations c join members m on m.conversation_id = c.id and m.user_id = $2 and m.left_at is null where c.id = $1`
