/**
 * Codes that are mailed prove that somebody reads an address. They are made where the mail is sent, in a job, so that a code is
 * nowhere in clear but in the mail, and so that asking for one is the same work whether the address is known or not.
 */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Mailer } from '../../integrations/mailer.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import { codeMail, takenAddressMail } from './code-mail.ts'
import type { CodeRepository } from './code-repository.ts'
import type { Keys } from './keys.ts'
import { mailLimit } from './mail-limit.ts'

const codeMinutes = 10
const maxTries = 5

interface GoodCode {
  /** The request that it answers; undefined for the fixed code, which answers any. */
  requestId: string | undefined
  /**
   * To be called in the transaction that acts on the code.
   * @throws `invalid_code` when someone else was quicker
   */
  useUp(executor: Executor): Promise<void>
}

interface Dependencies {
  codes: CodeRepository
  users: Pick<UserService, 'findByEmail'>
  mailer: Mailer
  security: Pick<SecurityService, 'record'>
  /** They hash codes. */
  keys: Keys
  clock: Clock
  /** Always right, for development; undefined wherever it matters. */
  fixedCode: string | undefined
}

export type Codes = ReturnType<typeof createCodes>

export function createCodes({ codes, users, mailer, security, keys, clock, fixedCode }: Dependencies) {
  const [newestKey] = keys

  return {
    /**
     * Makes a code and mails it, if the address has an account; more than 3 within 10 minutes are silently left out.
     * @throws what the mailer throws; doing it again is safe, and the later code counts
     */
    async mail({ email: address, requestId, isRegistration = false, ip }: JobData['auth.mailCode']): Promise<void> {
      const email = normalizeEmail(address)
      const now = clock.now()
      const code = randomInt(1_000_000).toString().padStart(6, '0')
      const expiresAt = new Date(now.getTime() + codeMinutes * 60_000)
      const isWanted = await codes.replace({ email, requestId, codeHash: hash(newestKey, requestId, code), now, expiresAt }, mailLimit)
      await codes.deleteExpired(new Date(now.getTime() - mailLimit.withinMilliseconds))
      const user = await users.findByEmail(email)
      if (!isWanted || user === undefined) return
      const isTaken = isRegistration && user.emailVerifiedAt !== null
      await mailer.send(isTaken ? takenAddressMail(user, code, codeMinutes) : codeMail(user, code, codeMinutes))
      if (!isRegistration) await security.record({ type: 'code_requested', userId: user.id, ip })
    },

    async eraseWithin({ email }: Pick<UserRow, 'email'>, tx: Executor): Promise<void> {
      await codes.delete(email, tx)
    },

    /**
     * Counts the try, at once, whatever becomes of it.
     * @returns undefined when it is wrong, used, expired or tried too often
     */
    async check(address: string, code: string): Promise<GoodCode | undefined> {
      if (fixedCode !== undefined && code === fixedCode) return { requestId: undefined, useUp: async () => undefined }
      const now = clock.now()
      const row = await codes.countTry(normalizeEmail(address), maxTries, now)
      if (row === undefined || !keys.some((key) => equal(row.codeHash, hash(key, row.requestId, code)))) return undefined
      return {
        requestId: row.requestId,
        async useUp(executor) {
          if (!(await codes.markUsed(row, now, executor))) throw new AppError('invalid_code')
        },
      }
    },
  }
}

const hash = (key: Buffer, requestId: string, code: string): string => createHmac('sha256', key).update(`${requestId} ${code}`).digest('base64url')

const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
