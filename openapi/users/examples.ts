import type { User, UserSummary } from './schemas.ts'

export const ids = {
  alice: '01890a5d-ac96-774b-bcce-b302099a8057',
  bob: '01890a5d-ac96-774b-bcce-b302099a8058',
} as const

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
  role: 'user',
  createdAt: '2026-11-20T10:00:00.000Z',
  updatedAt: '2026-11-20T10:00:00.000Z',
} satisfies Record<keyof User, unknown>

export const aliceSummary = { id: ids.alice, username: 'alice', displayName: 'Alice Liddell' } satisfies Record<keyof UserSummary, unknown>
export const bobSummary = { id: ids.bob, username: 'bob', displayName: null } satisfies Record<keyof UserSummary, unknown>
