/**
 * Conversations as their members see them, written by PostgreSQL. A list first finds its place among all that somebody has, by rows that are read
 * whole (a few microseconds each, for there is no index on the time of the last message: sends would pay for it); only what is on the page is written.
 */
import type { Conversation, ConversationStatus, ConversationType } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { isoTime, memberJson, messageText, readRangesJson } from '../../db/json.ts'
import { escapeLike } from '../../db/sql.ts'
import { unreadCount } from '../../db/unread.ts'
import type { JsonText } from '../../json-text.ts'

/** `undefined` says nothing about a field. */
export interface ListFilter {
  statuses: readonly ConversationStatus[]
  type?: ConversationType | undefined
  /** In titles and summaries, and in the name of the other one of a direct conversation. */
  search?: string | undefined
  muted?: boolean | undefined
  unread?: boolean | undefined
}

export interface ListOrder {
  sortBy: 'createdAt' | 'updatedAt'
  sortOrder: 'asc' | 'desc'
  pinnedFirst: boolean
}

/** What a list goes by: the rank of those that are pinned, microseconds, and the id within one of them. */
export interface ListPosition {
  rank: number
  microseconds: number
  id: string
}

export interface ListSlice {
  after?: ListPosition | undefined
  offset: number
  limit: number
}

export interface ListedConversation extends ListPosition {
  text: JsonText<Conversation>
}

export type ConversationListRepository = ReturnType<typeof createConversationListRepository>

export const createConversationListRepository = ({ pool }: Database) => ({
  /** As JSON, for one member. @returns undefined when the reader is no member. */
  async view(readerId: UserId, conversationId: ConversationId): Promise<JsonText<Conversation> | undefined> {
    const { rows } = await pool.query<{ text: JsonText<Conversation> }>({
      name: 'conversation-view',
      text: `select ${conversationJson} as text from ${ownConversations} and c.id = $2`,
      values: [readerId, conversationId],
    })
    return rows[0]?.text
  },

  async list(readerId: UserId, filter: ListFilter, { sortBy, sortOrder, pinnedFirst }: ListOrder, { after, offset, limit }: ListSlice) {
    const { rows } = await pool.query<ListedConversation>({
      name: `conversation-list-${sortBy}-${sortOrder}`,
      text: listStatements[sortBy][sortOrder],
      values: [...filterValues(readerId, filter), ...[pinnedFirst, after?.rank ?? null, after?.microseconds ?? null, after?.id ?? null], ...[limit, offset]],
    })
    return rows
  },

  /** @returns how many fit, or `most` when there are more */
  async count(readerId: UserId, filter: ListFilter, most: number): Promise<number> {
    const { rows } = await pool.query<{ total: number }>({
      name: 'conversation-count',
      text: `select count(*) as total from (select from ${ownConversations} and ${isWanted} limit $7) listed`,
      values: [...filterValues(readerId, filter), most],
    })
    return rows[0]?.total ?? 0
  },
})

const filterValues = (readerId: UserId, { statuses, type, search, muted, unread }: ListFilter): unknown[] => [
  readerId,
  statuses,
  type ?? null,
  search === undefined ? null : `%${escapeLike(search)}%`,
  muted ?? null,
  unread ?? null,
]

const ownConversations = 'members me join conversations c on c.id = me.conversation_id where me.user_id = $1 and me.left_at is null'

const otherIsCalled = (pattern: string) => `exists (select from members o join users u on u.id = o.user_id
  where o.conversation_id = c.id and o.user_id <> $1 and (u.display_name ilike ${pattern} or u.username ilike ${pattern}))`

/** What nobody asked about is not looked at: of an `or` the first part that is true ends it. */
const isWanted = `c.status = any($2::text[]) and ($3::text is null or c.type = $3) and ($5::boolean is null or me.muted = $5)
  and ($4::text is null or c.title ilike $4 or c.summary ilike $4 or (c.type = 'direct' and ${otherIsCalled('$4')}))
  and ($6::boolean is null or (${unreadCount('c', 'me')} > 0) = $6)`

const membersShown = 10

const conversationJson = `json_build_object(
  'id', c.id, 'type', c.type, 'title', c.title, 'description', c.description, 'summary', c.summary, 'status', c.status, 'tags', c.tags,
  'metadata', c.metadata, 'isPrivate', c.is_private, 'allowInvites', c.allow_invites, 'historyVisibility', c.history_visibility,
  'messageRetentionDays', c.message_retention_days, 'firstSeq', c.first_seq, 'createdBy', c.created_by, 'createdAt', ${isoTime('c.created_at')},
  'role', me.role, 'memberCount', c.member_count,
  'members', (select json_agg(first.member) from (
    select ${memberJson('m', 'u')} as member from members m join users u on u.id = m.user_id
    where m.conversation_id = c.id and m.left_at is null order by m.joined_change_seq limit ${membersShown}) first),
  'lastMessage', (select (${messageText('m', 'me.first_seq')})::json from messages m where m.conversation_id = c.id and m.seq = c.last_seq and m.seq >= me.first_seq),
  'lastSeq', c.last_seq, 'changeSeq', c.last_change_seq, 'messageCount', c.last_seq - c.first_seq + 1 - c.deleted_count,
  'readSeq', me.read_seq, 'readRanges', ${readRangesJson('me')}, 'muted', me.muted, 'pinned', me.pinned,
  'unreadCount', ${unreadCount('c', 'me')},
  'updatedAt', ${isoTime('c.updated_at')})::text`

function listStatement(time: string, order: ListOrder['sortOrder']): string {
  const isAfter = `(place.rank < $8 or (place.rank = $8 and (${time}, c.id) ${order === 'desc' ? '<' : '>'} (to_timestamp(0) + $9 * interval '1 microsecond', $10::uuid)))`
  return `
    select ${conversationJson} as text, c.id, place.rank, (extract(epoch from ${time}) * 1000000)::int8 as microseconds
    from (
      select c.id, place.rank
      from members me
      join conversations c on c.id = me.conversation_id
      cross join lateral (select case when $7::boolean and me.pinned then 1 else 0 end as rank) place
      where me.user_id = $1 and me.left_at is null and ${isWanted} and ($8::int is null or ${isAfter})
      order by place.rank desc, ${time} ${order}, c.id ${order} limit $11 offset $12
    ) place
    join conversations c on c.id = place.id
    join members me on me.conversation_id = c.id and me.user_id = $1
    order by place.rank desc, ${time} ${order}, c.id ${order}`
}

const listStatements = {
  createdAt: { asc: listStatement('c.created_at', 'asc'), desc: listStatement('c.created_at', 'desc') },
  updatedAt: { asc: listStatement('c.updated_at', 'asc'), desc: listStatement('c.updated_at', 'desc') },
}
