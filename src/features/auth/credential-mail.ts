/** Whoever gets a new way to act as a user, an API key or an account elsewhere, keeps it when sessions end: the user is told by mail. */
import type { UserRow } from '../../db/schema/users.ts'
import type { Mail, Mailer } from '../../integrations/mailer.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { UserService } from '../users/service.ts'
import { greeting, minuteOf } from './code-mail.ts'

type NewCredential = JobData['auth.mailNewCredential']

interface Dependencies {
  users: Pick<UserService, 'find'>
  mailer: Mailer
}

/** @returns the handler of the job; who is gone is told nothing */
export const createCredentialNotices =
  ({ users, mailer }: Dependencies) =>
  async (notice: NewCredential): Promise<void> => {
    const user = await users.find(notice.userId)
    if (user !== undefined && user.erasedAt === null) await mailer.send(notice.credential === 'api_key' ? apiKeyMail(user, notice) : oauthMail(user, notice))
  }

/** Without the key's name: whoever has made the key has chosen it, and might write to the user by it. */
const apiKeyMail = (user: UserRow, { ip, at, hint, scope, expiresAt }: Extract<NewCredential, { credential: 'api_key' }>): Mail => ({
  to: user.email,
  subject: `New API key of your Parley account: …${hint}`,
  text: `${greeting(user)}

An API key was made for your account. Programs that bear it act as you:

    Ends in:  ${hint}
    Scope:    ${scope}
    Expires:  ${expiresAt === undefined ? 'never' : minuteOf(expiresAt)}
    Made:     ${minuteOf(at)}
    Address:  ${ip}

If it was you, you need not do anything.

If it was not you, somebody else uses your account: sign in, revoke this key in the list of your API keys, end your other sessions, and change your password. A new password does not end API keys.
`,
})

const oauthMail = (user: UserRow, { ip, at, provider }: Extract<NewCredential, { credential: 'oauth_account' }>): Mail => ({
  to: user.email,
  subject: `Your Parley account can be signed in to with ${provider}`,
  text: `${greeting(user)}

From now on an account at ${provider} signs in to your Parley account, because ${provider} vouches that it has this address:

    Time:     ${minuteOf(at)}
    Address:  ${ip}

If it was you, you need not do anything.

If it was not you, somebody else has an account at ${provider} with your address, or can read your mails: secure both, end all your sessions at Parley, and tell whoever runs this server. A new password does not end this way to sign in.
`,
})
