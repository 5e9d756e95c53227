import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { ConversationId, MessageId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { ids } from '../users/examples.ts'
import { messageExample } from './examples.ts'
import { Message, SendDirectMessageRequest, SendMessageRequest, SendMessageResult } from './schemas.ts'

const idempotency =
  'The message is stored before the answer. A retry with the same `clientId` (or `Idempotency-Key` header) returns the first result; the same `clientId` for another conversation is a `conflict`. To somebody who has blocked you it is `forbidden`, and `not_found` to one whose account is erased.'

export const sendMessage = defineOperation({
  operationId: 'conversations.sendMessage',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/messages',
  summary: 'Send a message',
  description: idempotency,
  access: 'user',
  rateLimit: 'messages',
  idempotent: true,
  params: Type.Object({ conversationId: ConversationId }),
  body: ref(SendMessageRequest),
  examples: { text: { content: messageExample.content, clientId: messageExample.clientId } },
  responses: { 201: { description: 'The stored message', body: ref(SendMessageResult), example: { message: messageExample } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const listMessages = defineOperation({
  operationId: 'messages.list',
  method: 'GET',
  path: '/v1/conversations/{conversationId}/messages',
  summary: 'List messages',
  description:
    'Newest first. `before` a message pages towards the past; `after` a message pages towards the present, oldest first. `cursor` continues the page it came from. A message id that is not in this conversation is `not_found`.',
  access: 'user',
  rateLimit: 'default',
  params: Type.Object({ conversationId: ConversationId }),
  query: Type.Object({
    before: Type.Optional(described(MessageId, 'Messages older than this one, newest first')),
    after: Type.Optional(described(MessageId, 'Messages newer than this one, oldest first')),
    cursor: Type.Optional(Cursor),
    limit: limit(100, 50),
  }),
  responses: { 200: { description: 'A page of messages', body: page(ref(Message)), example: { items: [messageExample], nextCursor: 'YjQx', hasMore: true } } },
  errors: ['not_found'],
})

export const sendDirectMessage = defineOperation({
  operationId: 'messages.send',
  method: 'POST',
  path: '/v1/messages',
  summary: 'Send a message to a user',
  description: `Finds or makes the direct conversation with the recipient. ${idempotency}`,
  access: 'user',
  rateLimit: 'messages',
  idempotent: true,
  body: ref(SendDirectMessageRequest),
  examples: { text: { recipientId: ids.bob, content: messageExample.content, clientId: messageExample.clientId } },
  responses: { 201: { description: 'The stored message', body: ref(SendMessageResult), example: { message: messageExample } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})
