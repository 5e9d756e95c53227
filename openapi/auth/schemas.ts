import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { SessionId } from '../shared/ids.ts'
import { Email, storableText, Timestamp } from '../shared/scalars.ts'
import { CompanyCustomerId, PersonName, Phone, User, Username } from '../users/schemas.ts'

const Password = Type.String({ minLength: 8, maxLength: 128, pattern: storableText })
const Code = Type.String({ pattern: '^[0-9]{6}$', description: 'The 6 digits that were mailed; valid for 10 minutes, once, 5 tries' })
const RefreshToken = Type.String({ pattern: '^rt_[A-Za-z0-9_-]{43}$', description: 'Opaque; valid for 7 days, once: every refresh returns the next one' })

export const RegisterRequest = component(
  'RegisterRequest',
  closed(
    {
      email: Email,
      password: Type.Optional(described(Password, '8–128 characters, as in `auth.resetPassword`; without it, sign in by mailed codes')),
      username: Type.Optional(Username),
      displayName: Type.Optional(described(PersonName, 'What others see: 1–100 characters')),
      firstName: Type.Optional(described(PersonName, 'For yourself: others do not see it')),
      lastName: Type.Optional(described(PersonName, 'For yourself: others do not see it')),
      phone: Type.Optional(Phone),
      companyCustomerId: Type.Optional(CompanyCustomerId),
    },
    { description: 'Who registers; the address alone is enough' },
  ),
)
export type RegisterRequest = Static<typeof RegisterRequest>

export const RegisterResult = component(
  'RegisterResult',
  Type.Object({ user: described(ref(User), 'You, as you are registered') }, { description: 'Who has registered' }),
)
export type RegisterResult = Static<typeof RegisterResult>

export const RequestCodeRequest = component('RequestCodeRequest', closed({ email: Email }, { description: 'Where to mail a code' }))

export const VerifyEmailRequest = component(
  'VerifyEmailRequest',
  closed({ email: Email, code: Code }, { description: 'A code, and the address that it was mailed to' }),
)

export const LoginRequest = component(
  'LoginRequest',
  closed(
    {
      identifier: Type.String({ minLength: 3, maxLength: 255, pattern: storableText, description: 'E-mail address or username' }),
      password: Type.String({ minLength: 1, maxLength: 128, description: 'The one that was given when registering' }),
    },
    { description: 'Who signs in, with the password' },
  ),
)

export const RefreshRequest = component('RefreshRequest', closed({ refreshToken: RefreshToken }, { description: 'The token to exchange' }))

export const TokenPair = component(
  'TokenPair',
  Type.Object(
    {
      accessToken: Type.String({ description: 'JWT for `Authorization: Bearer`' }),
      refreshToken: RefreshToken,
      expiresInSeconds: Type.Integer({ description: 'Until the access token expires' }),
      refreshExpiresInSeconds: Type.Integer({ description: 'Until the refresh token expires' }),
      tokenType: oneOfWords(['Bearer'], { description: 'How to send the access token' }),
      user: described(ref(User), 'Who is signed in'),
    },
    { description: 'A session: the tokens to go on with' },
  ),
)
export type TokenPair = Static<typeof TokenPair>

const NewPassword = described(
  Password,
  '8–128 characters, none of the commonest passwords, and without your address, what stands before its `@`, your username or the name of this product',
)
const OneTimeToken = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'The token that was mailed; valid for 15 minutes, once' })

export const ForgotPasswordRequest = component('ForgotPasswordRequest', closed({ email: Email }, { description: 'Whose password is forgotten' }))

export const ResetPasswordRequest = component(
  'ResetPasswordRequest',
  closed({ token: OneTimeToken, password: NewPassword }, { description: 'A mailed token, and the password to have from now on' }),
)

export const ChangePasswordRequest = component(
  'ChangePasswordRequest',
  closed(
    { currentPassword: Type.String({ minLength: 1, maxLength: 128, description: 'The one that you have' }), newPassword: NewPassword },
    { description: 'The password that you have, and the one to have from now on' },
  ),
)

export const Session = component(
  'Session',
  Type.Object(
    {
      id: SessionId,
      current: Type.Boolean({ description: 'Whether it is the one that asks' }),
      kind: oneOfWords(['token', 'cookie'], { description: 'Whether it goes on by refresh tokens or by a cookie' }),
      device: Type.String({ description: 'Browser or program and system, as far as the request told: `Firefox on Linux`; `Unknown device` otherwise' }),
      ip: nullable(Type.String({ description: 'The address that it was used from last; null where that is not known' })),
      createdAt: described(Timestamp, 'When it began: ISO 8601, UTC, milliseconds'),
      lastSeen: described(
        Timestamp,
        'When it was used last, as far as tokens were refreshed or the cookie was seen (every 10 minutes while a socket is open by it): ISO 8601, UTC',
      ),
      expiresAt: described(Timestamp, 'When it ends unless it is used: ISO 8601, UTC'),
    },
    { description: 'One sign-in on one device, with all the tokens that follow from it' },
  ),
)
export type Session = Static<typeof Session>

export const RevokeAllRequest = component(
  'RevokeAllRequest',
  closed(
    { exceptCurrent: Type.Optional(Type.Boolean({ description: 'Leave the session that asks; false unless said otherwise' })) },
    { description: 'Which sessions to end' },
  ),
)

export const RevokeAllResult = component(
  'RevokeAllResult',
  Type.Object({ revokedCount: Type.Integer({ description: 'How many sessions ended' }) }, { description: 'What was ended' }),
)

export const StartCookieSessionRequest = component(
  'StartCookieSessionRequest',
  closed(
    {
      refreshToken: RefreshToken,
      rememberMe: Type.Optional(Type.Boolean({ description: 'Whether the cookie outlives the browser, for 30 days; false unless said otherwise' })),
    },
    { description: 'The refresh token of a fresh sign-in, which is used up by it' },
  ),
)

export const CookieSession = component(
  'CookieSession',
  Type.Object(
    {
      user: described(ref(User), 'Who is signed in'),
      expiresAt: described(Timestamp, 'When the cookie stops working at the latest: ISO 8601, UTC'),
    },
    { description: 'A session that goes on by a cookie' },
  ),
)
export type CookieSession = Static<typeof CookieSession>

export const OAuthProvider = component(
  'OAuthProvider',
  Type.Object(
    {
      id: Type.String({ description: 'Its name in paths: `google`, `github`, or as it is configured' }),
      name: Type.String({ description: 'Its name for people' }),
      startUrl: Type.String({ description: "Where to send the browser, relative to the API's address; add `redirectUri` and `codeChallenge`" }),
    },
    { description: 'Where else one can sign in' },
  ),
)
export type OAuthProvider = Static<typeof OAuthProvider>

export const OAuthProviders = component(
  'OAuthProviders',
  Type.Object({ providers: Type.Array(ref(OAuthProvider), { description: 'All that are configured' }) }, { description: 'Where else one can sign in' }),
)

export const ExchangeOAuthRequest = component(
  'ExchangeOAuthRequest',
  closed(
    {
      code: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'The one-time `code` that the browser came back with; valid for a minute' }),
      codeVerifier: Type.String({
        minLength: 43,
        maxLength: 128,
        pattern: '^[A-Za-z0-9._~-]{43,128}$',
        description: 'What `codeChallenge` was made of (RFC 7636, section 4.1)',
      }),
    },
    { description: 'A one-time code, and the proof that the one who exchanges it is the one who began' },
  ),
)
