import { Type } from '@sinclair/typebox'
import { RevokeAllResult } from '../auth/schemas.ts'
import { defineOperation, described, ref } from '../contract.ts'
import { UserParams } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { storableText, Timestamp } from '../shared/scalars.ts'
import { aliceForAdmins } from '../users/examples.ts'
import { AdminUser, RevokeUserSessionsRequest, Role } from '../users/schemas.ts'

export const listUsers = defineOperation({
  operationId: 'admin.listUsers',
  method: 'GET',
  path: '/v1/admin/users',
  summary: 'List users as an administrator',
  description: 'Those who registered last come first. Erased accounts are left out.',
  access: 'admin',
  rateLimit: 'default',
  query: Type.Object({
    search: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, pattern: storableText, description: 'Beginning of an e-mail address, username or display name' }),
    ),
    role: Type.Optional(described(Role, 'Only those with this role')),
    verified: Type.Optional(Type.Boolean({ description: 'Only those whose e-mail address is verified, or is not' })),
    suspended: Type.Optional(Type.Boolean({ description: 'Only those who are suspended, or are not' })),
    createdFrom: Type.Optional(described(Timestamp, 'Only those who registered then or later: ISO 8601')),
    createdTo: Type.Optional(described(Timestamp, 'Only those who registered before: ISO 8601')),
    limit: limit(100, 50),
    cursor: Type.Optional(Cursor),
  }),
  responses: {
    200: { description: 'A page of users', body: page(ref(AdminUser)), example: { items: [aliceForAdmins], nextCursor: null, hasMore: false } },
  },
  errors: [],
})

export const getUser = defineOperation({
  operationId: 'admin.getUser',
  method: 'GET',
  path: '/v1/admin/users/{userId}',
  summary: 'Get a user as an administrator',
  access: 'admin',
  rateLimit: 'default',
  params: UserParams,
  responses: { 200: { description: 'All of the user', body: ref(AdminUser), example: aliceForAdmins } },
  errors: ['not_found'],
})

export const revokeSessions = defineOperation({
  operationId: 'admin.revokeSessions',
  method: 'POST',
  path: '/v1/admin/users/{userId}/revoke-sessions',
  summary: 'End all sessions of a user',
  description: 'The user may sign in again; API keys stay as they are. It goes into the audit log.',
  access: 'admin',
  rateLimit: 'default',
  repeatable: true,
  params: UserParams,
  body: ref(RevokeUserSessionsRequest),
  examples: { any: { reason: 'A laptop was stolen' } },
  responses: { 200: { description: 'They have ended', body: ref(RevokeAllResult), example: { revokedCount: 2 } } },
  errors: ['not_found'],
})
