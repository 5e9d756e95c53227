import type { AdminUser } from '../../../openapi/users/schemas.ts'
import { serializeUser } from '../users/serialize.ts'
import type { AdministeredUser } from './service.ts'

/** For administrators. */
export const serializeAdminUser = (row: AdministeredUser): AdminUser => ({
  ...serializeUser(row),
  suspendedAt: row.suspendedAt?.toISOString() ?? null,
  lastSeen: row.lastSeen?.toISOString() ?? null,
  deleted: row.erasedAt !== null,
})
