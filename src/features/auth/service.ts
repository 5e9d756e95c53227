import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor, Caller, SessionActor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import type { Codes } from './codes.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import type { SignedIn, SignIn } from './sign-in.ts'

export interface Registration {
  email: string
  /** Without one, the user signs in by mailed codes. */
  password?: string | undefined
  username?: string | undefined
  displayName?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
  phone?: string | undefined
  companyCustomerId?: string | undefined
}

interface Dependencies {
  db: Executor
  users: UserService
  sessions: Sessions
  codes: Codes
  passwords: Passwords
  signIn: SignIn
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  newId: NewId
}

export type AuthService = ReturnType<typeof createAuthService>

export function createAuthService({ db, users, sessions, codes, passwords, signIn, security, jobs, clock, newId }: Dependencies) {
  const requestCode = async (email: string, requestId: string, executor: Executor): Promise<void> =>
    jobs.enqueue(executor, 'auth.mailCode', { email: normalizeEmail(email), requestId })

  const requireUser = async (userId: UserId): Promise<UserRow> => {
    const user = await users.find(userId)
    if (user === undefined) throw new AppError('unauthorized')
    return user
  }

  return {
    /**
     * The code's mail is asked for in the transaction that stores the user: one never comes without the other.
     * @throws `conflict` when the address or the username is taken
     */
    async register({ password, ...profile }: Registration): Promise<UserRow> {
      const passwordHash = password === undefined ? null : await passwords.hash(password)
      const now = clock.now()
      const user = await db.transaction(async (tx) => {
        const created = await users.create({ ...profile, id: newId(), passwordHash, createdAt: now, updatedAt: now }, tx)
        // Its own code is known by the account's id: see `Users.setEmailVerified`.
        await requestCode(created.email, created.id, tx)
        return created
      })
      jobs.wake('auth.mailCode')
      return user
    },

    /** Tells nothing of whether the address is known. */
    async requestCode(email: string): Promise<void> {
      await requestCode(email, newId(), db)
      jobs.wake('auth.mailCode')
    },

    /**
     * Signs in by a mailed code, which also verifies the address. Anybody may have registered it, with a password of theirs: only the
     * code of that very registration makes the password good, any other one removes it.
     * @throws `invalid_code`, also for an address that nobody has
     */
    async verifyEmail(email: string, code: string, caller: Caller): Promise<SignedIn> {
      const { requestId, useUp } = await codes.check(email, code)
      return db.transaction(async (tx) => {
        await useUp(tx)
        const user = await users.setEmailVerified(email, { at: clock.now(), requestId }, tx)
        if (user === undefined) throw new AppError('invalid_code')
        return signIn.complete(user, 'code', caller, tx)
      })
    },

    /**
     * @param identifier e-mail address or username
     * @throws `invalid_credentials`; `email_not_verified` only to whoever knows the password
     */
    async login(identifier: string, password: string, caller: Caller): Promise<SignedIn> {
      const user = await users.findByIdentifier(identifier)
      const matches = await passwords.matches(user?.passwordHash, password)
      if (user === undefined || !matches) {
        await security.record({ type: 'sign_in_failed', userId: user?.id, ip: caller.ip, metadata: { method: 'password' } })
        throw new AppError('invalid_credentials')
      }
      if (user.emailVerifiedAt === null) throw new AppError('email_not_verified')
      return db.transaction((tx) => signIn.complete(user, 'password', caller, tx))
    },

    /** @throws `unauthorized`, `token_family_compromised`: see `Sessions.rotate` */
    async refresh(refreshToken: string): Promise<SignedIn> {
      const issued = await sessions.rotate(refreshToken)
      return signIn.toSignedIn(await requireUser(issued.userId), issued)
    },

    /** Ends the actor's session; ending it twice changes nothing. */
    async logout(actor: SessionActor): Promise<void> {
      await sessions.end({ sessionId: actor.credentialId }, 'logout')
    },

    /** @throws `unauthorized` when the user is gone though the token is still good */
    async me(actor: Actor): Promise<UserRow> {
      return requireUser(actor.userId)
    },
  }
}
