import type { UserRow } from '../../db/schema/users.ts'
import type { Mail, Mailer } from '../../integrations/mailer.ts'
import type { JobData, PasswordChange } from '../../jobs/job-types.ts'
import type { UserService } from '../users/service.ts'
import { greeting } from './code-mail.ts'

export interface MailedToken {
  token: string
  /** Undefined leaves the link out. */
  pageUrl: string | undefined
  validMinutes: number
}

/** The token stands on a line of its own; unlike a code it is too long for a subject. */
export const passwordResetMail = (user: UserRow, { token, pageUrl, validMinutes }: MailedToken): Mail => ({
  to: user.email,
  subject: 'A new password for Parley',
  text: `${greeting(user)}

Somebody, perhaps you, has asked for a new password for your Parley account. ${pageUrl === undefined ? 'With this token you can choose one:' : 'You can choose one here:'}

${pageUrl === undefined ? '' : `${linkTo(pageUrl, token)}\n\nor with this token:\n\n`}${token}

It is valid for ${validMinutes} minutes and works once. If you ask for another one, this one stops working. A new password signs you out everywhere.

If you did not ask for it, you need not do anything: your password stays as it is. Please do not pass the token on to anyone.
`,
})

/** The page may have parameters of its own. */
function linkTo(pageUrl: string, token: string): string {
  const url = new URL(pageUrl)
  url.searchParams.set('token', token)
  return url.href
}

interface Dependencies {
  users: Pick<UserService, 'find'>
  mailer: Mailer
}

/** @returns the handler of the job that tells users of their new password; who is gone is told nothing */
export const createPasswordNotices =
  ({ users, mailer }: Dependencies) =>
  async ({ userId, change }: JobData['auth.mailPasswordNotice']): Promise<void> => {
    const user = await users.find(userId)
    if (user !== undefined && user.erasedAt === null) await mailer.send(passwordNoticeMail(user, change))
  }

const passwordNoticeMail = (user: UserRow, change: PasswordChange): Mail => ({
  to: user.email,
  subject: 'Your Parley password was changed',
  text: `${greeting(user)}

The password of your Parley account was changed${change === 'reset' ? ' with a token that was mailed to this address' : ''}. ${change === 'reset' ? 'You are signed out everywhere: sign in with the new one.' : 'Your other devices are signed out: sign in with the new one.'}

If it was not you, somebody else can use your account${change === 'reset' ? ' or read your mails' : ''}: ask for a new password at once${change === 'reset' ? ', and change that of your mailbox' : ''}.
`,
})
