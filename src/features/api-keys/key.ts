/** The form of a key: `pk_` and a secret. */
import { newSecret } from '../../secret.ts'

const form = /^pk_[A-Za-z0-9_-]{43}$/

export const newKey = (): string => `pk_${newSecret()}`

export const isKey = (text: string): boolean => form.test(text)

/** To know it again by. */
export const hintOf = (key: string): string => key.slice(-4)
