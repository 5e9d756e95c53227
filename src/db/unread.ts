/**
 * How many messages a member has not read, exactly: those after the mark, less what is marked one by one beyond it, less those that are deleted and
 * not marked. Where nothing is marked so and nothing deleted, which is nearly everywhere, it is a difference of two numbers.
 */

/** Everything up to here is read, gone, or not for this member. @param member a row of `members` or what has its marks and `first_seq` */
export const readUpTo = (conversation: string, member: string): string => `greatest(${member}.read_seq, ${conversation}.first_seq - 1, ${member}.first_seq - 1)`

/** @param conversation a row of `conversations` @param member as of `readUpTo` */
export const unreadCount = (conversation: string, member: string): string => {
  const mark = readUpTo(conversation, member)
  return `(${conversation}.last_seq - ${mark}
    - case when isempty(${member}.read_ranges) then 0 else coalesce(
      (select sum(upper(r) - greatest(lower(r), ${mark} + 1)) from unnest(${member}.read_ranges) r where upper(r) > ${mark} + 1), 0)::bigint end
    - case when ${conversation}.deleted_count = 0 then 0 else (select count(*) from messages d where d.conversation_id = ${conversation}.id
      and d.seq > ${mark} and d.deleted_at is not null and not (d.seq <@ ${member}.read_ranges)) end)`
}
