/**
 * How many messages a member has not read, exactly: those after the mark, less what is marked one by one beyond it, less those that are deleted and
 * not marked. Where nothing is marked so and nothing deleted, which is nearly everywhere, it is a difference of two numbers. The deleted ones are
 * counted by an index, on the side of the mark that has fewer messages: it takes long only for a mark with very many deleted ones on both sides.
 */

/** Everything up to here is read, gone, or not for this member. @param member a row of `members` or what has its marks and `first_seq` */
export const readUpTo = (conversation: string, member: string): string => `greatest(${member}.read_seq, ${conversation}.first_seq - 1, ${member}.first_seq - 1)`

const deletedBetween = (conversation: string, afterSeq: string, upToSeq: string): string => `(select count(*) from messages d
  where d.conversation_id = ${conversation}.id and d.seq > ${afterSeq} and d.seq <= ${upToSeq} and d.deleted_at is not null)`

/** How many of the messages after a place are deleted. @param conversation a row of `conversations` @param seq the message before the first one that is kept, or a later one */
const deletedAfter = (conversation: string, seq: string): string => `case when ${conversation}.deleted_count = 0 then 0
  when ${conversation}.last_seq - ${seq} < ${seq} - ${conversation}.first_seq then ${deletedBetween(conversation, seq, `${conversation}.last_seq`)}
  else ${conversation}.deleted_count - ${deletedBetween(conversation, `${conversation}.first_seq - 1`, seq)} end`

/** @param conversation a row of `conversations` @param member as of `readUpTo` */
export const unreadCount = (conversation: string, member: string): string => {
  const mark = readUpTo(conversation, member)
  const beyond = `unnest(${member}.read_ranges) r where upper(r) > ${mark} + 1`
  return `(${conversation}.last_seq - ${mark} - ${deletedAfter(conversation, mark)}
    - case when isempty(${member}.read_ranges) then 0 else coalesce((select sum(upper(r) - greatest(lower(r), ${mark} + 1)
      - case when ${conversation}.deleted_count = 0 then 0 else ${deletedBetween(conversation, `greatest(lower(r) - 1, ${mark})`, 'upper(r) - 1')} end)
      from ${beyond}), 0)::bigint end)`
}
