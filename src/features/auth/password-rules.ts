/** Which passwords are refused although they fit the contract: those that are guessed first (NIST SP 800-63B, section 3.1.1.2). */
import type { UserRow } from '../../db/schema/users.ts'
import { invalidField } from '../../errors/app-error.ts'
import { normalizePassword } from './passwords.ts'

const minimumCharacters = 8

/** A shorter name stands in too many good passwords by chance. */
const shortestName = 4

/** What everybody knows about whoever chooses a password. */
export type PasswordOwner = Pick<UserRow, 'email'> & { username?: UserRow['username'] | undefined }

/**
 * @param field where the password stands in the request
 * @throws `validation_error` for what is among the commonest passwords, or contains the product's name or the owner's
 */
export async function requireGoodPassword(field: string, password: string, { email, username }: PasswordOwner): Promise<void> {
  const folded = fold(password)
  // The contract counts the characters that were typed; several of them may be one.
  if ([...folded].length < minimumCharacters) throw invalidField(field, `must be at least ${minimumCharacters} characters`)
  if ((await commonPasswords()).has(folded) || new Set(folded).size === 1) throw invalidField(field, 'is one of the commonest passwords: choose another one')
  const names = ['parley', email, email.slice(0, email.lastIndexOf('@')), username ?? ''].map(fold).filter((name) => name.length >= shortestName)
  if (names.some((name) => folded.includes(name))) throw invalidField(field, 'must not contain your address, your username or the name of this product')
}

const fold = (text: string): string => normalizePassword(text).toLowerCase()

let loading: Promise<ReadonlySet<string>> | undefined

/** Read when the first password is chosen, and kept: 18,000 words, 6 MB with the library. */
const commonPasswords = (): Promise<ReadonlySet<string>> => {
  loading ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].filter((word) => word.length >= minimumCharacters).map(fold)),
  )
  return loading
}
