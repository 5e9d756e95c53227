import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { hash, type Options, parseOptions, verify } from '@node-rs/argon2'
import { createTurns, type TurnLimits } from './turns.ts'

/** OWASP's choice for argon2id, which is the library's default algorithm. Memory in KiB. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const satisfies Options

/** One core is left for everything else. */
const defaultLimits = (): TurnLimits => ({ atOnce: Math.max(1, availableParallelism() - 1), waiting: 100 })

export type Passwords = ReturnType<typeof createPasswords>

/** argon2id in the thread pool, off the event loop, a few at once: everything throws `unavailable` when too many wait already. */
export function createPasswords(limits: TurnLimits = defaultLimits()) {
  const inTurn = createTurns(limits)
  const nobodysHash = hash(randomBytes(32), parameters)
  // Awaited where it is used; until then a failure is nobody's.
  nobodysHash.catch(() => undefined)

  return {
    /** @returns the hash with its parameters, in the PHC string format */
    hash: (password: string): Promise<string> => inTurn(() => hash(normalizePassword(password), parameters)),

    /** Takes the same time whether there is a hash to compare with or not, so that it tells nothing about accounts. */
    async matches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
      const equal = await inTurn(async () => verify(passwordHash ?? (await nobodysHash), normalizePassword(password)))
      return equal && typeof passwordHash === 'string'
    },

    /** Whether it was made with other parameters than hashes are today. */
    isOutdated(passwordHash: string): boolean {
      const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash)
      return (
        memoryCost !== parameters.memoryCost ||
        timeCost !== parameters.timeCost ||
        parallelism !== parameters.parallelism ||
        !passwordHash.startsWith('$argon2id$v=19$')
      )
    },
  }
}

/** The same password typed on another keyboard may come as other code points (NIST SP 800-63B, section 3.1.1.2). */
export const normalizePassword = (password: string): string => password.normalize('NFKC')
