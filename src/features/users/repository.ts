import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { UserSettings } from '../../../openapi/users/schemas.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'
import { one } from '../../db/sql.ts'

export type NewUser = typeof users.$inferInsert

/** Somebody reads the address. */
export interface EmailProof {
  at: Date
  /** What the mail answered: the account's id when it was the registration; undefined where that is not asked. */
  requestId: string | undefined
}

/** By one of the two. */
export type UserSelection = { id: UserId; email?: undefined } | { email: string; id?: undefined }

export interface NewPassword {
  passwordHash: string
  /** When the user chose it; left out where it is the old one, hashed anew. */
  at?: Date
}

/** Settings are merged with those that are set. */
export type UserChanges = Partial<Omit<typeof users.$inferInsert, 'id' | 'settings'>> & { settings?: Partial<UserSettings> }

export type UserRepository = ReturnType<typeof createUserRepository>

export const createUserRepository = (db: Executor) => ({
  async insert(user: NewUser, executor: Executor = db): Promise<UserRow> {
    return one(await executor.insert(users).values(user).returning())
  },

  /** @returns undefined when the address is taken; nothing is lost of the transaction then */
  async insertUnlessTaken(user: NewUser, executor: Executor): Promise<UserRow | undefined> {
    const [row] = await executor.insert(users).values(user).onConflictDoNothing({ target: users.email }).returning()
    return row
  },

  /** Locks the row against changes until the transaction ends. @param email in lower case */
  async lock({ id, email }: UserSelection, executor: Executor): Promise<UserRow | undefined> {
    const [row] = await executor
      .select()
      .from(users)
      .where(id === undefined ? eq(users.email, email) : eq(users.id, id))
      .for('no key update')
    return row
  },

  async setPassword(id: UserId, { passwordHash, at }: NewPassword, executor: Executor): Promise<void> {
    await executor
      .update(users)
      .set({ passwordHash, ...(at && { updatedAt: at }) })
      .where(eq(users.id, id))
  },

  /** @returns undefined when there is no such user, or no more; the transaction is lost when the username is taken */
  async update(id: UserId, { settings, ...fields }: UserChanges, at: Date, executor: Executor = db): Promise<UserRow | undefined> {
    const [row] = await executor
      .update(users)
      // Merged there: of two devices that set different ones at once, both are kept.
      .set({ ...fields, ...(settings && { settings: sql`${users.settings} || ${JSON.stringify(settings)}::jsonb` }), updatedAt: at })
      .where(and(eq(users.id, id), isNull(users.erasedAt)))
      .returning()
    return row
  },

  async findById(id: UserId, executor: Executor = db): Promise<UserRow | undefined> {
    const [row] = await executor.select().from(users).where(eq(users.id, id))
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

  /**
   * The first time stays. A password from before it is kept only with proof that it was the reader of the address who registered.
   * @param email in lower case
   */
  async setEmailVerified(email: string, { at, requestId }: EmailProof, executor: Executor = db): Promise<UserRow | undefined> {
    const keptPassword = sql`case when ${users.id} = ${requestId} then ${users.passwordHash} end`
    await executor
      .update(users)
      .set({ emailVerifiedAt: at, updatedAt: at, ...(requestId !== undefined && { passwordHash: keptPassword }) })
      .where(and(eq(users.email, email), isNull(users.emailVerifiedAt)))
    const [row] = await executor.select().from(users).where(eq(users.email, email))
    return row
  },
})
