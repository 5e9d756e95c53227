import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor, Caller, SessionActor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Config } from '../../config.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import type { Codes } from './codes.ts'
import { codeGuess, type Guessing, passwordGuess } from './guessing.ts'
import { requireGoodPassword } from './password-rules.ts'
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
  /** Whether registering tells that an address is taken. */
  registrationConflicts: Config['registrationConflicts']
  sessions: Sessions
  codes: Codes
  passwords: Passwords
  guessing: Guessing
  signIn: SignIn
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  newId: NewId
}

export type AuthService = ReturnType<typeof createAuthService>

export function createAuthService({ db, users, registrationConflicts, sessions, codes, passwords, guessing, signIn, security, jobs, ...rest }: Dependencies) {
  const { clock, newId } = rest
  const isHiding = registrationConflicts === 'hide'

  const requireUser = async (userId: UserId): Promise<UserRow> => {
    const user = await users.find(userId)
    if (user === undefined || user.erasedAt !== null) throw new AppError('unauthorized')
    return user
  }

  /** Who fails to sign in, and by what; what was typed is not written down. */
  const recordFailure = (userId: UserId | undefined, method: 'password' | 'code', { ip }: Caller) =>
    security.record({ type: 'sign_in_failed', userId, ip, metadata: { method } })

  /**
   * Signs in whose password was compared with that hash; an outdated hash is made anew. Where another one stands there by now, because
   * of a new password or of a sign-in at the same time, it is compared again, outside the lock.
   * @throws `invalid_credentials` when the password was changed meanwhile
   */
  const signInByPassword = async (id: UserId, passwordHash: string, password: string, caller: Caller, retries = 3): Promise<SignedIn> => {
    const renewedHash = passwords.isOutdated(passwordHash) ? await passwords.hash(password) : undefined
    const { signedIn, otherHash } = await db.transaction(async (tx): Promise<{ signedIn?: SignedIn; otherHash?: string | null | undefined }> => {
      const locked = await users.lock({ id }, tx)
      if (locked === undefined || locked.passwordHash !== passwordHash) return { otherHash: locked?.passwordHash }
      if (renewedHash !== undefined) await users.setPassword(id, { passwordHash: renewedHash }, tx)
      return { signedIn: await signIn.complete(locked, 'password', caller, tx) }
    })
    if (signedIn !== undefined) return signedIn
    if (!otherHash || retries === 0 || !(await passwords.matches(otherHash, password))) throw new AppError('invalid_credentials')
    return signInByPassword(id, otherHash, password, caller, retries - 1)
  }

  return {
    /**
     * The code's mail is asked for in the transaction that stores the user: one never comes without the other.
     * @returns the user; where conflicts are hidden and the address is taken, one who does not exist
     * @throws `conflict` when the address or the username is taken; `validation_error` for a password that is too common
     */
    async register({ password, ...profile }: Registration, { ip }: Caller): Promise<UserRow> {
      if (isHiding && profile.username !== undefined) {
        throw invalidField('body.username', 'cannot be chosen here: choose it after verifying your address, with `users.updateMe`')
      }
      if (password !== undefined) await requireGoodPassword('body.password', password, profile)
      const passwordHash = password === undefined ? null : await passwords.hash(password)
      const now = clock.now()
      const user = await db.transaction(async (tx) => {
        const wanted = { ...profile, id: newId<UserId>(), passwordHash, createdAt: now, updatedAt: now }
        const created = await (isHiding ? users.createUnlessTaken(wanted, tx) : users.create(wanted, tx))
        // Its own code is known by the account's id: see `Users.setEmailVerified`.
        await jobs.enqueue(tx, 'auth.mailCode', { email: created.email, requestId: created.id, isRegistration: true, ip })
        return created
      })
      jobs.wake('auth.mailCode')
      return user
    },

    /** Tells nothing of whether the address is known. */
    async requestCode(email: string, { ip }: Caller): Promise<void> {
      await jobs.enqueue(db, 'auth.mailCode', { email: normalizeEmail(email), requestId: newId(), ip })
      jobs.wake('auth.mailCode')
    },

    /**
     * Signs in by a mailed code, which also verifies the address. Anybody may have registered it, with a password of theirs: only the
     * code of that very registration makes the password good, any other one removes it.
     * @throws `invalid_code`, also for an address that nobody has; `rate_limit_exceeded` after too many wrong ones
     */
    async verifyEmail(email: string, code: string, caller: Caller): Promise<SignedIn> {
      const known = await users.findByEmail(email)
      const good = await guessing.attempt(codeGuess(email, caller.ip), { userId: known?.id, ip: caller.ip }, () => codes.check(email, code))
      if (good === undefined) {
        await recordFailure(known?.id, 'code', caller)
        throw new AppError('invalid_code')
      }
      return db.transaction(async (tx) => {
        // The user is locked before the code, here as where an account is erased: locks in one order never wait in a circle.
        const before = await users.lock({ email }, tx)
        await good.useUp(tx)
        const user = await users.setEmailVerified(email, { at: clock.now(), requestId: good.requestId }, tx)
        if (before === undefined || user === undefined) throw new AppError('invalid_code')
        if (before.emailVerifiedAt === null) await security.record({ type: 'email_verified', userId: user.id, ip: caller.ip, metadata: { method: 'code' } }, tx)
        return signIn.complete(user, 'code', caller, tx)
      })
    },

    /**
     * Does the same work for every account and for none. Where nobody shall learn which addresses are taken, a password that anybody may have
     * registered is worth nothing until the address is verified, and is answered as a wrong one.
     * @param identifier e-mail address or username
     * @throws `invalid_credentials`; `email_not_verified` only to whoever knows the password; `rate_limit_exceeded` after too many wrong ones
     */
    async login(identifier: string, password: string, caller: Caller): Promise<SignedIn> {
      const user = await users.findByIdentifier(identifier)
      const found = await guessing.attempt(passwordGuess(identifier, caller.ip), { userId: user?.id, ip: caller.ip }, async () => {
        const matches = await passwords.matches(user?.passwordHash, password)
        return matches && !(isHiding && user?.emailVerifiedAt === null) ? user : undefined
      })
      if (found === undefined || found.passwordHash === null) {
        await recordFailure(user?.id, 'password', caller)
        throw new AppError('invalid_credentials')
      }
      if (found.emailVerifiedAt === null) throw new AppError('email_not_verified')
      return signInByPassword(found.id, found.passwordHash, password, caller)
    },

    /** @throws `unauthorized`, `token_family_compromised`: see `Sessions.rotate` */
    async refresh(refreshToken: string, caller: Caller): Promise<SignedIn> {
      const issued = await sessions.rotate(refreshToken, caller)
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
