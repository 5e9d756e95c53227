import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { AuditAction, AuditLogEntry } from '../security/schemas.ts'
import { UserId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { storableText, Timestamp } from '../shared/scalars.ts'
import { aliceForAdmins, ids } from '../users/examples.ts'
import { AdminUser, Role } from '../users/schemas.ts'

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
  params: Type.Object({ userId: UserId }),
  responses: { 200: { description: 'All of the user', body: ref(AdminUser), example: aliceForAdmins } },
  errors: ['not_found'],
})

export const listAuditLog = defineOperation({
  operationId: 'admin.listAuditLog',
  method: 'GET',
  path: '/v1/admin/audit-log',
  summary: 'List what administrators did',
  description: 'The newest first.',
  access: 'admin',
  rateLimit: 'default',
  query: Type.Object({
    action: Type.Optional(AuditAction),
    actorId: Type.Optional(described(UserId, 'Only what this administrator did')),
    targetId: Type.Optional(described(UserId, 'Only what was done to this user')),
    from: Type.Optional(described(Timestamp, 'Only then or later: ISO 8601')),
    to: Type.Optional(described(Timestamp, 'Only before: ISO 8601')),
    limit: limit(100, 50),
    cursor: Type.Optional(Cursor),
  }),
  responses: {
    200: {
      description: 'A page of the audit log',
      body: page(ref(AuditLogEntry)),
      example: {
        items: [
          {
            id: '01890a5d-ac96-774b-bcce-b302099a8060',
            action: 'user.suspend',
            actorId: ids.alice,
            targetId: ids.bob,
            ip: '192.0.2.7',
            reason: 'Spam',
            metadata: {},
            createdAt: '2026-11-20T10:00:00.000Z',
          },
        ],
        nextCursor: null,
        hasMore: false,
      },
    },
  },
  errors: [],
})
