import { avatarsPath } from '../../../openapi/avatars/schemas.ts'
import type { User, UserProfile, UserSummary } from '../../../openapi/users/schemas.ts'
import type { UserRow, UserSummaryRow } from '../../db/schema/users.ts'

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
  bio: row.bio,
  location: row.location,
  timezone: row.timezone,
  locale: row.locale,
  settings: { notificationsEnabled: true, soundEnabled: true, theme: 'light', ...row.settings },
  avatarUrl: avatarUrl(row.avatarKey),
  role: row.role,
  hasPassword: row.passwordHash !== null,
  presence: row.presence,
  deletionAt: row.deletionAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

/** For everybody else. */
export const serializeUserSummary = (row: UserSummaryRow): UserSummary => ({
  id: row.id,
  ...(row.erasedAt === null
    ? { username: row.username, displayName: row.displayName, avatarUrl: avatarUrl(row.avatarKey) }
    : { username: null, displayName: null, avatarUrl: null }),
  deleted: row.erasedAt !== null,
})

/** For whoever looks somebody up. */
export function serializeUserProfile({ user, presence }: { user: UserRow; presence: { status: UserProfile['status']; lastSeen: Date | null } }): UserProfile {
  const isThere = user.erasedAt === null
  return {
    ...serializeUserSummary(user),
    bio: isThere ? user.bio : null,
    location: isThere ? user.location : null,
    status: isThere ? presence.status : 'offline',
    lastSeen: (isThere && presence.lastSeen?.toISOString()) || null,
    createdAt: user.createdAt.toISOString(),
  }
}

const avatarUrl = (key: string | null): string | null => (key === null ? null : avatarsPath + key)
