/** What the threads of `passwords.ts` do: one hash at a time, on the thread itself. */
import { randomBytes } from 'node:crypto'
import { hashSync, type Options, verifySync } from '@node-rs/argon2'

/** OWASP's choice for argon2id, which is the library's default algorithm. Memory in KiB. */
export const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const satisfies Options

/** To compare with where there is no hash: that takes as long, and is never equal. */
let nobodysHash: string | undefined

export const hashPassword = (password: string): string => hashSync(password, parameters)

export function matchesHash({ password, passwordHash }: { password: string; passwordHash: string | undefined }): boolean {
  nobodysHash ??= hashSync(randomBytes(32), parameters)
  return verifySync(passwordHash ?? nobodysHash, password) && passwordHash !== undefined
}
