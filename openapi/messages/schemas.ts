import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { ConversationId, MessageId, UserId } from '../shared/ids.ts'
import { ClientId, Metadata, Sequence, storableText, Timestamp } from '../shared/scalars.ts'

const MessageContent = Type.String({ minLength: 1, maxLength: 10_000, pattern: storableText, description: 'The text: 1–10,000 characters' })

export const Message = component(
  'Message',
  Type.Object(
    {
      id: MessageId,
      conversationId: ConversationId,
      seq: described(Sequence, 'Position in the conversation: 1, 2, 3 … without holes; the order of messages'),
      changeSeq: described(Sequence, "The conversation's number of this message's last change"),
      senderId: described(UserId, 'Who sent it'),
      type: oneOfWords(['text'], { description: 'What kind of message it is; there may be more kinds later' }),
      content: Type.String({ description: 'The text, exactly as it was sent' }),
      clientId: nullable(Type.String({ description: 'The `clientId` it was sent with; null when it was sent without' })),
      metadata: Metadata,
      createdAt: described(Timestamp, 'When the server stored it: ISO 8601, UTC, milliseconds'),
      deletedAt: nullable(described(Timestamp, 'When it was deleted, and its content with it: ISO 8601, UTC; null for one that was not')),
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
