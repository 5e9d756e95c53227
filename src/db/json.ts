/**
 * Answers that PostgreSQL writes itself: for reads that are hot, one text value that goes out as it is costs half of rows that are
 * mapped in Node. The shapes are the contract's; the tests hold every answer against it.
 */
import { avatarsPath } from '../../openapi/avatars/schemas.ts'

/** A `timestamptz` as the contract writes times. */
export const isoTime = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** `Message`, of the row called `row`, as text: joined by hand it costs half of `json_build_object`. */
export const messageText = (row: string): string => `'{"id":"' || ${row}.id || '","conversationId":"' || ${row}.conversation_id || '","seq":' || ${row}.seq
  || ',"changeSeq":' || ${row}.change_seq || ',"senderId":"' || ${row}.sender_id || '","type":"text","content":' || to_json(${row}.content)::text
  || ',"clientId":' || coalesce(to_json(${row}.client_id)::text, 'null') || ',"metadata":' || ${row}.metadata::text
  || ',"createdAt":"' || ${isoTime(`${row}.created_at`)} || '","deletedAt":' || coalesce('"' || ${isoTime(`${row}.deleted_at`)} || '"', 'null') || '}'`

/** `UserSummary`, of a row of `users`. */
const userSummaryJson = (user: string): string => `json_build_object('id', ${user}.id, 'username', ${user}.username, 'displayName', ${user}.display_name,
  'avatarUrl', '${avatarsPath}' || ${user}.avatar_key, 'deleted', ${user}.erased_at is not null)`

/** `Member`, of a row of `members` and its row of `users`. */
export const memberJson = (member: string, user: string): string => `json_build_object(
  'user', ${userSummaryJson(user)},
  'role', ${member}.role, 'readSeq', ${member}.read_seq, 'joinedAt', ${isoTime(`${member}.joined_at`)})`

/** All of a row of `messages`, for reading it back as a row. */
export const messageRowJson = (row: string): string => `json_build_object(
  'conversationId', ${row}.conversation_id, 'seq', ${row}.seq, 'changeSeq', ${row}.change_seq, 'id', ${row}.id, 'senderId', ${row}.sender_id,
  'clientId', ${row}.client_id, 'content', ${row}.content, 'metadata', ${row}.metadata, 'createdAt', ${row}.created_at, 'deletedAt', ${row}.deleted_at)`
