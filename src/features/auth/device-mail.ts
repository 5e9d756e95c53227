import type { UserRow } from '../../db/schema/users.ts'
import type { Mail } from '../../integrations/mailer.ts'
import { greeting, minuteOf } from './code-mail.ts'

export const newDeviceMail = (user: UserRow, { device, ip, at }: { device: string; ip: string; at: string }): Mail => ({
  to: user.email,
  subject: `New sign-in to Parley: ${device}`,
  text: `${greeting(user)}

Your account was signed in to on a device that you have not used before:

    Device:   ${device}
    Time:     ${minuteOf(at)}
    Address:  ${ip}

If it was you, you need not do anything.

If it was not you, sign in, revoke that session in the list of your sessions, revoke API keys that you do not know, and change your password at once.
`,
})
