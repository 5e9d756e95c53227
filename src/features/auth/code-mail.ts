import type { UserRow } from '../../db/schema/users.ts'
import type { Mail } from '../../integrations/mailer.ts'

/** The code stands on a line of its own, and in the subject, where phones show it. */
export const codeMail = (user: UserRow, code: string, validMinutes: number): Mail => ({
  to: user.email,
  subject: `${code} is your Parley code`,
  text: `${greeting(user)}

${user.emailVerifiedAt === null ? 'Welcome to Parley! Please confirm your e-mail address with this code:' : 'Here is the code to sign in to Parley:'}

${code}

It is valid for ${validMinutes} minutes and works once. If you ask for another one, this one stops working.

If you did not ask for it, somebody may have mistyped their address. You need not do anything; please do not pass the code on to anyone.
`,
})

/** For the owner of an address that somebody tried to register, where nobody is told that it is taken. */
export const takenAddressMail = (user: UserRow, code: string, validMinutes: number): Mail => ({
  to: user.email,
  subject: `${code} is your Parley code`,
  text: `${greeting(user)}

Somebody, perhaps you, tried to register at Parley with this address. You have an account already. If it was you, sign in with this code:

${code}

It is valid for ${validMinutes} minutes and works once. If you have forgotten your password, you can ask for a new one where you sign in.

If it was not you, you need not do anything; please do not pass the code on to anyone.
`,
})

/** Whoever registers an address that is not theirs must not be able to have words of their own mailed to it. */
export const greeting = ({ emailVerifiedAt, displayName, firstName }: UserRow): string => {
  const name = displayName ?? firstName
  return emailVerifiedAt === null || name === null ? 'Hello,' : `Hello ${name.replace(/\s+/g, ' ')},`
}

/** @param at ISO 8601 */
export const minuteOf = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`
