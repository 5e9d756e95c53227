import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { UserParams } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { bobSummary } from '../users/examples.ts'
import { BlockedUser } from '../users/schemas.ts'

export const block = defineOperation({
  operationId: 'users.block',
  method: 'PUT',
  path: '/v1/users/{userId}/block',
  summary: 'Block a user',
  description:
    'A blocked user can neither write to you directly nor see your presence: what they send, and typing, is `forbidden` in your direct conversation, which both can still read, and so is bringing you into a group. You can write to them as before, and groups of which you both are members go on as they are. Blocking twice changes nothing.',
  access: 'user',
  rateLimit: 'default',
  params: UserParams,
  responses: {
    200: { description: 'The user is blocked', body: ref(BlockedUser), example: { user: bobSummary, blockedAt: '2026-11-20T10:00:00.000Z' } },
  },
  errors: ['not_found', 'conflict'],
})

export const unblock = defineOperation({
  operationId: 'users.unblock',
  method: 'DELETE',
  path: '/v1/users/{userId}/block',
  summary: 'Unblock a user',
  access: 'user',
  rateLimit: 'default',
  params: UserParams,
  responses: { 204: { description: 'The user is not blocked, or not any more' } },
  errors: ['not_found'],
})

export const listBlocked = defineOperation({
  operationId: 'users.listBlocked',
  method: 'GET',
  path: '/v1/users/me/blocked',
  summary: 'List whom you have blocked',
  description: 'Those whom you blocked last come first.',
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({ limit: limit(100, 50), cursor: Type.Optional(Cursor) }),
  responses: {
    200: {
      description: 'A page of blocked users',
      body: page(ref(BlockedUser)),
      example: { items: [{ user: bobSummary, blockedAt: '2026-11-20T10:00:00.000Z' }], nextCursor: null, hasMore: false },
    },
  },
  errors: [],
})
