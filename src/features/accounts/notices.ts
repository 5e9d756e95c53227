/** What people are told about the deletion of their account, by mail. */
import type { UserRow } from '../../db/schema/users.ts'
import type { Mail, Mailer } from '../../integrations/mailer.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { UserService } from '../users/service.ts'

interface Dependencies {
  users: Pick<UserService, 'find'>
  mailer: Mailer
}

/** @returns the handler of the job; a user who is gone is told nothing */
export const createNotices =
  ({ users, mailer }: Dependencies) =>
  async ({ userId, ...notice }: JobData['accounts.mailNotice']): Promise<void> => {
    const user = await users.find(userId)
    if (user === undefined || user.erasedAt !== null) return
    await mailer.send(notice.notice === 'deletion_scheduled' ? scheduledMail(user, new Date(notice.deletionAt)) : cancelledMail(user))
  }

const scheduledMail = ({ email }: UserRow, deletionAt: Date): Mail => ({
  to: email,
  subject: 'Your Parley account is going to be deleted',
  text: `Hello,

You have asked for your Parley account to be deleted. That will be on

${deletionAt.toUTCString()}

Until then nothing is lost, but you are signed out everywhere and your API keys are revoked. If you change your mind, sign in before that time: this cancels it. After that the account is erased, and nobody can bring it back.

If you did not ask for it, somebody else can use your account: sign in now, and change your password.
`,
})

const cancelledMail = ({ email }: UserRow): Mail => ({
  to: email,
  subject: 'Your Parley account stays',
  text: `Hello,

You have signed in, so your Parley account is not going to be deleted. API keys that you had are revoked; make new ones if you need them.

If it was not you who signed in, change your password now, and end the sessions that are not yours.
`,
})
