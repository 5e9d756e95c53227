import type { UserId } from '../../../openapi/shared/ids.ts'
import { isUniqueViolation } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { EmailProof, NewUser, UserRepository } from './repository.ts'

interface Dependencies {
  users: UserRepository
}

export type UserService = ReturnType<typeof createUserService>

export const createUserService = ({ users }: Dependencies) => ({
  /**
   * Of two that want the same address or username at once, the database lets one win.
   * @throws `conflict` when the address or the username is taken; the transaction is then lost.
   */
  async create(user: NewUser, executor?: Executor): Promise<UserRow> {
    try {
      return await users.insert({ ...user, email: normalizeEmail(user.email) }, executor)
    } catch (error) {
      if (isUniqueViolation(error, 'users_email_unique')) throw new AppError('conflict', 'This e-mail address is taken; sign in, or use another one.')
      if (isUniqueViolation(error, 'users_username_unique')) throw new AppError('conflict', 'This username is taken; choose another one.')
      throw error
    }
  },

  /** @throws `not_found` */
  async get(userId: UserId): Promise<UserRow> {
    const user = await users.findById(userId)
    if (user === undefined) throw new AppError('not_found')
    return user
  },

  /**
   * Verified or not.
   * @returns the users in the order of `ids`
   * @throws `not_found` unless all of them exist
   */
  async requireAll(ids: readonly UserId[]): Promise<UserRow[]> {
    const found = new Map((await users.findByIds(ids)).map((user) => [user.id, user]))
    return ids.map((id) => {
      const user = found.get(id)
      if (user === undefined) throw new AppError('not_found', 'There is no such user.')
      return user
    })
  },

  async find(userId: UserId): Promise<UserRow | undefined> {
    return users.findById(userId)
  },

  /** In any letter case. */
  async findByEmail(email: string): Promise<UserRow | undefined> {
    return users.findByEmail(normalizeEmail(email))
  },

  /** @param identifier an e-mail address or a username, in any letter case; a username has no `@` */
  async findByIdentifier(identifier: string): Promise<UserRow | undefined> {
    return identifier.includes('@') ? users.findByEmail(normalizeEmail(identifier)) : users.findByUsername(identifier.trim())
  },

  /** @returns undefined when nobody has this address */
  async setEmailVerified(email: string, proof: EmailProof, executor?: Executor): Promise<UserRow | undefined> {
    return users.setEmailVerified(normalizeEmail(email), proof, executor)
  },
})

/** One address is one account, in whatever letter case it is written. */
export const normalizeEmail = (email: string): string => email.trim().toLowerCase()
