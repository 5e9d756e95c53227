import { readRangesJson, userSummaryJson } from '../../db/json.ts'
import { isReceiver, messageStatus, receiptStatus } from '../../db/message-status.ts'
import { readUpTo, unreadCount } from '../../db/unread.ts'

/**
 * The locks come first, so that marks of many readers are numbered one after another. What is read, as one multirange from 0 on: its first
 * range ends at the mark, the others are what is marked beyond it.
 */
export const markRead = `
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

const mark = `m.read_seq as "readSeq", ${readRangesJson('m')} as "readRanges", ${unreadCount('c', 'm')} as "unreadCount"`

export const readMark = `
  select ${mark} from conversations c join members m on m.conversation_id = c.id and m.user_id = $2 and m.left_at is null where c.id = $1`

export const readMarks = `
  select c.id as "conversationId", ${mark} from conversations c join members m on m.conversation_id = c.id and m.user_id = $2 and m.left_at is null
  where c.id = any($1::uuid[]) order by array_position($1::uuid[], c.id)`

export const markDelivered = `
  with locked as materialized (
    select id, last_seq, member_count, last_change_seq + 1 as change_seq from conversations where id = $1 for no key update
  ), mine as materialized (
    select m.user_id, m.delivered_seq, least($3, l.last_seq) as target, l.change_seq, l.member_count
    from locked l join members m on m.conversation_id = l.id and m.user_id = $2 and m.left_at is null
    for no key update of m
  ), moved as (
    update members m set delivered_seq = mine.target, delivered_change_seq = mine.change_seq from mine
    where m.conversation_id = $1 and m.user_id = mine.user_id and mine.delivered_seq < mine.target and mine.member_count <= $4
    returning m.delivered_seq, m.delivered_change_seq
  ), advanced as (
    update conversations c set last_change_seq = moved.delivered_change_seq from moved where c.id = $1
  )
  select coalesce(moved.delivered_seq, mine.delivered_seq) as "deliveredSeq", moved.delivered_change_seq as "changeSeq" from mine left join moved on true`

export const status = `
  select ${messageStatus('m')} as status
  from messages m join members me on me.conversation_id = m.conversation_id and me.user_id = $2 and me.left_at is null
  where m.id = $1 and m.seq >= me.first_seq`

export const list = `
  select json_build_object('user', ${userSummaryJson('u')}, 'status', ${receiptStatus('m', 'o')})::text as text, o.joined_change_seq as "joinedChangeSeq"
  from messages m join members o on ${isReceiver('m', 'o')} and o.joined_change_seq > $2 join users u on u.id = o.user_id
  where m.id = $1 order by o.joined_change_seq limit $3`
