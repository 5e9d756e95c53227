import { type Static, Type } from '@sinclair/typebox'
import { closed, component, nullable, oneOfWords, ref } from '../contract.ts'
import { ConversationId, MessageId, UserId } from '../shared/ids.ts'
import { ClientId, Metadata, Sequence, storableText, Timestamp } from '../shared/scalars.ts'

const MessageContent = Type.String({ minLength: 1, maxLength: 10_000, pattern: storableText })

export const Message = component(
  'Message',
  Type.Object({
    id: MessageId,
    conversationId: ConversationId,
    seq: Type.Unsafe<number>({ ...Sequence, description: 'Position in the conversation: 1, 2, 3 … without holes; the order of messages' }),
    changeSeq: Type.Unsafe<number>({ ...Sequence, description: "The conversation's number of this message's last change" }),
    senderId: UserId,
    type: oneOfWords(['text']),
    content: Type.String(),
    clientId: nullable(Type.String({ description: 'The `clientId` it was sent with' })),
    metadata: Metadata,
    createdAt: Timestamp,
  }),
)
export type Message = Static<typeof Message>

const messageFields = {
  content: MessageContent,
  clientId: Type.Optional(ClientId),
  metadata: Type.Optional(Metadata),
}

export const SendMessageRequest = component('SendMessageRequest', closed(messageFields))
export type SendMessageRequest = Static<typeof SendMessageRequest>

export const SendDirectMessageRequest = component(
  'SendDirectMessageRequest',
  closed({
    recipientId: Type.Unsafe<UserId>({ ...UserId, description: 'Whom to write to; the direct conversation is found or made' }),
    ...messageFields,
  }),
)
export type SendDirectMessageRequest = Static<typeof SendDirectMessageRequest>

export const SendMessageResult = component('SendMessageResult', Type.Object({ message: ref(Message) }))
export type SendMessageResult = Static<typeof SendMessageResult>

export const sendMessageCommandFields = { conversationId: ConversationId, ...messageFields }
