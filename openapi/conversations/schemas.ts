import { type Static, type TProperties, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { Message, MessageContent } from '../messages/schemas.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { ClientId, Count, Metadata, Sequence, storableText, Timestamp, visibleText } from '../shared/scalars.ts'
import { UserSummary } from '../users/schemas.ts'

export const ConversationType = oneOfWords(['direct', 'group'], {
  description: '`direct`: two people, who have one such conversation; `group`: any number, with roles and a title',
})
export type ConversationType = Static<typeof ConversationType>

export const MemberRole = oneOfWords(['owner', 'admin', 'member'], {
  description:
    'In a group: owners do everything, and only they change roles and remove owners and admins; admins change and archive the group, add members, remove those who are neither, invite, revoke invites of others, and delete messages of others; everybody reads, writes, leaves, and deletes what is their own',
})
export type MemberRole = Static<typeof MemberRole>

export const ConversationStatus = oneOfWords(['active', 'archived', 'closed'], {
  description: '`active`: all goes on; `closed`: it can be read and is listed; `archived`: it can be read and is listed where that is asked for',
})
export type ConversationStatus = Static<typeof ConversationStatus>

export const HistoryVisibility = oneOfWords(['all', 'sinceJoined'], {
  description: 'What those who join from now on may read: everything, or what is said after they joined. Whoever is a member keeps what they could read',
})
export type HistoryVisibility = Static<typeof HistoryVisibility>

const optional = <T extends TProperties>(fields: T) => Type.Partial(Type.Object(fields)).properties

/** What members choose about a conversation. */
const settings = {
  title: Type.String({ minLength: 1, maxLength: 200, pattern: visibleText, description: 'Groups only: 1–200 characters, of which some can be seen' }),
  description: Type.String({ minLength: 1, maxLength: 2_000, pattern: storableText, description: 'Groups only: what it is for, 1–2,000 characters' }),
  summary: Type.String({ minLength: 1, maxLength: 2_000, pattern: storableText, description: 'What was said so far, in short: 1–2,000 characters' }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 50, pattern: visibleText, description: '1–50 characters, of which some can be seen' }), {
    maxItems: 20,
    uniqueItems: true,
    description: 'Up to 20 words of your own, in order',
  }),
  metadata: Metadata,
  isPrivate: Type.Boolean({ description: 'Groups only: whether nobody finds it who is no member' }),
  allowInvites: Type.Boolean({ description: 'Groups only: whether every member may invite by link' }),
  historyVisibility: described(HistoryVisibility, 'Groups only: what those who join from now on may read'),
  messageRetentionDays: nullable(
    Type.Integer({ minimum: 1, maximum: 3_650, description: 'Groups only: messages are really deleted when they are this old; null: never' }),
  ),
}
export const ReadSeq = described(Sequence, 'Every message up to this `seq` is read')
/** Of one member in one conversation: all of them are written anew, and told, with each mark. */
export const maximumReadRanges = 100

export const ReadRanges = Type.Array(Type.Array(Sequence, { minItems: 2, maxItems: 2, description: 'First and last `seq` of a range' }), {
  maxItems: maximumReadRanges,
  description: 'What is read beyond `readSeq`, in order: `[[43, 43], [45, 47]]` are four messages',
})
export const DeliveredSeq = described(Sequence, 'Every message up to this `seq` has reached a device, as far as it said so')
const FirstSeq = described(
  Sequence,
  '`seq` of the oldest message that is kept; more than `lastSeq` when there is none. What is older is gone, and what answers it has no `replyTo` any more',
)
export const Muted = Type.Boolean({ description: 'You want no notifications of it' })
export const Pinned = Type.Boolean({ description: 'It stands first in your list where that is asked for' })
export const Typing = Type.Boolean({ description: 'False when it is over' })
export const UnreadCount = described(Count, 'Exactly how many messages you have not read, less those that are deleted')

export const Member = component(
  'Member',
  Type.Object(
    {
      user: described(ref(UserSummary), 'Who it is'),
      role: MemberRole,
      readSeq: described(Sequence, 'Every message up to this `seq` is read; what is read beyond it, `messages.listReceipts` says for each message'),
      deliveredSeq: DeliveredSeq,
      joinedAt: described(Timestamp, 'When the membership began: ISO 8601, UTC, milliseconds'),
    },
    { description: 'A member of a conversation' },
  ),
)
export type Member = Static<typeof Member>

/** What is the same for every member: the payload of `conversation.updated`. */
const conversationFields = {
  id: ConversationId,
  type: ConversationType,
  title: nullable(Type.String({ description: 'Null in direct conversations and where none was given' })),
  description: nullable(Type.String({ description: 'What a group is for; null where none was given' })),
  summary: nullable(Type.String({ description: 'What was said so far, in short, as a member or an application wrote it; null where nobody did' })),
  status: ConversationStatus,
  tags: Type.Array(Type.String(), { description: 'Words of your own, in order' }),
  metadata: Metadata,
  isPrivate: Type.Boolean({ description: 'False for a group that everybody finds and may join; otherwise one is added or invited' }),
  allowInvites: Type.Boolean({ description: 'Whether every member may invite by link; owners and admins may always' }),
  historyVisibility: HistoryVisibility,
  messageRetentionDays: nullable(Type.Integer({ description: 'Messages are deleted when they are this old; null: never' })),
  firstSeq: FirstSeq,
  createdBy: described(UserId, 'Who created it'),
  createdAt: described(Timestamp, 'When it was created: ISO 8601, UTC, milliseconds'),
}

export const ConversationState = component(
  'ConversationState',
  Type.Object(conversationFields, { description: 'What of a conversation is the same for every member' }),
)
export type ConversationState = Static<typeof ConversationState>

export const Conversation = component(
  'Conversation',
  Type.Object(
    {
      ...conversationFields,
      role: described(MemberRole, 'Your own role'),
      memberCount: described(Count, 'How many members there are, you included'),
      members: Type.Array(ref(Member), { description: 'The first 10 who joined; `conversations.listMembers` has all' }),
      lastMessage: Type.Union([ref(Message), Type.Null()], { description: 'The newest message; null when there is none' }),
      lastSeq: described(Sequence, '`seq` of the newest message; 0 when there is none'),
      messageCount: described(
        Count,
        'How many messages there are in the whole conversation, less those that are deleted; how many of them are for you to see, `messages.list` says as `total`',
      ),
      changeSeq: described(Sequence, 'Number of the last change, read marks included: a cursor for the socket and for `sync.pull`'),
      readSeq: described(ReadSeq, 'Up to where you have read'),
      readRanges: ReadRanges,
      muted: Muted,
      pinned: Pinned,
      unreadCount: UnreadCount,
      updatedAt: described(Timestamp, 'When there was last a message, or a change of the conversation or its members; read marks do not move it'),
    },
    { description: 'A conversation, as you see it' },
  ),
)
export type Conversation = Static<typeof Conversation>

export const CreateConversationRequest = component(
  'CreateConversationRequest',
  closed(
    {
      type: ConversationType,
      memberIds: Type.Array(UserId, { maxItems: 100, uniqueItems: true, description: 'The others; exactly one in a direct conversation' }),
      ...optional(settings),
      initialMessage: Type.Optional(
        closed(
          { content: described(MessageContent, 'What it says') },
          { description: 'The first message, from you; the conversation shows it as `lastMessage`' },
        ),
      ),
      clientId: Type.Optional(ClientId),
    },
    { description: 'A conversation to begin' },
  ),
)
export type CreateConversationRequest = Static<typeof CreateConversationRequest>

export const ConversationResult = component(
  'ConversationResult',
  Type.Object({ conversation: described(ref(Conversation), 'As it is now') }, { description: 'The conversation that was asked for' }),
)
export type ConversationResult = Static<typeof ConversationResult>

export const UpdateConversationRequest = component(
  'UpdateConversationRequest',
  closed(
    optional({
      ...settings,
      title: nullable(settings.title),
      description: nullable(settings.description),
      summary: nullable(settings.summary),
      status: ConversationStatus,
    }),
    { minProperties: 1, description: 'What to change; what is left out stays as it is' },
  ),
)
export type UpdateConversationRequest = Static<typeof UpdateConversationRequest>

export const Membership = component(
  'Membership',
  Type.Object({ muted: Muted, pinned: Pinned }, { description: 'What a conversation is to you and to nobody else' }),
)
export type Membership = Static<typeof Membership>

export const UpdateMembershipRequest = component(
  'UpdateMembershipRequest',
  closed(optional({ muted: Muted, pinned: Pinned }), { minProperties: 1, description: 'What to change' }),
)

export const AddMembersRequest = component(
  'AddMembersRequest',
  closed(
    {
      userIds: Type.Array(UserId, { minItems: 1, maxItems: 100, uniqueItems: true, description: 'Those who are members already stay as they are' }),
    },
    { description: 'Whom to add' },
  ),
)

export const AddMembersResult = component(
  'AddMembersResult',
  Type.Object({ members: Type.Array(ref(Member), { description: 'The named users, as members' }) }, { description: 'Who has been added' }),
)
export type AddMembersResult = Static<typeof AddMembersResult>

export const UpdateMemberRequest = component('UpdateMemberRequest', closed({ role: described(MemberRole, 'The new role') }, { description: 'What to change' }))

export const SetTypingRequest = component('SetTypingRequest', closed({ typing: Typing }, { description: 'Whether you are typing' }))
