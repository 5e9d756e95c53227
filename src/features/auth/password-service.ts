import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Caller, SessionActor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { PasswordChange } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import { currentPasswordGuess, type Guessing, passwordGuess } from './guessing.ts'
import type { PasswordResets } from './password-resets.ts'
import { requireGoodPassword } from './password-rules.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'

interface Dependencies {
  db: Executor
  users: Pick<UserService, 'find' | 'findByEmail' | 'lock' | 'setPassword' | 'setEmailVerified'>
  sessions: Pick<Sessions, 'endWithin' | 'tell'>
  passwords: Passwords
  resets: Pick<PasswordResets, 'check' | 'void'>
  guessing: Guessing
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  newId: NewId
}

interface Change {
  userId: UserId
  passwordHash: string
  change: PasswordChange
  /** The session that goes on. */
  except?: SessionId
  ip: string
}

export type PasswordService = ReturnType<typeof createPasswordService>

export function createPasswordService({ db, users, sessions, passwords, resets, guessing, security, jobs, clock, newId }: Dependencies) {
  /** What a new password brings with it, in the transaction; of a user who is locked. @returns the sessions that ended */
  const setPassword = async ({ userId, passwordHash, change, except, ip }: Change, tx: Executor): Promise<SessionId[]> => {
    const type = change === 'reset' ? 'password_reset' : 'password_changed'
    await users.setPassword(userId, { passwordHash, at: clock.now() }, tx)
    const ended = await sessions.endWithin({ userId, ...(except && { except }) }, type, tx)
    await security.record({ type, userId, ip, metadata: { endedSessions: ended.length } }, tx)
    await jobs.enqueue(tx, 'auth.mailPasswordNotice', { userId, change })
    return ended
  }

  const tell = (ended: readonly SessionId[]): void => {
    sessions.tell(ended)
    jobs.wake('auth.mailPasswordNotice')
  }

  return {
    /** Tells nothing of whether the address is known. */
    async requestReset(email: string, { ip }: Caller): Promise<void> {
      await jobs.enqueue(db, 'auth.mailPasswordReset', { email: normalizeEmail(email), requestId: newId(), ip })
      jobs.wake('auth.mailPasswordReset')
    },

    /**
     * Whoever has the token reads the mails of the address, so it is verified by that. A password that is refused does not use the token up.
     * @throws `invalid_token`; `validation_error` for a password that is too common
     */
    async reset(token: string, password: string, { ip }: Caller): Promise<void> {
      const good = await resets.check(token)
      const user = good && (await users.findByEmail(good.email))
      if (good === undefined || user === undefined || user.suspendedAt !== null) throw new AppError('invalid_token')
      await requireGoodPassword('body.password', password, user)
      const passwordHash = await passwords.hash(password)
      const ended = await db.transaction(async (tx) => {
        // The user is locked before the token, here as where a change voids it: locks in one order never wait in a circle.
        const locked = await users.lock({ id: user.id }, tx)
        await good.useUp(tx)
        if (locked === undefined || locked.email !== good.email || locked.suspendedAt !== null) throw new AppError('invalid_token')
        if (locked.emailVerifiedAt === null) {
          await users.setEmailVerified(good.email, { at: clock.now(), requestId: undefined }, tx)
          await security.record({ type: 'email_verified', userId: user.id, ip, metadata: { method: 'password_reset' } }, tx)
        }
        return setPassword({ userId: user.id, passwordHash, change: 'reset', ip }, tx)
      })
      tell(ended)
      for (const name of [user.email, user.username]) if (name !== null) await guessing.forget(passwordGuess(name, ip))
    },

    /**
     * Wrong ones count as guesses: who has found a device open must not find out the password with it.
     * @throws `invalid_credentials` when it is not the current one, or there is none; `validation_error` for a new one that is too common
     */
    async change(actor: SessionActor, current: string, password: string, { ip }: Caller): Promise<void> {
      const { userId } = actor
      const user = await users.find(userId)
      if (user === undefined) throw new AppError('unauthorized')
      await requireGoodPassword('body.newPassword', password, user)
      const isRight = await guessing.attempt(
        currentPasswordGuess(userId),
        { userId, ip },
        async () => (await passwords.matches(user.passwordHash, current)) || undefined,
      )
      if (!isRight) {
        await security.record({ type: 'sign_in_failed', userId, ip, metadata: { method: 'password_change' } })
        throw new AppError('invalid_credentials', 'The current password is wrong.')
      }
      const passwordHash = await passwords.hash(password)
      const ended = await db.transaction(async (tx) => {
        const locked = await users.lock({ id: userId }, tx)
        // Somebody else has changed it meanwhile.
        if (locked === undefined || locked.passwordHash !== user.passwordHash) throw new AppError('invalid_credentials', 'The current password is wrong.')
        await resets.void(locked.email, tx)
        return setPassword({ userId, passwordHash, change: 'changed', except: actor.credentialId, ip }, tx)
      })
      tell(ended)
    },
  }
}
