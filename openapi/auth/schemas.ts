import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, oneOfWords, ref } from '../contract.ts'
import { Email, storableText } from '../shared/scalars.ts'
import { CompanyCustomerId, PersonName, Phone, User, Username } from '../users/schemas.ts'

const Password = Type.String({ minLength: 8, maxLength: 128, pattern: '^[^\\u0000]*$' })
const Code = Type.String({ pattern: '^[0-9]{6}$', description: 'The 6 digits that were mailed; valid for 10 minutes, once, 5 tries' })
const RefreshToken = Type.String({ pattern: '^rt_[A-Za-z0-9_-]{43}$', description: 'Opaque; valid for 7 days, once: every refresh returns the next one' })

export const RegisterRequest = component(
  'RegisterRequest',
  closed(
    {
      email: Email,
      password: Type.Optional(described(Password, '8–128 characters; without it, sign in by mailed codes')),
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
