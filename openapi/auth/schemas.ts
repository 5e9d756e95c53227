import { type Static, Type } from '@sinclair/typebox'
import { closed, component, ref } from '../contract.ts'
import { Email, storableText } from '../shared/scalars.ts'
import { CompanyCustomerId, PersonName, Phone, User, Username } from '../users/schemas.ts'

const Password = Type.String({ minLength: 8, maxLength: 128, pattern: '^[^\\u0000]*$' })
const Code = Type.String({ pattern: '^[0-9]{6}$', description: 'The 6 digits that were mailed; valid for 10 minutes, once, 5 tries' })
const RefreshToken = Type.String({ pattern: '^rt_[A-Za-z0-9_-]{43}$', description: 'Opaque; valid for 7 days, once: every refresh returns the next one' })

export const RegisterRequest = component(
  'RegisterRequest',
  closed({
    email: Email,
    password: Type.Optional(Type.Unsafe<string>({ ...Password, description: '8–128 characters; without it, sign in by mailed codes' })),
    username: Type.Optional(Username),
    displayName: Type.Optional(PersonName),
    firstName: Type.Optional(PersonName),
    lastName: Type.Optional(PersonName),
    phone: Type.Optional(Phone),
    companyCustomerId: Type.Optional(CompanyCustomerId),
  }),
)
export type RegisterRequest = Static<typeof RegisterRequest>

export const RegisterResult = component('RegisterResult', Type.Object({ user: ref(User) }))
export type RegisterResult = Static<typeof RegisterResult>

export const RequestCodeRequest = component('RequestCodeRequest', closed({ email: Email }))

export const VerifyEmailRequest = component('VerifyEmailRequest', closed({ email: Email, code: Code }))

export const LoginRequest = component(
  'LoginRequest',
  closed({
    identifier: Type.String({ minLength: 3, maxLength: 255, pattern: storableText, description: 'E-mail address or username' }),
    password: Type.String({ minLength: 1, maxLength: 128 }),
  }),
)

export const RefreshRequest = component('RefreshRequest', closed({ refreshToken: RefreshToken }))

export const TokenPair = component(
  'TokenPair',
  Type.Object({
    accessToken: Type.String({ description: 'JWT for `Authorization: Bearer`' }),
    refreshToken: RefreshToken,
    expiresInSeconds: Type.Integer({ description: 'Until the access token expires' }),
    refreshExpiresInSeconds: Type.Integer({ description: 'Until the refresh token expires' }),
    tokenType: Type.Unsafe<'Bearer'>({ type: 'string', enum: ['Bearer'] }),
    user: ref(User),
  }),
)
export type TokenPair = Static<typeof TokenPair>
