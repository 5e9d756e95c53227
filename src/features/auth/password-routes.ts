import type * as operations from '../../../openapi/auth/password-operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { PasswordService } from './password-service.ts'

export const passwordRoutes = (passwords: PasswordService): Handlers<typeof operations> => ({
  'auth.forgotPassword': ({ body, caller }) => passwords.requestReset(body.email, caller),
  'auth.resetPassword': ({ body, caller }) => passwords.reset(body.token, body.password, caller),
  'auth.changePassword': ({ actor, body, caller }) => passwords.change(actor, body.currentPassword, body.newPassword, caller),
})
