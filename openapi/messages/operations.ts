import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { ConversationParams, MessageId, MessageParams, UserId } from '../shared/ids.ts'
import { Cursor, countedPage, limit, paginationHeaders } from '../shared/pagination.ts'
import { Timestamp } from '../shared/scalars.ts'
import { ids } from '../users/examples.ts'
import { messageExample } from './examples.ts'
import { GetMessageResult, Message, MessageStatus, MessageType, SendDirectMessageRequest, SendMessageRequest, SendMessageResult } from './schemas.ts'

const idempotency =
  'The message is stored before the answer. Whoever writes has read what was said before: your read mark moves to the message. A retry with the same `clientId` (or `Idempotency-Key` header) returns the message that the first one stored, as it is now, whatever else it says; the same `clientId` for another conversation is a `conflict`. To somebody who has blocked you it is `forbidden`, and `not_found` to one whose account is erased. Of a message that was deleted meanwhile, a retry returns what is left of it. Attachments are sent with their message or not at all; `validation_error` for files that are not yours or were sent already.'

export const sendMessage = defineOperation({
  operationId: 'conversations.sendMessage',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/messages',
  summary: 'Send a message',
  description: `${idempotency} To a conversation that is archived or closed it is a \`conflict\`.`,
  access: 'user',
  rateLimit: 'messages',
  idempotent: true,
  params: ConversationParams,
  body: ref(SendMessageRequest),
  examples: {
    text: { content: messageExample.content, clientId: messageExample.clientId },
    files: { attachments: ['0193a1b2-0000-7000-8000-0000000000f1'], clientId: messageExample.clientId },
  },
  responses: { 201: { description: 'The stored message', body: ref(SendMessageResult), example: { message: messageExample } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const listMessages = defineOperation({
  operationId: 'messages.list',
  method: 'GET',
  path: '/v1/conversations/{conversationId}/messages',
  summary: 'List messages',
  description:
    'Newest first. `before` a message pages towards the past; `after` a message pages towards the present, oldest first. `cursor` continues the page it came from, of the same conversation. A message id that is not in this conversation, or is from before what you may see of it, is `not_found`. With `status`, `type` or `senderId` at most 10,000 messages are looked at for one page, fewer in large groups: a page may then be short, or empty, while `hasMore` is true. Go on until it is false.',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  query: Type.Object({
    before: Type.Optional(described(MessageId, 'Messages older than this one, newest first')),
    after: Type.Optional(described(MessageId, 'Messages newer than this one, oldest first')),
    cursor: Type.Optional(Cursor),
    limit: limit(100, 50),
    status: Type.Optional(described(MessageStatus, 'Only messages that have come just as far')),
    type: Type.Optional(described(MessageType, 'Only messages of this type')),
    senderId: Type.Optional(described(UserId, 'Only messages of this sender')),
    from: Type.Optional(described(Timestamp, 'Only then or later: ISO 8601')),
    to: Type.Optional(described(Timestamp, 'Only before: ISO 8601')),
    includeTotal: Type.Optional(
      Type.Boolean({
        description:
          'Whether to say how many messages fit, what is left of deleted ones among them, as in the list: as `total`, and in headers. With `status`, `type` or `senderId` it is those among the newest messages that one page looks at',
      }),
    ),
  }),
  responses: {
    200: {
      description: 'A page of messages',
      body: countedPage(ref(Message), { description: 'How many fit and you may see, where `includeTotal` asks for it' }),
      example: { items: [messageExample], nextCursor: 'YjQx', hasMore: true },
      headers: paginationHeaders,
    },
  },
  errors: ['not_found'],
})

export const getMessage = defineOperation({
  operationId: 'messages.get',
  method: 'GET',
  path: '/v1/messages/{messageId}',
  summary: 'Get a message',
  access: 'user',
  rateLimit: 'default',
  params: MessageParams,
  responses: {
    200: { description: 'The message, and how far it has come', body: ref(GetMessageResult), example: { message: messageExample, status: 'delivered' } },
  },
  errors: ['not_found'],
})

export const sendDirectMessage = defineOperation({
  operationId: 'messages.send',
  method: 'POST',
  path: '/v1/messages',
  summary: 'Send a message to a user',
  description: `Finds or makes the direct conversation with the recipient, and makes one that is archived or closed active again. ${idempotency}`,
  access: 'user',
  rateLimit: 'messages',
  idempotent: true,
  body: ref(SendDirectMessageRequest),
  examples: { text: { recipientId: ids.bob, content: messageExample.content, clientId: messageExample.clientId } },
  responses: { 201: { description: 'The stored message', body: ref(SendMessageResult), example: { message: messageExample } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})
