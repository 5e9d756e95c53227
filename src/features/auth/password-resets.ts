/**
 * Tokens that are mailed to whoever has forgotten the password. As codes they are made where the mail is sent, in a job: see `codes.ts`. Unlike
 * codes they cannot be guessed, so tries are not counted, and a plain hash hides them.
 */
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Mailer } from '../../integrations/mailer.ts'
import type { JobData } from '../../jobs/job-types.ts'
import { hashOf, newSecret } from '../../secret.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import { mailLimit } from './mail-limit.ts'
import { passwordResetMail } from './password-mail.ts'
import type { PasswordResetRepository } from './password-reset-repository.ts'

const tokenMinutes = 15

interface GoodToken {
  /** The address that it was mailed to. */
  email: string
  /**
   * To be called in the transaction that acts on the token.
   * @throws `invalid_token` when someone else was quicker
   */
  useUp(executor: Executor): Promise<void>
}

interface Dependencies {
  resets: PasswordResetRepository
  users: Pick<UserService, 'findByEmail'>
  mailer: Mailer
  security: Pick<SecurityService, 'record'>
  /** The app's page that mails link to; without one they have the token alone. */
  pageUrl: string | undefined
  clock: Clock
}

export type PasswordResets = ReturnType<typeof createPasswordResets>

export function createPasswordResets({ resets, users, mailer, security, pageUrl, clock }: Dependencies) {
  return {
    /**
     * Makes a token and mails it, if the address has an account that may sign in; more than 3 within 10 minutes are silently left out.
     * @throws what the mailer throws; doing it again is safe, and the later token counts
     */
    async mail({ email: address, requestId, ip }: JobData['auth.mailPasswordReset']): Promise<void> {
      const email = normalizeEmail(address)
      const now = clock.now()
      const token = newSecret()
      const expiresAt = new Date(now.getTime() + tokenMinutes * 60_000)
      const isWanted = await resets.replace({ email, requestId, tokenHash: hashOf(token), now, expiresAt }, mailLimit)
      await resets.deleteExpired(new Date(now.getTime() - mailLimit.withinMilliseconds))
      const user = await users.findByEmail(email)
      if (!isWanted || user === undefined || user.suspendedAt !== null) return
      await mailer.send(passwordResetMail(user, { token, pageUrl, validMinutes: tokenMinutes }))
      await security.record({ type: 'password_reset_requested', userId: user.id, ip })
    },

    /** @returns undefined when the token is wrong, used or expired */
    async check(token: string): Promise<GoodToken | undefined> {
      const now = clock.now()
      const tokenHash = hashOf(token)
      const email = await resets.findEmail(tokenHash, now)
      if (email === undefined) return undefined
      return {
        email,
        async useUp(executor) {
          if (!(await resets.markUsed(tokenHash, now, executor))) throw new AppError('invalid_token')
        },
      }
    },

    async eraseWithin({ email }: Pick<UserRow, 'email'>, tx: Executor): Promise<void> {
      await resets.delete(email, tx)
    },

    /** What was mailed before is good no longer. */
    async void(email: string, executor: Executor): Promise<void> {
      await resets.void(email, clock.now(), executor)
    },
  }
}
