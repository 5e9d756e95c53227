/**
 * Answers that PostgreSQL writes itself: for reads that are hot, one text value that goes out as it is costs half of rows that are
 * mapped in Node. The shapes are the contract's; the tests hold every answer against it.
 */
import { avatarsPath } from '../../openapi/avatars/schemas.ts'
import type { MemberEntity, MessageEntity } from '../topics.ts'
import type { ConversationRow } from './schema/conversations.ts'

/** A `timestamptz` as the contract writes times. */
export const isoTime = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** `Message`, of the row called `row`, as text, for a reader who sees messages from `firstSeq` on: joined by hand it costs half of `json_build_object`. */
export const messageText = (
  row: string,
  firstSeq: string,
): string => `'{"id":"' || ${row}.id || '","conversationId":"' || ${row}.conversation_id || '","seq":' || ${row}.seq
  || ',"changeSeq":' || ${row}.change_seq || ',"senderId":"' || ${row}.sender_id || '","type":"' || ${row}.type || '","content":' || to_json(${row}.content)::text
  || ',"clientId":' || coalesce(case when ${row}.deleted_at is null then to_json(${row}.client_id)::text end, 'null') || ',"metadata":' || ${row}.metadata::text
  || ',"replyTo":' || coalesce(${replyToJson(row, firstSeq)}::text, 'null') || ',"mentions":' || case ${row}.mentions when '{}' then '[]' else to_json(${row}.mentions)::text end
  || ',"attachments":' || coalesce(${row}.attachments::text, '[]') || ',"reactions":' || coalesce(${row}.reactions::text, '[]')
  || ',"createdAt":"' || ${isoTime(`${row}.created_at`)} || '","editedAt":' || coalesce('"' || ${isoTime(`${row}.edited_at`)} || '"', 'null')
  || ',"deletedAt":' || coalesce('"' || ${isoTime(`${row}.deleted_at`)} || '"', 'null') || '}'`

const excerptCharacters = 100

/** `ReplyTo`, of the message that a row of `messages` answers, unless it is older than what the reader sees; it is looked up for answers only. */
export const replyToJson = (row: string, firstSeq = '1'): string => `case when ${row}.reply_to_seq >= ${firstSeq} then (
  select json_build_object('messageId', o.id, 'seq', o.seq, 'senderId', o.sender_id,
    'excerpt', case when o.deleted_at is null then left(o.content, ${excerptCharacters}) end)
  from messages o where o.conversation_id = ${row}.conversation_id and o.seq = ${row}.reply_to_seq) end`

/** `UserSummary`, of a row of `users`. */
export const userSummaryJson = (user: string): string => `json_build_object('id', ${user}.id, 'username', ${user}.username, 'displayName', ${user}.display_name,
  'avatarUrl', '${avatarsPath}' || ${user}.avatar_key, 'deleted', ${user}.erased_at is not null)`

/** `ReadRanges`, of a row of `members`. */
export const readRangesJson = (member: string): string => `case when isempty(${member}.read_ranges) then '[]'::json
  else (select json_agg(json_build_array(lower(r), upper(r) - 1)) from unnest(${member}.read_ranges) r) end`

/** `Member`, of a row of `members` and its row of `users`. */
export const memberJson = (member: string, user: string): string => `json_build_object(
  'user', ${userSummaryJson(user)},
  'role', ${member}.role, 'readSeq', ${member}.read_seq, 'deliveredSeq', ${member}.delivered_seq,
  'joinedAt', ${isoTime(`${member}.joined_at`)})`

/** A `MessageEntity`, of a row of `messages`, whole or for a reader who sees messages from `firstSeq` on; its times are text. */
export const messageEntityJson = (row: string, firstSeq?: string): string => `json_build_object(
  'conversationId', ${row}.conversation_id, 'seq', ${row}.seq, 'changeSeq', ${row}.change_seq, 'createdChangeSeq', ${row}.created_change_seq,
  'id', ${row}.id, 'senderId', ${row}.sender_id, 'clientId', ${row}.client_id, 'type', ${row}.type, 'content', ${row}.content,
  'metadata', ${row}.metadata, 'replyToSeq', ${row}.reply_to_seq, 'replyTo', ${replyToJson(row, firstSeq)}, 'mentions', ${row}.mentions,
  'attachments', ${row}.attachments, 'reactions', ${row}.reactions,
  'createdAt', ${row}.created_at, 'editedAt', ${row}.edited_at, 'deletedAt', ${row}.deleted_at)`

/** A row as JSON: its times are text. */
export type JsonRow<Row> = { [Key in keyof Row]: Row[Key] extends Date ? string : Row[Key] extends Date | null ? string | null : Row[Key] }

export const parseMessage = ({ createdAt, editedAt, deletedAt, ...row }: JsonRow<MessageEntity>): MessageEntity => ({
  ...row,
  createdAt: new Date(createdAt),
  editedAt: editedAt === null ? null : new Date(editedAt),
  deletedAt: deletedAt === null ? null : new Date(deletedAt),
})

export const parseConversation = ({ createdAt, updatedAt, ...row }: JsonRow<ConversationRow>): ConversationRow => ({
  ...row,
  createdAt: new Date(createdAt),
  updatedAt: new Date(updatedAt),
})

/** A `MemberEntity` as JSON. */
export type JsonMember = Omit<JsonRow<MemberEntity>, 'user'> & { user: JsonRow<MemberEntity['user']> }

export const parseMember = ({ joinedAt, leftAt, user, ...row }: JsonMember): MemberEntity => ({
  ...row,
  joinedAt: new Date(joinedAt),
  leftAt: leftAt === null ? null : new Date(leftAt),
  user: { ...user, erasedAt: user.erasedAt === null ? null : new Date(user.erasedAt) },
})
