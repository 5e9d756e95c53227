/** What was done to accounts, by whom and from where: security events for the users themselves, the audit log for what administrators do. */
import { index, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { AuditAction, EventMetadata, SecurityEventType, Severity } from '../../../openapi/security/schemas.ts'
import type { AuditLogEntryId, SecurityEventId, UserId } from '../../../openapi/shared/ids.ts'
import { users } from './users.ts'

export const securityEvents = pgTable(
  'security_events',
  {
    id: uuid().$type<SecurityEventId>().primaryKey(),
    type: text().$type<SecurityEventType>().notNull(),
    severity: text().$type<Severity>().notNull(),
    /** Whose account it is about; null where that is nobody's. */
    userId: uuid()
      .$type<UserId>()
      .references(() => users.id, { onDelete: 'cascade' }),
    ip: text(),
    metadata: jsonb().$type<EventMetadata>().notNull().default({}),
    createdAt: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    index('security_events_user').on(table.userId, table.createdAt, table.id),
    index('security_events_created_at').on(table.createdAt, table.id),
    index('security_events_type').on(table.type, table.createdAt, table.id),
    index('security_events_severity').on(table.severity, table.createdAt, table.id),
  ],
)

export type SecurityEventRow = typeof securityEvents.$inferSelect

export const auditLog = pgTable(
  'audit_log',
  {
    id: uuid().$type<AuditLogEntryId>().primaryKey(),
    action: text().$type<AuditAction>().notNull(),
    /** Null for what was done on the server's own command line. */
    actorId: uuid()
      .$type<UserId>()
      .references(() => users.id),
    targetId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    ip: text(),
    reason: text(),
    /** What was set to what; never a secret. */
    metadata: jsonb().$type<EventMetadata>().notNull().default({}),
    createdAt: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    index('audit_log_created_at').on(table.createdAt, table.id),
    index('audit_log_target').on(table.targetId, table.createdAt, table.id),
    index('audit_log_actor').on(table.actorId, table.createdAt, table.id),
  ],
)

export type AuditLogRow = typeof auditLog.$inferSelect
