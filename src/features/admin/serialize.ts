import type { AdminUser } from '../../../openapi/users/schemas.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { serializeUser } from '../users/serialize.ts'

/** For administrators. */
export const serializeAdminUser = (row: UserRow): AdminUser => ({
  ...serializeUser(row),
  suspendedAt: row.suspendedAt?.toISOString() ?? null,
  lastSeen: row.lastSeenAt?.toISOString() ?? null,
  deleted: row.erasedAt !== null,
})
