import type * as auditOperations from '../../../openapi/admin/audit-operations.ts'
import type * as operations from '../../../openapi/security/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { parseTimestamp } from '../../timestamps.ts'
import { serializeAuditLogEntry, serializeEvent, serializeStats } from './serialize.ts'
import type { SecurityService } from './service.ts'

export const securityRoutes = (security: SecurityService): Handlers<typeof operations> => ({
  'security.listEvents': async ({ actor, query }) => {
    const { rows, nextCursor } = await security.listEvents(actor, { ...query, ...rangeOf(query) })
    return { items: rows.map(serializeEvent), nextCursor, hasMore: nextCursor !== null }
  },
  'security.getStats': async ({ actor, query }) => serializeStats(await security.getStats(actor, { userId: query.userId, ...rangeOf(query) })),
})

export const auditRoutes = (security: SecurityService): Handlers<typeof auditOperations> => ({
  'admin.listAuditLog': async ({ query }) => {
    const { rows, nextCursor } = await security.listAuditLog({ ...query, ...rangeOf(query) })
    return { items: rows.map(serializeAuditLogEntry), nextCursor, hasMore: nextCursor !== null }
  },
})

const rangeOf = ({ from, to }: { from?: string; to?: string }) => ({
  from: from === undefined ? undefined : parseTimestamp(from, 'query.from'),
  to: to === undefined ? undefined : parseTimestamp(to, 'query.to'),
})
