import { and, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm'
import type { AuditAction, SecurityEventType, Severity } from '../../../openapi/security/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type AuditLogRow, auditLog, type SecurityEventRow, securityEvents } from '../../db/schema/security.ts'
import { isBefore } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'

/** From the first moment on, up to and without the second. */
export interface TimeRange {
  from?: Date | undefined
  to?: Date | undefined
}

export interface EventSelection extends TimeRange {
  userId?: UserId | undefined
  type?: SecurityEventType | undefined
  severity?: Severity | undefined
}

export interface AuditSelection extends TimeRange {
  action?: AuditAction | undefined
  actorId?: UserId | undefined
  targetId?: UserId | undefined
}

interface Position {
  before: TimePosition | undefined
  limit: number
}

/** How many events of one type there were on one day. */
export interface EventCount {
  type: SecurityEventType
  severity: Severity
  /** In UTC: `2026-11-20`. */
  day: string
  count: number
}

export type SecurityRepository = ReturnType<typeof createSecurityRepository>

export const createSecurityRepository = (db: Executor) => ({
  async insertEvent(event: typeof securityEvents.$inferInsert, executor: Executor = db): Promise<void> {
    await executor.insert(securityEvents).values(event)
  },

  async insertAuditLogEntry(entry: typeof auditLog.$inferInsert, executor: Executor): Promise<void> {
    await executor.insert(auditLog).values(entry)
  },

  /** The newest first. */
  async listEvents(selection: EventSelection, { before, limit }: Position): Promise<SecurityEventRow[]> {
    return db
      .select()
      .from(securityEvents)
      .where(and(isSelected(selection), isBefore(securityEvents, before)))
      .orderBy(desc(securityEvents.createdAt), desc(securityEvents.id))
      .limit(limit)
  },

  async count(selection: EventSelection, executor: Executor): Promise<number> {
    return executor.$count(securityEvents, isSelected(selection))
  },

  async countEvents(selection: EventSelection): Promise<EventCount[]> {
    const day = sql<string>`to_char(${securityEvents.createdAt} at time zone 'UTC', 'YYYY-MM-DD')`
    const { type, severity } = securityEvents
    return db.select({ type, severity, day, count: sql<number>`count(*)` }).from(securityEvents).where(isSelected(selection)).groupBy(type, severity, sql`3`)
  },

  /** The oldest first, those that nobody else deletes. @returns how many there were */
  async deleteEvents(before: Date, limit: number): Promise<number> {
    const old = db
      .select({ id: securityEvents.id })
      .from(securityEvents)
      .where(lt(securityEvents.createdAt, before))
      .orderBy(securityEvents.createdAt)
      .limit(limit)
      .for('update', { skipLocked: true })
    const { rowCount } = await db.delete(securityEvents).where(inArray(securityEvents.id, old))
    return rowCount ?? 0
  },

  async deleteEventsOf(userId: UserId, executor: Executor): Promise<void> {
    await executor.delete(securityEvents).where(eq(securityEvents.userId, userId))
  },

  /** The newest first. */
  async listAuditLog({ action, actorId, targetId, ...range }: AuditSelection, { before, limit }: Position): Promise<AuditLogRow[]> {
    const isWanted = [action && eq(auditLog.action, action), actorId && eq(auditLog.actorId, actorId), targetId && eq(auditLog.targetId, targetId)]
    return db
      .select()
      .from(auditLog)
      .where(and(...isWanted, isWithin(auditLog.createdAt, range), isBefore(auditLog, before)))
      .orderBy(desc(auditLog.createdAt), desc(auditLog.id))
      .limit(limit)
  },
})

const isSelected = ({ userId, type, severity, ...range }: EventSelection): SQL | undefined =>
  and(
    userId && eq(securityEvents.userId, userId),
    type && eq(securityEvents.type, type),
    severity && eq(securityEvents.severity, severity),
    isWithin(securityEvents.createdAt, range),
  )

const isWithin = (column: typeof securityEvents.createdAt | typeof auditLog.createdAt, { from, to }: TimeRange): SQL | undefined =>
  and(from && gte(column, from), to && lt(column, to))
