import { type Static, Type } from '@sinclair/typebox'
import { component, described, nullable, oneOfWords } from '../contract.ts'
import { UserId } from '../shared/ids.ts'
import { Email, storableText, Timestamp } from '../shared/scalars.ts'

export const Username = Type.String({ pattern: '^[A-Za-z0-9_.-]{3,32}$', description: '3–32 letters, digits, `_`, `.`, `-`; unique in any letter case' })
export const PersonName = Type.String({ minLength: 1, maxLength: 100, pattern: storableText })
export const Phone = Type.String({ pattern: '^\\+[0-9]{7,15}$', description: 'International format: `+` and 7–15 digits' })
export const CompanyCustomerId = Type.String({ pattern: '^[A-Za-z0-9]{6,20}$', description: '6–20 letters and digits' })
export const Role = oneOfWords(['user', 'admin'], { description: 'What you may do on this server: `admin` is for whoever runs it' })
export type Role = Static<typeof Role>

/** What others may see of a user. */
export const UserSummary = component(
  'UserSummary',
  Type.Object(
    {
      id: UserId,
      username: nullable(Type.String({ description: 'Unique in any letter case; null when there is none' })),
      displayName: nullable(Type.String({ description: 'The name to show; null when none was given' })),
    },
    { description: 'What others may see of a user' },
  ),
)
export type UserSummary = Static<typeof UserSummary>

/** What users see of themselves. */
export const User = component(
  'User',
  Type.Object(
    {
      id: UserId,
      email: Email,
      emailVerified: Type.Boolean({ description: 'Whether a code that was mailed there has been used' }),
      username: nullable(Type.String({ description: 'Unique in any letter case; null when there is none' })),
      displayName: nullable(Type.String({ description: 'The name to show; null when none was given' })),
      firstName: nullable(Type.String({ description: 'Null when none was given' })),
      lastName: nullable(Type.String({ description: 'Null when none was given' })),
      phone: nullable(Type.String({ description: 'In international format; null when none was given' })),
      companyCustomerId: nullable(Type.String({ description: 'Null when none was given' })),
      role: Role,
      createdAt: described(Timestamp, 'When you registered: ISO 8601, UTC, milliseconds'),
      updatedAt: described(Timestamp, 'When something of this changed last: ISO 8601, UTC, milliseconds'),
    },
    { description: 'You: what users see of themselves' },
  ),
)
export type User = Static<typeof User>
