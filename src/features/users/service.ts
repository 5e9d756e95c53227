import type { UserId } from '../../../openapi/shared/ids.ts'
import { isUniqueViolation } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { EmailProof, NewPassword, NewUser, UserRepository, UserSelection } from './repository.ts'

interface Dependencies {
  users: UserRepository
  /** Others do not see who has not verified the address: whether one is taken is told to nobody. */
  hideUnverified: boolean
}

export type UserService = ReturnType<typeof createUserService>

export const createUserService = ({ users, hideUnverified }: Dependencies) => ({
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

  /**
   * As `create`, where nobody shall learn which addresses are taken.
   * @returns the user as stored, or as it would have been: the two look the same
   */
  async createUnlessTaken(user: NewUser & { createdAt: Date; updatedAt: Date }, executor: Executor): Promise<UserRow> {
    const wanted = { ...user, email: normalizeEmail(user.email) }
    return (await users.insertUnlessTaken(wanted, executor)) ?? asStored(wanted)
  },

  /** Locks the user against changes until the transaction ends. */
  async lock(selection: UserSelection, executor: Executor): Promise<UserRow | undefined> {
    return users.lock(selection.email === undefined ? selection : { email: normalizeEmail(selection.email) }, executor)
  },

  async setPassword(userId: UserId, password: NewPassword, executor: Executor): Promise<void> {
    await users.setPassword(userId, password, executor)
  },

  /** @throws `not_found` */
  async get(userId: UserId): Promise<UserRow> {
    const user = await users.findById(userId)
    if (user === undefined) throw new AppError('not_found')
    return user
  },

  /**
   * @returns the users in the order of `ids`
   * @throws `not_found` unless all of them exist, for others to see
   */
  async requireAll(ids: readonly UserId[]): Promise<UserRow[]> {
    const found = new Map((await users.findByIds(ids)).map((user) => [user.id, user]))
    return ids.map((id) => {
      const user = found.get(id)
      if (user === undefined || (hideUnverified && user.emailVerifiedAt === null)) throw new AppError('not_found', 'There is no such user.')
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

/** A row as the database would have it of a new user. */
const asStored = (user: NewUser & { createdAt: Date; updatedAt: Date }): UserRow => ({
  ...{ emailVerifiedAt: null, bio: null, location: null, timezone: null, locale: null, settings: {}, avatarKey: null, role: 'user', presence: 'online' },
  ...{ lastSeenAt: null, suspendedAt: null, deletionAt: null, erasedAt: null },
  id: user.id,
  email: user.email,
  username: user.username ?? null,
  displayName: user.displayName ?? null,
  firstName: user.firstName ?? null,
  lastName: user.lastName ?? null,
  phone: user.phone ?? null,
  companyCustomerId: user.companyCustomerId ?? null,
  passwordHash: user.passwordHash ?? null,
  createdAt: user.createdAt,
  updatedAt: user.updatedAt,
})

/** One address is one account, in whatever letter case it is written. */
export const normalizeEmail = (email: string): string => email.trim().toLowerCase()
