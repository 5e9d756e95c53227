/**
 * Codes that are mailed prove that somebody reads an address. They are made where the mail is sent, in a job, so that a code is
 * nowhere in clear but in the mail, and so that asking for one is the same work whether the address is known or not.
 */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Mailer } from '../../integrations/mailer.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import { codeMail } from './code-mail.ts'
import type { CodeRepository, MailLimit } from './code-repository.ts'

const codeMinutes = 10
const maxTries = 5
const mailLimit: MailLimit = { mails: 3, withinMilliseconds: 10 * 60_000 }

/** Somebody wants a code mailed. */
export interface CodeRequest {
  email: string
  /** A UUIDv7: it tells which of two requests is the later one. */
  requestId: string
}

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
  users: UserService
  mailer: Mailer
  /** Hashes codes. */
  key: Buffer
  clock: Clock
  /** Always right, for development; undefined wherever it matters. */
  fixedCode: string | undefined
}

export type Codes = ReturnType<typeof createCodes>

export function createCodes({ codes, users, mailer, key, clock, fixedCode }: Dependencies) {
  const hash = (requestId: string, code: string): string => createHmac('sha256', key).update(`${requestId} ${code}`).digest('base64url')

  return {
    /**
     * Makes a code and mails it, if the address has an account; more than 3 within 10 minutes are silently left out.
     * @throws what the mailer throws; doing it again is safe, and the later code counts
     */
    async mail({ email: address, requestId }: CodeRequest): Promise<void> {
      const email = normalizeEmail(address)
      const now = clock.now()
      const code = randomInt(1_000_000).toString().padStart(6, '0')
      const expiresAt = new Date(now.getTime() + codeMinutes * 60_000)
      const isWanted = await codes.replace({ email, requestId, codeHash: hash(requestId, code), now, expiresAt }, mailLimit)
      await codes.deleteExpired(new Date(now.getTime() - mailLimit.withinMilliseconds))
      const user = await users.findByEmail(email)
      if (isWanted && user !== undefined) await mailer.send(codeMail(user, code, codeMinutes))
    },

    /**
     * Counts the try, at once, whatever becomes of it.
     * @throws `invalid_code` when it is wrong, used, expired or tried too often
     */
    async check(address: string, code: string): Promise<GoodCode> {
      if (fixedCode !== undefined && code === fixedCode) return { requestId: undefined, useUp: async () => undefined }
      const now = clock.now()
      const row = await codes.countTry(normalizeEmail(address), maxTries, now)
      if (row === undefined || !equal(row.codeHash, hash(row.requestId, code))) throw new AppError('invalid_code')
      return {
        requestId: row.requestId,
        async useUp(executor) {
          if (!(await codes.markUsed(row, now, executor))) throw new AppError('invalid_code')
        },
      }
    },
  }
}

const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
