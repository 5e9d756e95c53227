import { availableParallelism } from 'node:os'
import { parseOptions } from '@node-rs/argon2'
import { Piscina } from 'piscina'
import { AppError } from '../../errors/app-error.ts'
import { type hashPassword, type matchesHash, parameters } from './password-worker.ts'

export interface Limits {
  /** How many are hashed at once. */
  threads: number
  /** How many may wait: more would wait for longer than anybody does. */
  waiting: number
}

/** One core is left for everything else. */
const usualLimits = (): Limits => ({ threads: Math.max(1, availableParallelism() - 1), waiting: 100 })

const retrySeconds = 2
/** Passwords wait for the processor rather than anybody else who asks the server something. */
const niceness = 5
const idleMilliseconds = 60_000

export type Passwords = ReturnType<typeof createPasswords>

/** argon2id on threads of low priority, first come, first served: everything throws `unavailable` when too many wait already. */
export function createPasswords({ threads, waiting }: Limits = usualLimits()) {
  const pool = new Piscina({
    filename: new URL('./password-worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: idleMilliseconds,
    niceIncrement: niceness,
  })

  const run = async <Work extends typeof hashPassword | typeof matchesHash>(name: string, input: Parameters<Work>[0]): Promise<ReturnType<Work>> => {
    if (pool.queueSize >= waiting)
      throw new AppError('unavailable', 'Too many are signing in at the moment; try again shortly.', { retryAfterSeconds: retrySeconds })
    return pool.run(input, { name })
  }

  return {
    /** @returns the hash with its parameters, in the PHC string format */
    hash: (password: string): Promise<string> => run<typeof hashPassword>('hashPassword', normalizePassword(password)),

    /** Takes the same time whether there is a hash to compare with or not, so that it tells nothing about accounts. */
    matches: (passwordHash: string | null | undefined, password: string): Promise<boolean> =>
      run<typeof matchesHash>('matchesHash', { password: normalizePassword(password), passwordHash: passwordHash ?? undefined }),

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

    /** Ends the threads; what still waits fails. */
    close: (): Promise<void> => pool.destroy(),
  }
}

/** The same password typed on another keyboard may come as other code points (NIST SP 800-63B, section 3.1.1.2). */
export const normalizePassword = (password: string): string => password.normalize('NFKC')
