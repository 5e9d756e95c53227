import { defineOperation, ref } from '../contract.ts'
import { aliceExample } from '../users/examples.ts'
import { User } from '../users/schemas.ts'
import { tokenPairExample } from './examples.ts'
import { LoginRequest, RefreshRequest, RegisterRequest, RegisterResult, RequestCodeRequest, TokenPair, VerifyEmailRequest } from './schemas.ts'

export const register = defineOperation({
  operationId: 'auth.register',
  method: 'POST',
  path: '/v1/auth/register',
  summary: 'Register',
  description:
    'With a password, or with the e-mail address alone. A 6-digit code is mailed either way; `auth.verifyEmail` turns it into tokens. Where the server is configured to hide which addresses are taken, the answer is the same for one that is, with an id of nobody, and the mail tells its owner; `username` is refused there, and chosen after verifying, with `users.updateMe`.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(RegisterRequest),
  examples: {
    password: { email: 'alice@example.com', password: 'correct horse battery', username: 'alice', displayName: 'Alice Liddell' },
    emailAlone: { email: 'alice@example.com', firstName: 'Alice', lastName: 'Liddell' },
  },
  responses: {
    201: { description: 'Registered; the code is on its way', body: ref(RegisterResult), example: { user: { ...aliceExample, emailVerified: false } } },
  },
  errors: ['conflict'],
})

export const requestCode = defineOperation({
  operationId: 'auth.requestCode',
  method: 'POST',
  path: '/v1/auth/code',
  summary: 'Request a code by e-mail',
  description:
    'To sign in without a password, or to get another verification code; it voids the ones before. At most 3 mails go to one address within 10 minutes, the one of `auth.register` included: a request beyond them mails nothing and voids nothing. The answer is the same in every case, also for an address that nobody has.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(RequestCodeRequest),
  examples: { any: { email: 'alice@example.com' } },
  responses: { 202: { description: 'If the address is known and the limit of mails not reached, a code is on its way; it voids the ones before' } },
  errors: [],
})

export const verifyEmail = defineOperation({
  operationId: 'auth.verifyEmail',
  method: 'POST',
  path: '/v1/auth/verify-email',
  summary: 'Sign in with a mailed code',
  description:
    'Marks the address as verified and starts a session. A password given at registration holds only when the address is verified with the code of that registration: otherwise a stranger could have chosen it. Wrong codes slow down, by account and by network: `rate_limit_exceeded` says how long to wait.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(VerifyEmailRequest),
  examples: { any: { email: 'alice@example.com', code: '123456' } },
  responses: { 200: { description: 'Signed in', body: ref(TokenPair), example: tokenPairExample } },
  errors: ['invalid_code', 'account_suspended'],
})

export const login = defineOperation({
  operationId: 'auth.login',
  method: 'POST',
  path: '/v1/auth/login',
  summary: 'Sign in with a password',
  description:
    'For whoever registered with one and has verified the address; everybody else signs in with `auth.requestCode` and `auth.verifyEmail`. Wrong passwords slow down, by account and by network: `rate_limit_exceeded` says how long to wait. A mailed code signs in meanwhile.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(LoginRequest),
  examples: { any: { identifier: 'alice@example.com', password: 'correct horse battery' } },
  responses: { 200: { description: 'Signed in', body: ref(TokenPair), example: tokenPairExample } },
  errors: ['invalid_credentials', 'email_not_verified', 'account_suspended'],
})

export const refresh = defineOperation({
  operationId: 'auth.refresh',
  method: 'POST',
  path: '/v1/auth/refresh',
  summary: 'Exchange a refresh token for the next pair',
  description:
    'A refresh token works once. Used again within 10 seconds (a lost answer), it returns the same next token, as long as that was not used itself; used again later, it is taken for stolen and the whole session is revoked. However often it is refreshed, a session ends 90 days after its sign-in.',
  access: 'public',
  rateLimit: 'public',
  repeatable: true,
  body: ref(RefreshRequest),
  examples: { any: { refreshToken: tokenPairExample.refreshToken } },
  responses: { 200: { description: 'The next pair', body: ref(TokenPair), example: tokenPairExample } },
  errors: ['unauthorized', 'token_family_compromised'],
})

export const logout = defineOperation({
  operationId: 'auth.logout',
  method: 'POST',
  path: '/v1/auth/logout',
  summary: 'Sign out',
  description: 'Ends the session that asks: its refresh token, its access tokens, its cookie and its sockets end at once.',
  access: 'session',
  rateLimit: 'default',
  repeatable: true,
  responses: { 204: { description: 'Signed out' } },
  errors: [],
})

export const me = defineOperation({
  operationId: 'auth.me',
  method: 'GET',
  path: '/v1/auth/me',
  summary: 'Get the signed-in user',
  access: 'user',
  rateLimit: 'default',
  responses: { 200: { description: 'You', body: ref(User), example: aliceExample } },
  errors: [],
})
