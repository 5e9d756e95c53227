import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { AuditAction, AuditLogEntry } from '../security/schemas.ts'
import { UserId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { Timestamp } from '../shared/scalars.ts'
import { ids } from '../users/examples.ts'

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
