/** The form of a key: `pk_` and 256 random bits in base64url. So many need no salt and no slow hash. */
import { createHash, randomBytes } from 'node:crypto'

const form = /^pk_[A-Za-z0-9_-]{43}$/

export const newKey = (): string => `pk_${randomBytes(32).toString('base64url')}`

export const isKey = (text: string): boolean => form.test(text)

export const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64url')

/** To know it again by. */
export const hintOf = (key: string): string => key.slice(-4)
