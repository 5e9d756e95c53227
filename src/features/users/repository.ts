import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'

export type NewUser = typeof users.$inferInsert

export type UserRepository = ReturnType<typeof createUserRepository>

export const createUserRepository = (db: Executor) => ({
  async insert(user: NewUser, executor: Executor = db): Promise<UserRow> {
    return one(await executor.insert(users).values(user).returning())
  },

  async findById(id: UserId): Promise<UserRow | undefined> {
    const [row] = await db.select().from(users).where(eq(users.id, id))
    return row
  },

  async findByIds(ids: readonly UserId[]): Promise<UserRow[]> {
    return ids.length === 0
      ? []
      : db
          .select()
          .from(users)
          .where(inArray(users.id, [...ids]))
  },

  /** @param email in lower case */
  async findByEmail(email: string): Promise<UserRow | undefined> {
    const [row] = await db.select().from(users).where(eq(users.email, email))
    return row
  },

  /** In any letter case. */
  async findByUsername(username: string): Promise<UserRow | undefined> {
    const [row] = await db
      .select()
      .from(users)
      .where(eq(sql`lower(${users.username})`, username.toLowerCase()))
    return row
  },

  /** The first time stays. @param email in lower case */
  async setEmailVerified(email: string, at: Date, executor: Executor = db): Promise<UserRow | undefined> {
    await executor
      .update(users)
      .set({ emailVerifiedAt: at, updatedAt: at })
      .where(and(eq(users.email, email), isNull(users.emailVerifiedAt)))
    const [row] = await executor.select().from(users).where(eq(users.email, email))
    return row
  },
})

function one<T>([row]: T[]): T {
  if (row === undefined) throw new Error('The statement returned no row')
  return row
}
