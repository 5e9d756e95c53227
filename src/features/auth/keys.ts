import { hkdfSync } from 'node:crypto'

type Purpose = 'refresh-tokens' | 'email-codes' | 'key-id' | 'sign-in-failures' | 'file-links'

/** Every purpose has a key of its own, so that what one of them signs means nothing to another. */
export const deriveKey = (secret: string, purpose: Purpose): Buffer => Buffer.from(hkdfSync('sha256', secret, '', `parley ${purpose}`, 32))

/** The newest first: it makes what is new, and all of them know what was made before it came. */
export type Keys = readonly [Buffer, ...Buffer[]]

export const deriveKeys = ([newest, ...older]: readonly [string, ...string[]], purpose: Purpose): Keys => [
  deriveKey(newest, purpose),
  ...older.map((secret) => deriveKey(secret, purpose)),
]
