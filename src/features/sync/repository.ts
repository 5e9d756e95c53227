/**
 * "What did I miss since 41?" is a range of numbers: each changed row bears the number of its last change, so the answer is the
 * present state of what changed, it never expires, and it needs no event table. What changed again meanwhile has a higher number
 * and comes under that one.
 */
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { type JsonMember, type JsonRow, messageEntityJson, parseConversation, parseMember, parseMessage, readRangesJson } from '../../db/json.ts'
import { type ConversationRow, conversations, members, type SeqRange } from '../../db/schema/conversations.ts'
import type { Change, MessageEntity } from '../../topics.ts'

/** Changes of one conversation after one number. */
export interface ChangeRange {
  conversationId: ConversationId
  afterChangeSeq: number
  /** Of several reads, where the first one began: what came since then is new. */
  newSinceChangeSeq?: number
  /** Undefined reads for everybody. */
  readerId?: UserId
}

/** Since when somebody is a member, and from which message on. */
export interface Membership {
  userId: UserId
  conversationId: ConversationId
  joinedChangeSeq: number
  firstSeq: number
}

export interface Joining extends Membership {
  joinedAt: Date
}

/** A membership, and where its conversation stands. */
export interface Position extends Membership {
  changeSeq: number
}

/** A change that is not for the reader: nothing but its number. */
export interface HiddenChange {
  type: 'change.hidden'
  conversationId: ConversationId
  changeSeq: number
}

export type SyncRepository = ReturnType<typeof createSyncRepository>

export const createSyncRepository = ({ db, pool }: Database) => ({
  /** Where all conversations of a user stand, or those among these. */
  positions(userId: UserId, among?: readonly ConversationId[]): Promise<Position[]> {
    return db
      .select({ ...membership, changeSeq: conversations.lastChangeSeq })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isNull(members.leftAt), among && inArray(members.conversationId, [...among])))
  },

  /** Of these users, in one conversation. */
  membershipsIn(conversationId: ConversationId, userIds: readonly UserId[]): Promise<Membership[]> {
    return db
      .select(membership)
      .from(members)
      .where(and(eq(members.conversationId, conversationId), ofUsers(userIds), isNull(members.leftAt)))
  },

  /** Of these users, begun after this moment. */
  membershipsSince(joinedAfter: Date, userIds: readonly UserId[]): Promise<Joining[]> {
    return db
      .select({ ...membership, joinedAt: members.joinedAt })
      .from(members)
      .where(and(gt(members.joinedAt, joinedAfter), ofUsers(userIds), isNull(members.leftAt)))
  },

  async heads(conversationIds: ConversationId[]): Promise<Map<ConversationId, number>> {
    const { rows } = await pool.query<{ id: ConversationId; changeSeq: number }>({
      name: 'conversation-heads',
      text: 'select id, last_change_seq as "changeSeq" from conversations where id = any($1::uuid[])',
      values: [conversationIds],
    })
    return new Map(rows.map(({ id, changeSeq }) => [id, changeSeq]))
  },

  /** In order; of more than `limit` the first ones. All are of one moment, and the last change of that moment is among them. */
  async changes(range: ChangeRange, limit: number): Promise<(Change | HiddenChange)[]> {
    const { conversationId, afterChangeSeq, newSinceChangeSeq = afterChangeSeq, readerId = null } = range
    const { rows } = await pool.query<ChangedRow>({
      name: 'changes',
      text: changesStatement,
      values: [conversationId, afterChangeSeq, limit, newSinceChangeSeq, readerId],
    })
    return rows.map((row) => toChange(conversationId, row))
  },

  /** Whether there are more messages than `limit` after a change. */
  async hasMoreMessages({ conversationId, afterChangeSeq }: ChangeRange, limit: number): Promise<boolean> {
    const { rowCount } = await pool.query({
      name: 'more-messages',
      text: 'select from messages where conversation_id = $1 and change_seq > $2 order by change_seq offset $3 limit 1',
      values: [conversationId, afterChangeSeq, limit],
    })
    return rowCount !== 0
  },
})

const membership = {
  userId: members.userId,
  conversationId: members.conversationId,
  joinedChangeSeq: members.joinedChangeSeq,
  firstSeq: members.firstSeq,
}

/** One parameter, however many users. */
const ofUsers = (userIds: readonly UserId[]) => sql`${members.userId} = any(${sql.param(userIds)}::uuid[])`

type ChangedRow = { changeSeq: number } & (
  | { type: 'change.hidden' }
  | { type: 'message.created' | 'message.updated' | 'message.deleted'; row: JsonRow<MessageEntity> }
  | { type: 'conversation.updated'; row: JsonRow<ConversationRow> }
  | { type: 'member.joined' | 'member.updated' | 'member.left'; row: JsonMember }
  | { type: 'read'; row: { userId: UserId; readSeq: number; readRanges: SeqRange[] } }
  | { type: 'delivered'; row: { userId: UserId; deliveredSeq: number } }
  | { type: 'membership.updated'; row: { userId: UserId; muted: boolean; pinned: boolean } }
)

/** Whoever reads for everybody reads all. */
const readerFirstSeq = 'coalesce((select r.first_seq from members r where r.conversation_id = $1 and r.user_id = $5), 1)'

/**
 * A row of a member bears several numbers: of its membership, of its marks, of what is its own. A message is new to whoever stands at $4,
 * the first number of several reads. What is not for the reader ($5) is hidden by the membership of the same moment: who left and came
 * back meanwhile may see less than before.
 */
const changesStatement = `
  (select m.change_seq as "changeSeq", case
      when m.seq < ${readerFirstSeq} then 'change.hidden'
      when m.deleted_at is not null then 'message.deleted'
      when m.created_change_seq > $4 then 'message.created' else 'message.updated' end as type, ${messageEntityJson('m', readerFirstSeq)} as row
    from messages m where m.conversation_id = $1 and m.change_seq > $2 order by m.change_seq limit $3)
  union all
  select m.change_seq, case when m.left_at is not null then 'member.left' when m.joined_change_seq > $4 then 'member.joined' else 'member.updated' end,
    json_build_object('conversationId', m.conversation_id, 'userId', m.user_id, 'role', m.role, 'firstSeq', m.first_seq, 'readSeq', m.read_seq,
      'deliveredSeq', m.delivered_seq, 'muted', m.muted, 'pinned', m.pinned, 'changeSeq', m.change_seq,
      'joinedChangeSeq', m.joined_change_seq, 'readChangeSeq', m.read_change_seq, 'deliveredChangeSeq', m.delivered_change_seq,
      'ownChangeSeq', m.own_change_seq, 'joinedAt', m.joined_at, 'blocked', m.blocked, 'leftAt', m.left_at,
      'user', json_build_object('id', u.id, 'username', u.username, 'displayName', u.display_name, 'avatarKey', u.avatar_key, 'erasedAt', u.erased_at))
    from members m join users u on u.id = m.user_id where m.conversation_id = $1 and m.change_seq > $2
  union all
  select m.read_change_seq, 'read', json_build_object('userId', m.user_id, 'readSeq', m.read_seq, 'readRanges', ${readRangesJson('m')})
    from members m where m.conversation_id = $1 and m.read_change_seq > $2
  union all
  select m.delivered_change_seq, 'delivered', json_build_object('userId', m.user_id, 'deliveredSeq', m.delivered_seq)
    from members m where m.conversation_id = $1 and m.delivered_change_seq > $2
  union all
  select m.own_change_seq, case when m.user_id <> $5 then 'change.hidden' else 'membership.updated' end, json_build_object('userId', m.user_id, 'muted', m.muted, 'pinned', m.pinned)
    from members m where m.conversation_id = $1 and m.own_change_seq > $2
  union all
  select c.change_seq, 'conversation.updated',
    json_build_object('id', c.id, 'type', c.type, 'title', c.title, 'description', c.description, 'summary', c.summary, 'status', c.status, 'tags', c.tags,
      'metadata', c.metadata, 'isPrivate', c.is_private, 'allowInvites', c.allow_invites, 'historyVisibility', c.history_visibility,
      'messageRetentionDays', c.message_retention_days, 'createdBy', c.created_by, 'clientId', c.client_id, 'directKey', c.direct_key,
      'firstSeq', c.first_seq, 'lastSeq', c.last_seq, 'deletedCount', c.deleted_count, 'lastChangeSeq', c.last_change_seq, 'changeSeq', c.change_seq,
      'memberCount', c.member_count, 'createdAt', c.created_at, 'updatedAt', c.updated_at)
    from conversations c where c.id = $1 and c.change_seq > $2
  order by 1 limit $3`

function toChange(conversationId: ConversationId, { changeSeq, ...changed }: ChangedRow): Change | HiddenChange {
  const numbered = { conversationId, changeSeq }
  switch (changed.type) {
    case 'change.hidden':
      return { type: changed.type, ...numbered }
    case 'message.created':
    case 'message.updated':
    case 'message.deleted':
      return { type: changed.type, ...numbered, message: parseMessage(changed.row) }
    case 'conversation.updated':
      return { type: changed.type, ...numbered, conversation: parseConversation(changed.row) }
    case 'member.joined':
    case 'member.updated':
      return { type: changed.type, ...numbered, member: parseMember(changed.row) }
    case 'member.left':
      return { type: changed.type, ...numbered, userId: changed.row.userId }
    case 'read':
      return { type: changed.type, ...numbered, ...changed.row }
    case 'delivered':
      return { type: changed.type, ...numbered, ...changed.row }
    case 'membership.updated':
      return { type: changed.type, ...numbered, ...changed.row }
  }
}
