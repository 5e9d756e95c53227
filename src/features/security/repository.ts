import type { Executor } from '../../db/executor.ts'
import { auditLog, securityEvents } from '../../db/schema/security.ts'

export type SecurityRepository = ReturnType<typeof createSecurityRepository>

export const createSecurityRepository = (db: Executor) => ({
  async insertEvent(event: typeof securityEvents.$inferInsert, executor: Executor = db): Promise<void> {
    await executor.insert(securityEvents).values(event)
  },

  async insertAuditLogEntry(entry: typeof auditLog.$inferInsert, executor: Executor): Promise<void> {
    await executor.insert(auditLog).values(entry)
  },
})
