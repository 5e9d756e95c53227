import { randomBytes } from 'node:crypto'
import { hash, type Options, verify } from '@node-rs/argon2'

/** OWASP's choice for argon2id, which is the library's default algorithm. Memory in KiB. */
const parameters: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export type Passwords = ReturnType<typeof createPasswords>

/** argon2id in the thread pool, off the event loop. */
export function createPasswords() {
  const nobodysHash = hash(randomBytes(32), parameters)
  // Awaited where it is used; until then a failure is nobody's.
  nobodysHash.catch(() => undefined)

  return {
    /** @returns the hash with its parameters, in the PHC string format */
    hash: (password: string): Promise<string> => hash(normalize(password), parameters),

    /** Takes the same time whether there is a hash to compare with or not, so that it tells nothing about accounts. */
    async matches(passwordHash: string | null | undefined, password: string): Promise<boolean> {
      const equal = await verify(passwordHash ?? (await nobodysHash), normalize(password))
      return equal && typeof passwordHash === 'string'
    },
  }
}

/** The same password typed on another keyboard may come as other code points (NIST SP 800-63B, section 3.1.1.2). */
const normalize = (password: string): string => password.normalize('NFKC')
