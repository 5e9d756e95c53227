import { type Static, Type } from '@sinclair/typebox'
import { component, nullable, oneOfWords } from '../contract.ts'
import { UserId } from '../shared/ids.ts'
import { Email, storableText, Timestamp } from '../shared/scalars.ts'

export const Username = Type.String({ pattern: '^[A-Za-z0-9_.-]{3,32}$', description: '3–32 letters, digits, `_`, `.`, `-`; unique in any letter case' })
export const PersonName = Type.String({ minLength: 1, maxLength: 100, pattern: storableText })
export const Phone = Type.String({ pattern: '^\\+[0-9]{7,15}$', description: 'International format: `+` and 7–15 digits' })
export const CompanyCustomerId = Type.String({ pattern: '^[A-Za-z0-9]{6,20}$', description: '6–20 letters and digits' })
export const Role = oneOfWords(['user', 'admin'])
export type Role = Static<typeof Role>

/** What others may see of a user. */
export const UserSummary = component(
  'UserSummary',
  Type.Object({
    id: UserId,
    username: nullable(Type.String()),
    displayName: nullable(Type.String()),
  }),
)
export type UserSummary = Static<typeof UserSummary>

/** What users see of themselves. */
export const User = component(
  'User',
  Type.Object({
    id: UserId,
    email: Email,
    emailVerified: Type.Boolean(),
    username: nullable(Type.String()),
    displayName: nullable(Type.String()),
    firstName: nullable(Type.String()),
    lastName: nullable(Type.String()),
    phone: nullable(Type.String()),
    companyCustomerId: nullable(Type.String()),
    role: Role,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  }),
)
export type User = Static<typeof User>
