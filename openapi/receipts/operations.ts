import { defineOperation, ref } from '../contract.ts'
import { ConversationParams } from '../shared/ids.ts'
import { DeliveryMark, deliveryMembers, MarkDeliveredRequest, MarkReadRequest, ReadMark } from './schemas.ts'

export const markRead = defineOperation({
  operationId: 'conversations.markRead',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/read',
  summary: 'Mark as read up to a message',
  description:
    'What was marked one by one beyond it melts into it. The members are told (event `read`); neither `updatedAt` nor the place in the list changes.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(MarkReadRequest),
  examples: { any: { seq: 41 } },
  responses: { 200: { description: 'Where the mark stands', body: ref(ReadMark), example: { readSeq: 41, readRanges: [], unreadCount: 0 } } },
  errors: ['not_found'],
})

export const markDelivered = defineOperation({
  operationId: 'conversations.markDelivered',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/delivered',
  summary: 'Say up to where messages have reached your device',
  description: `The members are told (event \`delivered\`). In conversations of more than ${deliveryMembers} members nothing is marked and nobody told, since each of many members would be told of each of the others: the answer is what stands.`,
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(MarkDeliveredRequest),
  examples: { any: { seq: 41 } },
  responses: { 200: { description: 'Where the mark stands', body: ref(DeliveryMark), example: { deliveredSeq: 41 } } },
  errors: ['not_found'],
})
