import type { AdminUser, User, UserProfile, UserSummary } from './schemas.ts'

export const ids = {
  alice: '01890a5d-ac96-774b-bcce-b302099a8057',
  bob: '01890a5d-ac96-774b-bcce-b302099a8058',
} as const

const aliceAvatarUrl = '/v1/avatars/4kq0vVb8n2XcZr9sTq1w3A'

export const aliceExample = {
  id: ids.alice,
  email: 'alice@example.com',
  emailVerified: true,
  username: 'alice',
  displayName: 'Alice Liddell',
  firstName: 'Alice',
  lastName: 'Liddell',
  phone: null,
  companyCustomerId: null,
  bio: null,
  location: 'Oxford',
  timezone: 'Europe/London',
  locale: 'en-GB',
  settings: { notificationsEnabled: true, soundEnabled: true, theme: 'light' },
  avatarUrl: aliceAvatarUrl,
  role: 'user',
  hasPassword: true,
  presence: 'online',
  deletionAt: null,
  createdAt: '2026-11-20T10:00:00.000Z',
  updatedAt: '2026-11-20T10:00:00.000Z',
} satisfies Record<keyof User, unknown>

export const aliceSummary = {
  id: ids.alice,
  username: 'alice',
  displayName: 'Alice Liddell',
  avatarUrl: aliceAvatarUrl,
  deleted: false,
} satisfies Record<keyof UserSummary, unknown>
export const bobSummary = { id: ids.bob, username: 'bob', displayName: null, avatarUrl: null, deleted: false } satisfies Record<keyof UserSummary, unknown>

export const bobProfile = {
  ...bobSummary,
  bio: 'Builds things.',
  location: null,
  status: 'away',
  lastSeen: '2026-11-20T10:00:00.000Z',
  createdAt: '2026-11-19T10:00:00.000Z',
} satisfies Record<keyof UserProfile, unknown>

export const aliceForAdmins = {
  ...aliceExample,
  suspendedAt: null,
  lastSeen: '2026-11-20T10:00:00.000Z',
  deleted: false,
} satisfies Record<keyof AdminUser, unknown>
