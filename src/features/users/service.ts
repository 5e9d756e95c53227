import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import { isUniqueViolation } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import { normalizePhone, normalizeProfile, type ProfileChanges } from './profile.ts'
import type { EmailProof, NewPassword, NewUser, UserRepository, UserSelection } from './repository.ts'

export type { ProfileChanges }

interface Dependencies {
  users: UserRepository
  /** Others do not see who has not verified the address: whether one is taken is told to nobody. */
  hideUnverified: boolean
  clock: Clock
}

export type UserService = ReturnType<typeof createUserService>

export function createUserService({ users, hideUnverified, clock }: Dependencies) {
  const change = async (userId: UserId, changes: ProfileChanges, executor?: Executor): Promise<UserRow | undefined> =>
    users.update(userId, normalizeProfile(changes), clock.now(), executor).catch(conflictIfTaken)

  return {
    /**
     * Of two that want the same address or username at once, the database lets one win.
     * @throws `conflict` when the address or the username is taken; the transaction is then lost.
     */
    async create(user: NewUser, executor?: Executor): Promise<UserRow> {
      return users.insert(normalizeUser(user), executor).catch(conflictIfTaken)
    },

    /**
     * As `create`, where nobody shall learn which addresses are taken.
     * @returns the user as stored, or as it would have been: the two look the same
     */
    async createUnlessTaken(user: NewUser & { createdAt: Date; updatedAt: Date }, executor: Executor): Promise<UserRow> {
      const wanted = normalizeUser(user)
      return (await users.insertUnlessTaken(wanted, executor)) ?? asStored(wanted)
    },

    /** Locks the user against changes until the transaction ends. */
    async lock(selection: UserSelection, executor: Executor): Promise<UserRow | undefined> {
      return users.lock(selection.email === undefined ? selection : { email: normalizeEmail(selection.email) }, executor)
    },

    async setPassword(userId: UserId, password: NewPassword, executor: Executor): Promise<void> {
      await users.setPassword(userId, password, executor)
    },

    /** @throws `unauthorized` when the user is gone though the credentials are still good */
    async getMe(actor: Actor): Promise<UserRow> {
      return present(await users.findById(actor.userId))
    },

    /** @throws as `updateProfile`, but `unauthorized` when the user is gone */
    async updateMe(actor: Actor, changes: ProfileChanges): Promise<UserRow> {
      return present(await change(actor.userId, changes))
    },

    /**
     * What is left out stays as it is, null takes it away, settings are merged.
     * @throws `not_found`, also for somebody who is erased; `validation_error` for a time zone or a language tag that there is not;
     * `conflict` when the username is taken: the transaction is then lost
     */
    async updateProfile(userId: UserId, changes: ProfileChanges, executor?: Executor): Promise<UserRow> {
      const user = await change(userId, changes, executor)
      if (user === undefined) throw new AppError('not_found')
      return user
    },

    /** @returns undefined when there is no such user, or no more */
    async setAvatar(userId: UserId, avatarKey: string | null, executor: Executor): Promise<UserRow | undefined> {
      return users.update(userId, { avatarKey }, clock.now(), executor)
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
        if (user === undefined || user.erasedAt !== null || (hideUnverified && user.emailVerifiedAt === null))
          throw new AppError('not_found', 'There is no such user.')
        return user
      })
    },

    async find(userId: UserId, executor?: Executor): Promise<UserRow | undefined> {
      return users.findById(userId, executor)
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
  }
}

function present(user: UserRow | undefined): UserRow {
  if (user === undefined || user.erasedAt !== null) throw new AppError('unauthorized')
  return user
}

function conflictIfTaken(error: unknown): never {
  if (isUniqueViolation(error, 'users_email_unique')) throw new AppError('conflict', 'This e-mail address is taken; sign in, or use another one.')
  if (isUniqueViolation(error, 'users_username_unique')) throw new AppError('conflict', 'This username is taken; choose another one.')
  throw error
}

const normalizeUser = <U extends NewUser>(user: U): U => ({
  ...user,
  email: normalizeEmail(user.email),
  ...(user.phone && { phone: normalizePhone(user.phone) }),
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
