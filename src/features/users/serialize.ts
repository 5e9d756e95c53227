import type { User, UserSummary } from '../../../openapi/users/schemas.ts'
import type { UserRow } from '../../db/schema/users.ts'

/** For the user alone. */
export const serializeUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  emailVerified: row.emailVerifiedAt !== null,
  username: row.username,
  displayName: row.displayName,
  firstName: row.firstName,
  lastName: row.lastName,
  phone: row.phone,
  companyCustomerId: row.companyCustomerId,
  role: row.role,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** For everybody else. */
export const serializeUserSummary = (row: Pick<UserRow, 'id' | 'username' | 'displayName'>): UserSummary => ({
  id: row.id,
  username: row.username,
  displayName: row.displayName,
})
