/** Every kind of id is a type of its own, so that one cannot be passed for another. All are UUIDs, version 7 where the server makes them. */
import { Type } from '@sinclair/typebox'

declare const brand: unique symbol
type Id<Name extends string> = string & { readonly [brand]: Name }

/** One id is one string: in another spelling (upper case, `urn:uuid:`) it would be another key of a cursor or a topic. */
export const canonicalUuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

const id = <Name extends string>(description: string) => Type.Unsafe<Id<Name>>({ type: 'string', format: 'uuid', pattern: canonicalUuid, description })

export type UserId = Id<'User'>
export const UserId = id<'User'>('Id of a user')
/** Of the operations on one user. */
export const UserParams = Type.Object({ userId: UserId })

export type SessionId = Id<'Session'>
export const SessionId = id<'Session'>('Id of a session: one sign-in on one device, with all the tokens that follow from it')

export type ConversationId = Id<'Conversation'>
export const ConversationId = id<'Conversation'>('Id of a conversation')
/** Of the operations on one conversation. */
export const ConversationParams = Type.Object({ conversationId: ConversationId })

export type MessageId = Id<'Message'>
export const MessageId = id<'Message'>('Id of a message')
/** Of the operations on one message. */
export const MessageParams = Type.Object({ messageId: MessageId })

export type InviteId = Id<'Invite'>
export const InviteId = id<'Invite'>('Id of an invite')

export type FileId = Id<'File'>
export const FileId = id<'File'>('Id of a file')

export type ApiKeyId = Id<'ApiKey'>
export const ApiKeyId = id<'ApiKey'>('Id of an API key')

export type SecurityEventId = Id<'SecurityEvent'>
export const SecurityEventId = id<'SecurityEvent'>('Id of a security event')

export type AuditLogEntryId = Id<'AuditLogEntry'>
export const AuditLogEntryId = id<'AuditLogEntry'>('Id of an entry of the audit log')
