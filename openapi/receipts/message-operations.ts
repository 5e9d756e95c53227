import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { maximumReadRanges } from '../conversations/schemas.ts'
import { conversationId, messageExample } from '../messages/examples.ts'
import { MessageStatus } from '../messages/schemas.ts'
import { MessageParams } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { bobSummary } from '../users/examples.ts'
import { MarkMessagesReadRequest, MarkMessagesReadResult, Receipt } from './schemas.ts'

export const markMessagesRead = defineOperation({
  operationId: 'messages.markRead',
  method: 'POST',
  path: '/v1/messages/read',
  summary: 'Mark messages as read',
  description: `Exactly these, of one or several conversations: all or, when you may not see one of them, none. What lies between them stays unread; as soon as nothing does, they melt into the mark of their conversation. A \`conflict\` when more than ${maximumReadRanges} ranges of a conversation would be marked so: mark up to a message with \`conversations.markRead\`.`,
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  body: ref(MarkMessagesReadRequest),
  examples: { any: { messageIds: [messageExample.id] } },
  responses: {
    200: {
      description: 'Where your marks stand',
      body: ref(MarkMessagesReadResult),
      example: { marks: [{ conversationId, readSeq: 38, readRanges: [[41, 41]], unreadCount: 2 }] },
    },
  },
  errors: ['not_found', 'conflict'],
})

export const listReceipts = defineOperation({
  operationId: 'messages.listReceipts',
  method: 'GET',
  path: '/v1/messages/{messageId}/receipts',
  summary: 'List how far a message has come',
  description:
    'Member by member, in the order in which they joined, without its sender and those for whom it is not, since they joined later. What is read is delivered.',
  access: 'user',
  rateLimit: 'default',
  params: MessageParams,
  query: Type.Object({ cursor: Type.Optional(Cursor), limit: limit(100, 50) }),
  responses: {
    200: {
      description: 'A page of receipts',
      body: Type.Object({
        ...page(ref(Receipt)).properties,
        status: described(MessageStatus, 'The least that any of all these members has; `sent` where there are none'),
      }),
      example: { items: [{ user: bobSummary, status: 'read' }], nextCursor: null, hasMore: false, status: 'read' },
    },
  },
  errors: ['not_found'],
})
