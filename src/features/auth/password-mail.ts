import type { UserId } from '../../../openapi/shared/ids.ts'
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

It is valid for ${validMinutes} minutes and works once. If you ask for another one, this one stops working. A new password ends all your sessions, and no API keys.

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
  apiKeys: { countLive(userId: UserId): Promise<number> }
  mailer: Mailer
}

/** @returns the handler of the job that tells users of their new password; who is gone is told nothing */
export const createPasswordNotices =
  ({ users, apiKeys, mailer }: Dependencies) =>
  async ({ userId, change }: JobData['auth.mailPasswordNotice']): Promise<void> => {
    const user = await users.find(userId)
    if (user !== undefined && user.erasedAt === null) await mailer.send(passwordNoticeMail(user, change, await apiKeys.countLive(userId)))
  }

const passwordNoticeMail = (user: UserRow, change: PasswordChange, apiKeys: number): Mail => ({
  to: user.email,
  subject: 'Your Parley password was changed',
  text: `${greeting(user)}

The password of your Parley account was changed${change === 'reset' ? ' with a token that was mailed to this address' : ''}. ${change === 'reset' ? 'All your sessions have ended: sign in with the new one.' : 'All your sessions but the one that changed it have ended: sign in with the new one.'}

${goesOn(apiKeys)}

If it was not you, somebody else can use your account${change === 'reset' ? ' or read your mails' : ''}: ask for a new password at once${change === 'reset' ? ', and change that of your mailbox' : ''}.
`,
})

/** What a new password does not end. */
function goesOn(apiKeys: number): string {
  if (apiKeys === 0) return 'You have no API keys that could still act as you.'
  const [subject, them] = apiKeys === 1 ? ['One API key of yours still works', 'it'] : [`${apiKeys} API keys of yours still work`, 'them']
  return `${subject}: programs that bear ${them} act as you. Look through the list of your API keys, and revoke what you do not know.`
}
