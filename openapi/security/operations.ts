import { Type } from '@sinclair/typebox'
import { defineOperation, described, ref } from '../contract.ts'
import { UserId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { Timestamp } from '../shared/scalars.ts'
import { ids } from '../users/examples.ts'
import { SecurityEvent, SecurityEventType, SecurityStats, Severity } from './schemas.ts'

const securityEventExample = {
  id: '01890a5d-ac96-774b-bcce-b302099a8061',
  type: 'refresh_token_reused',
  severity: 'critical',
  userId: ids.alice,
  ip: '192.0.2.7',
  metadata: { sessionId: '01890a5d-ac96-774b-bcce-b302099a8062' },
  createdAt: '2026-11-20T10:00:00.000Z',
}

const filters = {
  userId: Type.Optional(described(UserId, 'Only those about this user; others than administrators see their own only')),
  from: Type.Optional(described(Timestamp, 'Only then or later: ISO 8601')),
  to: Type.Optional(described(Timestamp, 'Only before: ISO 8601')),
}

export const listEvents = defineOperation({
  operationId: 'security.listEvents',
  method: 'GET',
  path: '/v1/security/events',
  summary: 'List security events',
  description: 'The newest first: those about yourself, or about everybody for administrators and their API keys of scope `admin`. They are kept for a year.',
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({
    type: Type.Optional(SecurityEventType),
    severity: Type.Optional(Severity),
    ...filters,
    limit: limit(100, 50),
    cursor: Type.Optional(Cursor),
  }),
  responses: {
    200: { description: 'A page of events', body: page(ref(SecurityEvent)), example: { items: [securityEventExample], nextCursor: null, hasMore: false } },
  },
  errors: ['not_found'],
})

export const getStats = defineOperation({
  operationId: 'security.getStats',
  method: 'GET',
  path: '/v1/security/stats',
  summary: 'Count security events',
  description:
    'By type, severity and day: those about yourself, or about everybody for administrators. Without `from` the last 30 days, today included; at most 366 days.',
  access: 'user',
  rateLimit: 'default',
  query: Type.Object(filters),
  responses: {
    200: {
      description: 'The counts',
      body: ref(SecurityStats),
      example: {
        total: 1,
        byType: { refresh_token_reused: 1 },
        bySeverity: { critical: 1, high: 0, medium: 0, low: 0 },
        byDay: [{ day: '2026-11-20', count: 1 }],
      },
    },
  },
  errors: ['not_found'],
})
