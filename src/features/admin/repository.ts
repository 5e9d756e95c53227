import { and, desc, eq, gte, isNotNull, isNull, like, lt, or, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Role } from '../../../openapi/users/schemas.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'
import { escapeLike, isBefore } from '../../db/sql.ts'
import type { TimePosition } from '../../pagination.ts'

/** Users who fit all that is given. */
export interface UserFilter {
  /** Beginning of an address or a name, in any letter case. */
  search?: string | undefined
  role?: Role | undefined
  verified?: boolean | undefined
  suspended?: boolean | undefined
  createdFrom?: Date | undefined
  /** Exclusive. */
  createdTo?: Date | undefined
}

export type AdminRepository = ReturnType<typeof createAdminRepository>

export const createAdminRepository = (db: Executor) => ({
  /** Those who registered last come first; erased ones are left out. */
  async list(filter: UserFilter, { before, limit }: { before: TimePosition | undefined; limit: number }): Promise<UserRow[]> {
    return db
      .select()
      .from(users)
      .where(and(isNull(users.erasedAt), ...conditionsOf(filter), isBefore(users, before)))
      .orderBy(desc(users.createdAt), desc(users.id))
      .limit(limit)
  },

  async update(userId: UserId, set: Partial<Pick<UserRow, 'role' | 'suspendedAt'>>, at: Date, tx: Executor): Promise<void> {
    await tx
      .update(users)
      .set({ ...set, updatedAt: at })
      .where(eq(users.id, userId))
  },
})

function conditionsOf({ search, role, verified, suspended, createdFrom, createdTo }: UserFilter): (SQL | undefined)[] {
  const beginsSo = search === undefined ? undefined : `${escapeLike(search.toLowerCase())}%`
  return [
    beginsSo === undefined ? undefined : or(...[users.email, users.username, users.displayName].map((column) => like(sql`lower(${column})`, beginsSo))),
    role && eq(users.role, role),
    isSet(users.emailVerifiedAt, verified),
    isSet(users.suspendedAt, suspended),
    createdFrom && gte(users.createdAt, createdFrom),
    createdTo && lt(users.createdAt, createdTo),
  ]
}

const isSet = (column: PgColumn, wanted: boolean | undefined): SQL | undefined =>
  wanted === undefined ? undefined : wanted ? isNotNull(column) : isNull(column)
