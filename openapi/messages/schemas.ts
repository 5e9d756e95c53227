import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { ConversationId, FileId, MessageId, UserId } from '../shared/ids.ts'
import { ClientId, Count, Metadata, Sequence, storableText, Timestamp, visibleLine } from '../shared/scalars.ts'
import { UserSummary } from '../users/schemas.ts'

const text = { maxLength: 10_000, pattern: storableText }

export const MessageContent = Type.String({ ...text, minLength: 1, description: 'The text: 1–10,000 characters' })

export const MessageType = oneOfWords(['text', 'file'], { description: '`file`: it has attachments; there may be more kinds later' })
export type MessageType = Static<typeof MessageType>

export const Attachment = component(
  'Attachment',
  Type.Object(
    {
      id: FileId,
      name: Type.String({ description: 'The name it was uploaded with, for display' }),
      contentType: Type.String({ description: 'What its bytes say it is' }),
      sizeBytes: described(Count, 'In bytes'),
      width: nullable(Type.Integer({ description: 'Of an image, in pixels, upright' })),
      height: nullable(Type.Integer({ description: 'Of an image, in pixels, upright' })),
      hasThumbnail: Type.Boolean({ description: 'Whether `files.getContent` has a small picture of it' }),
    },
    { description: 'A file of a message: `files.getContent` has its bytes' },
  ),
)
export type Attachment = Static<typeof Attachment>

export const maximumEmojiCharacters = 64

export const Emoji = Type.String({
  minLength: 1,
  maxLength: maximumEmojiCharacters,
  pattern: visibleLine,
  description:
    'One emoji, or a word of your own such as `:ship-it:`, of which something can be seen; two spellings of the same characters are one, of at most 64 characters (Unicode NFC)',
})

export const Reaction = component(
  'Reaction',
  Type.Object(
    {
      emoji: Type.String({ description: 'What was reacted with' }),
      count: described(Count, 'How many reacted with it'),
      userIds: Type.Array(UserId, { description: 'The first 20 of them; `messages.listReactions` has all' }),
    },
    { description: 'All reactions of one kind to a message' },
  ),
)
export type Reaction = Static<typeof Reaction>

export const ReplyTo = component(
  'ReplyTo',
  Type.Object(
    {
      messageId: MessageId,
      seq: described(Sequence, 'Its place in the conversation'),
      senderId: described(UserId, 'Who sent it'),
      excerpt: nullable(Type.String({ description: 'The first 100 characters (code points) of what it says; null once it is deleted' })),
    },
    {
      description:
        'The message that is answered, as it is when you read this. Its later changes are told of it, not of its answers: whoever keeps messages takes a new `excerpt` from the `message.updated` or `message.deleted` whose message is `messageId`',
    },
  ),
)
export type ReplyTo = Static<typeof ReplyTo>

export const Message = component(
  'Message',
  Type.Object(
    {
      id: MessageId,
      conversationId: ConversationId,
      seq: described(Sequence, 'Position in the conversation: 1, 2, 3 … without holes; the order of messages'),
      changeSeq: described(Sequence, "The conversation's number of this message's last change"),
      senderId: described(UserId, 'Who sent it'),
      type: MessageType,
      content: Type.String({ description: 'The text, exactly as it was sent, or edited last; may be empty where there are attachments' }),
      clientId: nullable(
        Type.String({
          description:
            'The `clientId` it was sent with; of the first message of `conversations.create` a name that follows from the one of the creation; null when there was none, or it is deleted',
        }),
      ),
      metadata: Metadata,
      replyTo: Type.Union([ref(ReplyTo), Type.Null()], {
        description: 'What it answers; null when that is nothing, or older than the group keeps messages or than you may see',
      }),
      mentions: Type.Array(UserId, { description: 'Whom it addresses' }),
      attachments: Type.Array(ref(Attachment), { description: 'Its files, in the order in which they were given' }),
      reactions: Type.Array(ref(Reaction), { description: 'By kind, in the order in which each was first used' }),
      createdAt: described(Timestamp, 'When the server stored it: ISO 8601, UTC, milliseconds; never earlier than that of the message before'),
      editedAt: nullable(described(Timestamp, 'When it was edited last: ISO 8601, UTC; null for one that was not')),
      deletedAt: nullable(described(Timestamp, 'When it was deleted, and all that it held with it: ISO 8601, UTC; null for one that was not')),
    },
    { description: 'A message, as it is stored' },
  ),
)
export type Message = Static<typeof Message>

export const MessageStatus = oneOfWords(['sent', 'delivered', 'read'], {
  description: '`delivered`: it has reached a device of every other member; `read`: every other member has read it, which implies the former',
})
export type MessageStatus = Static<typeof MessageStatus>

const Mentions = Type.Array(UserId, { maxItems: 50, uniqueItems: true, description: 'Whom it addresses: members of the conversation, up to 50' })

const messageFields = {
  content: Type.Optional(Type.String({ ...text, description: 'The text: up to 10,000 characters; empty or left out only where there are attachments' })),
  attachments: Type.Optional(
    Type.Array(FileId, {
      minItems: 1,
      maxItems: 10,
      uniqueItems: true,
      description: "Files that you have uploaded and not sent yet, up to 10: they become this message's",
    }),
  ),
  replyTo: Type.Optional(described(MessageId, 'The message that it answers: one of this conversation that you can see and that is not deleted')),
  mentions: Type.Optional(Mentions),
  clientId: Type.Optional(ClientId),
  metadata: Type.Optional(Metadata),
}

export const SendMessageRequest = component('SendMessageRequest', closed(messageFields, { description: 'A message to a conversation' }))
export type SendMessageRequest = Static<typeof SendMessageRequest>

export const SendDirectMessageRequest = component(
  'SendDirectMessageRequest',
  closed(
    {
      recipientId: described(UserId, 'Whom to write to; the direct conversation is found or made'),
      ...messageFields,
    },
    { description: 'A message to a user' },
  ),
)
export type SendDirectMessageRequest = Static<typeof SendDirectMessageRequest>

export const SendMessageResult = component(
  'SendMessageResult',
  Type.Object(
    {
      message: described(
        ref(Message),
        'As it is stored; of a retry, the first one as it is now, and without `replyTo` and `reactions` for whoever does not see it any more: who is no member, or came back to a group that shows what is said since',
      ),
    },
    { description: 'What came of a send' },
  ),
)
export type SendMessageResult = Static<typeof SendMessageResult>

export const sendMessageCommandFields = { conversationId: ConversationId, ...messageFields }

export const MessageResult = component(
  'MessageResult',
  Type.Object({ message: described(ref(Message), 'As it is now') }, { description: 'The message that was asked for' }),
)
export type MessageResult = Static<typeof MessageResult>

export const GetMessageResult = component(
  'GetMessageResult',
  Type.Object(
    {
      message: described(ref(Message), 'As it is now'),
      status: described(
        MessageStatus,
        'The least that any of the other members has; `sent` where there are none. `messages.listReceipts` has it member by member',
      ),
    },
    { description: 'The message that was asked for, and how far it has come' },
  ),
)
export type GetMessageResult = Static<typeof GetMessageResult>

export const UpdateMessageRequest = component(
  'UpdateMessageRequest',
  closed(
    {
      content: Type.Optional(Type.String({ ...text, description: 'The new text: up to 10,000 characters; empty only where there are attachments' })),
      metadata: Type.Optional(described(Metadata, 'Up to 50 entries of your own, in place of those that there are')),
      mentions: Type.Optional(described(Mentions, 'Whom it addresses from now on: members of the conversation, up to 50')),
    },
    { minProperties: 1, description: 'What to change; what is left out stays' },
  ),
)
export type UpdateMessageRequest = Static<typeof UpdateMessageRequest>

export const MessageVersion = component(
  'MessageVersion',
  Type.Object(
    {
      version: Type.Integer({ minimum: 1, description: '1 is what was sent' }),
      content: Type.String({ description: 'What it said' }),
      metadata: Metadata,
      mentions: Type.Array(UserId, { description: 'Whom it addressed' }),
      createdAt: described(Timestamp, 'When it was written: ISO 8601, UTC, milliseconds'),
    },
    { description: 'What a message said before it was edited' },
  ),
)
export type MessageVersion = Static<typeof MessageVersion>

export const UserReaction = component(
  'UserReaction',
  Type.Object(
    {
      emoji: Type.String({ description: 'What was reacted with' }),
      user: described(ref(UserSummary), 'Who reacted'),
      createdAt: described(Timestamp, 'When: ISO 8601, UTC, milliseconds'),
    },
    { description: "One member's reaction to a message" },
  ),
)
export type UserReaction = Static<typeof UserReaction>
