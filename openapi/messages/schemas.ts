import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { ConversationId, FileId, MessageId, UserId } from '../shared/ids.ts'
import { ClientId, Count, Metadata, Sequence, storableText, Timestamp } from '../shared/scalars.ts'

export const MessageContent = Type.String({ minLength: 1, maxLength: 10_000, pattern: storableText, description: 'The text: 1–10,000 characters' })

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

export const Emoji = Type.String({ minLength: 1, maxLength: 64, pattern: storableText, description: 'One emoji, or a word of your own such as `:ship-it:`' })

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
      excerpt: nullable(Type.String({ description: 'The first 100 characters of what it says now; null once it is deleted' })),
    },
    { description: 'The message that is answered, as it is now. When it is edited or deleted, its answers change with it' },
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
      clientId: nullable(Type.String({ description: 'The `clientId` it was sent with; null when it was sent without' })),
      metadata: Metadata,
      replyTo: Type.Union([ref(ReplyTo), Type.Null()], { description: 'What it answers; null when that is nothing, or older than the group keeps messages' }),
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

const messageFields = {
  content: MessageContent,
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
  Type.Object({ message: described(ref(Message), 'As it is stored; of a retry, the first one') }, { description: 'What came of a send' }),
)
export type SendMessageResult = Static<typeof SendMessageResult>

export const sendMessageCommandFields = { conversationId: ConversationId, ...messageFields }
