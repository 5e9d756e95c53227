import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { ConversationId } from '../shared/ids.ts'
import { MarkReadRequest, ReadMark } from './schemas.ts'

const ConversationParams = Type.Object({ conversationId: ConversationId })

export const markRead = defineOperation({
  operationId: 'conversations.markRead',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/read',
  summary: 'Mark as read up to a message',
  description: 'The members are told (event `read`); neither `updatedAt` nor the place in the list changes.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(MarkReadRequest),
  examples: { any: { seq: 41 } },
  responses: { 200: { description: 'Where the mark stands', body: ref(ReadMark), example: { readSeq: 41, readRanges: [], unreadCount: 0 } } },
  errors: ['not_found'],
})
