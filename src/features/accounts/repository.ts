/**
 * What becomes of the row of an account. Whoever changes an account locks its row first, then what belongs to it, and no other account's,
 * so that two who act at once never wait for each other.
 */
import { and, asc, eq, gt, isNotNull, isNull, lte, ne, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'

export type AccountRepository = ReturnType<typeof createAccountRepository>

export const createAccountRepository = (db: Executor) => ({
  /**
   * Until the transaction ends: to be called before what takes an administrator away. Of two that would each leave the other's
   * administrator as the last one, the second waits for the first and then sees what it has done.
   */
  async lockAdministrators(tx: Executor): Promise<void> {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('administrators', 0))`)
  },

  /** Whether there is another one who can sign in. */
  async hasOtherAdmins(userId: UserId, tx: Executor): Promise<boolean> {
    const canAdminister = [
      eq(users.role, 'admin'),
      isNotNull(users.emailVerifiedAt),
      isNull(users.suspendedAt),
      isNull(users.deletionAt),
      isNull(users.erasedAt),
    ]
    const others = await tx
      .select({ id: users.id })
      .from(users)
      .where(and(...canAdminister, ne(users.id, userId)))
      .limit(1)
    return others.length > 0
  },

  async setDeletionAt(userId: UserId, deletionAt: Date | null, at: Date, tx: Executor = db): Promise<void> {
    await tx.update(users).set({ deletionAt, updatedAt: at }).where(eq(users.id, userId))
  },

  /** Also those whose erasure has begun and was not finished. @param after the last one of the page before */
  async listDue(now: Date, { after, limit }: { after: UserId | undefined; limit: number }): Promise<UserId[]> {
    const due = await db
      .select({ id: users.id })
      .from(users)
      .where(and(lte(users.deletionAt, now), after && gt(users.id, after)))
      .orderBy(asc(users.id))
      .limit(limit)
    return due.map(({ id }) => id)
  },

  /** Empties the row itself: nobody can sign in any more, and the address and the username are free. */
  async erase(id: UserId, now: Date, tx: Executor): Promise<void> {
    await tx
      .update(users)
      .set({ ...nobody, email: `${id}@deleted.invalid`, erasedAt: now, updatedAt: now })
      .where(eq(users.id, id))
  },
})

const nobody = {
  emailVerifiedAt: null,
  username: null,
  displayName: null,
  firstName: null,
  lastName: null,
  phone: null,
  companyCustomerId: null,
  bio: null,
  location: null,
  timezone: null,
  locale: null,
  settings: {},
  avatarKey: null,
  role: 'user',
  passwordHash: null,
  presence: 'online',
  lastSeenAt: null,
  suspendedAt: null,
} as const satisfies Partial<UserRow>
