import { defineOperation, ref } from '../contract.ts'
import { ChangePasswordRequest, ForgotPasswordRequest, ResetPasswordRequest } from './schemas.ts'

export const forgotPassword = defineOperation({
  operationId: 'auth.forgotPassword',
  method: 'POST',
  path: '/v1/auth/password/forgot',
  summary: 'Ask for a new password',
  description:
    'Mails a token for `auth.resetPassword`, valid for 15 minutes, once; it voids the ones before. At most 3 such mails go to one address within 10 minutes. The answer is the same in every case, also for an address that nobody has.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(ForgotPasswordRequest),
  examples: { any: { email: 'alice@example.com' } },
  responses: { 202: { description: 'If the address is known and the limit of mails not reached, a token is on its way' } },
  errors: [],
})

export const resetPassword = defineOperation({
  operationId: 'auth.resetPassword',
  method: 'POST',
  path: '/v1/auth/password/reset',
  summary: 'Set a new password with a mailed token',
  description:
    'Ends all sessions, and no API keys; a mail says how many of them still work. Marks the address as verified. Sign in with the new password afterwards.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(ResetPasswordRequest),
  examples: { any: { token: '2mHnGWTfrJ0V5b8Jc0vJ0g0w0yqQ2t3y4u5i6o7p8a9', password: 'correct horse battery' } },
  responses: { 204: { description: 'The password is set' } },
  errors: ['invalid_token'],
})

export const changePassword = defineOperation({
  operationId: 'auth.changePassword',
  method: 'POST',
  path: '/v1/auth/password/change',
  summary: 'Change your password',
  description:
    'Ends all other sessions, and no API keys; a mail says how many of them still work. Who has no password yet sets one by `auth.forgotPassword`. Wrong ones slow down, as in `auth.login`.',
  access: 'session',
  rateLimit: 'auth',
  body: ref(ChangePasswordRequest),
  examples: { any: { currentPassword: 'correct horse battery', newPassword: 'better horse battery' } },
  responses: { 204: { description: 'The password is changed' } },
  errors: ['invalid_credentials'],
})
