/** What becomes of a message after it was sent. */
import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { MessageParams } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { messageExample, versionExample } from './examples.ts'
import { MessageResult, MessageVersion, UpdateMessageRequest } from './schemas.ts'

const edited = { ...messageExample, content: 'Shall we meet at one?', changeSeq: 58, editedAt: '2026-11-20T10:05:00.000Z' }

export const updateMessage = defineOperation({
  operationId: 'messages.update',
  method: 'PATCH',
  path: '/v1/messages/{messageId}',
  summary: 'Edit a message',
  description:
    'For its sender, while a member. What it said before is kept: `messages.listHistory`. Its answers show the beginning of what it says now, under the numbers that they have. A `conflict` when it is deleted, was edited 100 times, or the conversation is archived or closed; `forbidden` also in a direct conversation whose other member has blocked you. What changes nothing leaves it as it is.',
  access: 'user',
  rateLimit: 'messages',
  repeatable: true,
  params: MessageParams,
  body: ref(UpdateMessageRequest),
  examples: { content: { content: edited.content } },
  responses: { 200: { description: 'The message as it is now', body: ref(MessageResult), example: { message: edited } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const deleteMessage = defineOperation({
  operationId: 'messages.delete',
  method: 'DELETE',
  path: '/v1/messages/{messageId}',
  summary: 'Delete a message',
  description:
    'For its sender, and for owners and admins of a group. All that it held is gone for good: content, earlier versions, reactions, and files with their bytes; its number stays, so that the order has no hole. It can be deleted wherever it can be read, also in a conversation that is archived or closed. Deleting it again succeeds.',
  access: 'user',
  rateLimit: 'default',
  params: MessageParams,
  responses: { 204: { description: 'Deleted, now or before' } },
  errors: ['not_found', 'forbidden'],
})

export const listMessageHistory = defineOperation({
  operationId: 'messages.listHistory',
  method: 'GET',
  path: '/v1/messages/{messageId}/history',
  summary: 'List what a message said before',
  description: 'The latest first, without what it says now; for everybody who may read the message. Nothing for one that was never edited, or is deleted.',
  access: 'user',
  rateLimit: 'default',
  params: MessageParams,
  query: Type.Object({ cursor: Type.Optional(Cursor), limit: limit(100, 20) }),
  responses: {
    200: { description: 'A page of versions', body: page(ref(MessageVersion)), example: { items: [versionExample], nextCursor: null, hasMore: false } },
  },
  errors: ['not_found'],
})
