import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { MessageId, MessageParams } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { ids } from '../users/examples.ts'
import { messageExample, reactionExample } from './examples.ts'
import { Emoji, MessageResult, UserReaction } from './schemas.ts'

const ReactionParams = Type.Object({ messageId: MessageId, emoji: Emoji })

export const addReaction = defineOperation({
  operationId: 'messages.addReaction',
  method: 'PUT',
  path: '/v1/messages/{messageId}/reactions/{emoji}',
  summary: 'React to a message',
  description:
    'Reacting again with the same changes nothing. A `conflict` when the message is deleted, has reactions of 20 kinds and this would be one more, or the conversation is archived or closed; `forbidden` in a direct conversation whose other member has blocked you.',
  access: 'user',
  rateLimit: 'default',
  params: ReactionParams,
  responses: {
    200: {
      description: 'The message as it is now',
      body: ref(MessageResult),
      example: { message: { ...messageExample, changeSeq: 58, reactions: [{ emoji: '👍', count: 1, userIds: [ids.bob] }] } },
    },
  },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const removeReaction = defineOperation({
  operationId: 'messages.removeReaction',
  method: 'DELETE',
  path: '/v1/messages/{messageId}/reactions/{emoji}',
  summary: 'Take back a reaction',
  description: 'Your own; one that is not there is none to take back, which is no error.',
  access: 'user',
  rateLimit: 'default',
  params: ReactionParams,
  responses: { 204: { description: 'You have not reacted with this, or not any more' } },
  errors: ['not_found'],
})

export const listReactions = defineOperation({
  operationId: 'messages.listReactions',
  method: 'GET',
  path: '/v1/messages/{messageId}/reactions',
  summary: 'List who reacted to a message',
  description: 'Kind by kind, and within a kind in the order in which they came.',
  access: 'user',
  rateLimit: 'default',
  params: MessageParams,
  query: Type.Object({ emoji: Type.Optional(described(Emoji, 'Only reactions of this kind')), cursor: Type.Optional(Cursor), limit: limit(100, 50) }),
  responses: {
    200: { description: 'A page of reactions', body: page(ref(UserReaction)), example: { items: [reactionExample], nextCursor: null, hasMore: false } },
  },
  errors: ['not_found'],
})
