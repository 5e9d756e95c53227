/** What is given to somebody once, and known again by a hash. */
import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits, 43 characters: also what PKCE takes for a verifier. */
export const newSecret = (): string => randomBytes(32).toString('base64url')

/** So many random bits need no salt and no slow hash; and it is how a `codeChallenge` is made (RFC 7636, S256). */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
