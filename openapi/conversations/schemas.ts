import { type Static, Type } from '@sinclair/typebox'
import { closed, component, nullable, oneOfWords, ref } from '../contract.ts'
import { Message } from '../messages/schemas.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { ClientId, Count, Sequence, storableText, Timestamp } from '../shared/scalars.ts'
import { UserSummary } from '../users/schemas.ts'

export const ConversationType = oneOfWords(['direct', 'group'])
export type ConversationType = Static<typeof ConversationType>

export const MemberRole = oneOfWords(['owner', 'admin', 'member'])
export type MemberRole = Static<typeof MemberRole>

const Title = Type.String({ minLength: 1, maxLength: 200, pattern: storableText })
const ReadSeq = Type.Unsafe<number>({ ...Sequence, description: 'Every message up to this `seq` is read' })

export const Member = component(
  'Member',
  Type.Object({
    user: ref(UserSummary),
    role: MemberRole,
    readSeq: ReadSeq,
    joinedAt: Timestamp,
  }),
)
export type Member = Static<typeof Member>

/** What is the same for every member: the payload of `conversation.updated`. */
const conversationFields = {
  id: ConversationId,
  type: ConversationType,
  title: nullable(Type.String({ description: 'Null in direct conversations and where none was given' })),
  createdBy: UserId,
  createdAt: Timestamp,
}

export const ConversationState = component('ConversationState', Type.Object(conversationFields))
export type ConversationState = Static<typeof ConversationState>

export const Conversation = component(
  'Conversation',
  Type.Object({
    ...conversationFields,
    role: Type.Unsafe<MemberRole>({ ...MemberRole, description: 'Your own' }),
    memberCount: Count,
    members: Type.Array(ref(Member), { description: 'The first 10 who joined; `conversations.listMembers` has all' }),
    lastMessage: Type.Union([ref(Message), Type.Null()]),
    lastSeq: Type.Unsafe<number>({ ...Sequence, description: '`seq` of the newest message; 0 when there is none' }),
    changeSeq: Type.Unsafe<number>({ ...Sequence, description: 'Number of the last change: a cursor for the socket and for `sync.pull`' }),
    readSeq: Type.Unsafe<number>({ ...ReadSeq, description: 'Up to where you have read' }),
    unreadCount: Type.Unsafe<number>({ ...Count, description: 'Exactly how many messages you have not read' }),
    updatedAt: Type.Unsafe<string>({ ...Timestamp, description: 'Time of the last message or change' }),
  }),
)
export type Conversation = Static<typeof Conversation>

export const CreateConversationRequest = component(
  'CreateConversationRequest',
  closed({
    type: ConversationType,
    memberIds: Type.Array(UserId, { maxItems: 100, uniqueItems: true, description: 'The others; exactly one in a direct conversation' }),
    title: Type.Optional(Type.Unsafe<string>({ ...Title, description: 'Groups only' })),
    clientId: Type.Optional(ClientId),
  }),
)
export type CreateConversationRequest = Static<typeof CreateConversationRequest>

export const ConversationResult = component('ConversationResult', Type.Object({ conversation: ref(Conversation) }))
export type ConversationResult = Static<typeof ConversationResult>

export const UpdateConversationRequest = component('UpdateConversationRequest', closed({ title: Title }))
export type UpdateConversationRequest = Static<typeof UpdateConversationRequest>

export const AddMembersRequest = component(
  'AddMembersRequest',
  closed({
    userIds: Type.Array(UserId, { minItems: 1, maxItems: 100, uniqueItems: true, description: 'Those who are members already stay as they are' }),
  }),
)

export const AddMembersResult = component('AddMembersResult', Type.Object({ members: Type.Array(ref(Member), { description: 'The named users, as members' }) }))
export type AddMembersResult = Static<typeof AddMembersResult>

export const UpdateMemberRequest = component('UpdateMemberRequest', closed({ role: MemberRole }))

export const MarkReadRequest = component(
  'MarkReadRequest',
  closed({
    seq: Type.Unsafe<number>({ ...Sequence, description: 'Every message up to this one is read; beyond the newest means the newest; a mark never moves back' }),
  }),
)

export const ReadMark = component('ReadMark', Type.Object({ readSeq: ReadSeq, unreadCount: Count }))
export type ReadMark = Static<typeof ReadMark>

export const SetTypingRequest = component('SetTypingRequest', closed({ typing: Type.Boolean() }))
