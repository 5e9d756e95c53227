/**
 * "What did I miss since 41?" is a range of numbers: each changed row bears the number of its last change, so the answer is the
 * present state of what changed, it never expires, and it needs no event table. What changed again meanwhile has a higher number
 * and comes under that one.
 */
import { and, eq, isNull } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { messageRowJson } from '../../db/json.ts'
import { type ConversationRow, conversations, members } from '../../db/schema/conversations.ts'
import type { MessageRow } from '../../db/schema/messages.ts'
import type { Change, MemberEntity } from '../../topics.ts'

/** Changes of one conversation after one number. */
export interface ChangeRange {
  conversationId: ConversationId
  afterChangeSeq: number
}

export interface Position {
  conversationId: ConversationId
  changeSeq: number
  joinedChangeSeq: number
}

export type SyncRepository = ReturnType<typeof createSyncRepository>

export const createSyncRepository = ({ db, pool }: Database) => ({
  /** Where all conversations of a user stand. */
  positions(userId: UserId): Promise<Position[]> {
    return db
      .select({ conversationId: members.conversationId, changeSeq: conversations.lastChangeSeq, joinedChangeSeq: members.joinedChangeSeq })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isNull(members.leftAt)))
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
  async changes({ conversationId, afterChangeSeq }: ChangeRange, limit: number): Promise<Change[]> {
    const { rows } = await pool.query<ChangedRow>({ name: 'changes', text: changesStatement, values: [conversationId, afterChangeSeq, limit] })
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

/** A row as JSON: its times are text. */
type Json<Row> = { [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key] }

type ChangedRow = { changeSeq: number } & (
  | { type: 'message.created' | 'message.deleted'; row: Json<MessageRow> }
  | { type: 'conversation.updated'; row: Json<ConversationRow> }
  | { type: 'member.joined' | 'member.updated' | 'member.left'; row: Json<MemberEntity> }
  | { type: 'read'; row: { userId: UserId; readSeq: number } }
)

/** A row of a member bears two numbers: of its membership and of its read mark. */
const changesStatement = `
  (select m.change_seq as "changeSeq", case when m.deleted_at is null then 'message.created' else 'message.deleted' end as type, ${messageRowJson('m')} as row
    from messages m where m.conversation_id = $1 and m.change_seq > $2 order by m.change_seq limit $3)
  union all
  select m.change_seq, case when m.left_at is not null then 'member.left' when m.joined_change_seq > $2 then 'member.joined' else 'member.updated' end,
    json_build_object('conversationId', m.conversation_id, 'userId', m.user_id, 'role', m.role, 'readSeq', m.read_seq, 'changeSeq', m.change_seq,
      'joinedChangeSeq', m.joined_change_seq, 'readChangeSeq', m.read_change_seq, 'joinedAt', m.joined_at, 'leftAt', m.left_at,
      'user', json_build_object('id', u.id, 'username', u.username, 'displayName', u.display_name, 'avatarKey', u.avatar_key, 'erasedAt', u.erased_at))
    from members m join users u on u.id = m.user_id where m.conversation_id = $1 and m.change_seq > $2
  union all
  select m.read_change_seq, 'read', json_build_object('userId', m.user_id, 'readSeq', m.read_seq)
    from members m where m.conversation_id = $1 and m.read_change_seq > $2
  union all
  select c.change_seq, 'conversation.updated',
    json_build_object('id', c.id, 'type', c.type, 'title', c.title, 'createdBy', c.created_by, 'clientId', c.client_id, 'directKey', c.direct_key,
      'lastSeq', c.last_seq, 'lastChangeSeq', c.last_change_seq, 'changeSeq', c.change_seq, 'memberCount', c.member_count,
      'createdAt', c.created_at, 'updatedAt', c.updated_at)
    from conversations c where c.id = $1 and c.change_seq > $2
  order by 1 limit $3`

function toChange(conversationId: ConversationId, { changeSeq, ...changed }: ChangedRow): Change {
  const numbered = { conversationId, changeSeq }
  switch (changed.type) {
    case 'message.created':
    case 'message.deleted': {
      const { createdAt, deletedAt, ...row } = changed.row
      return {
        type: changed.type,
        ...numbered,
        message: { ...row, createdAt: new Date(createdAt), deletedAt: deletedAt === null ? null : new Date(deletedAt) },
      }
    }
    case 'conversation.updated': {
      const { createdAt, updatedAt, ...row } = changed.row
      return { type: changed.type, ...numbered, conversation: { ...row, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) } }
    }
    case 'member.joined':
    case 'member.updated': {
      const { joinedAt, ...row } = changed.row
      return { type: changed.type, ...numbered, member: { ...row, joinedAt: new Date(joinedAt), leftAt: null } }
    }
    case 'member.left':
      return { type: changed.type, ...numbered, userId: changed.row.userId }
    case 'read':
      return { type: changed.type, ...numbered, userId: changed.row.userId, readSeq: changed.row.readSeq }
  }
}
