import { hkdfSync } from 'node:crypto'

/** Every purpose has a key of its own, so that what one of them signs means nothing to another. */
export const deriveKey = (secret: string, purpose: 'refresh-tokens' | 'email-codes' | 'key-id'): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `parley ${purpose}`, 32))
