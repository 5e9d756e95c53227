import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { UserId } from '../shared/ids.ts'
import { page } from '../shared/pagination.ts'
import { Email, storableText, Timestamp } from '../shared/scalars.ts'

export const Username = Type.String({ pattern: '^[A-Za-z0-9_.-]{3,32}$', description: '3–32 letters, digits, `_`, `.`, `-`; unique in any letter case' })
export const PersonName = Type.String({ minLength: 1, maxLength: 100, pattern: storableText })
export const Phone = Type.String({ pattern: '^\\+[0-9]{7,15}$', description: 'International format: `+` and 7–15 digits' })
export const CompanyCustomerId = Type.String({ pattern: '^[A-Za-z0-9]{6,20}$', description: '6–20 letters and digits' })
export const Role = oneOfWords(['user', 'admin'], { description: 'What you may do on this server: `admin` is for whoever runs it' })
export type Role = Static<typeof Role>

const Bio = Type.String({ maxLength: 1000, pattern: storableText, description: 'A few words about oneself: up to 1,000 characters' })
const Location = Type.String({ maxLength: 100, pattern: storableText, description: 'Where one is, in words: up to 100 characters' })
const Timezone = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_+/-]{1,64}$', description: 'IANA name, such as `America/New_York`' })
const Locale = Type.String({ minLength: 2, maxLength: 35, pattern: '^[A-Za-z0-9-]{2,35}$', description: 'BCP 47 language tag, such as `en-US`' })

const Theme = oneOfWords(['light', 'dark'], { description: 'How a client looks' })

export const UserSettings = component(
  'UserSettings',
  Type.Object(
    {
      notificationsEnabled: Type.Boolean({ description: 'Whether clients notify of new messages; true unless set' }),
      soundEnabled: Type.Boolean({ description: 'Whether clients play sounds; true unless set' }),
      theme: described(Theme, 'How clients look; `light` unless set'),
    },
    { description: 'What clients of this user keep to, on every device' },
  ),
)
export type UserSettings = Static<typeof UserSettings>

const AvatarUrl = nullable(
  Type.String({
    description:
      "Where the picture is, relative to the API's address: WebP, 512 × 512 pixels; another one has another address, so it may be cached for ever. Null without one",
  }),
)

/** What is shown of somebody who has a socket open. */
const presenceWords = ['online', 'away', 'busy', 'offline'] as const
export const ChosenPresence = oneOfWords(presenceWords, {
  description:
    'What others are shown while you have a socket open; `offline` hides you, and when you come and go meanwhile. It stays until you set another one',
})
export type ChosenPresence = Static<typeof ChosenPresence>
export const PresenceStatus = oneOfWords(presenceWords, {
  description: '`online`, or the `away` or `busy` that the user has set, while a socket is open; otherwise `offline`',
})
export type PresenceStatus = Static<typeof PresenceStatus>

const LastSeen = nullable(described(Timestamp, 'When the user had a socket open last, to some seconds: ISO 8601, UTC; null if never, or not for you to see'))

export const Presence = component(
  'Presence',
  Type.Object({ userId: UserId, status: PresenceStatus, lastSeen: LastSeen }, { description: 'Whether somebody is there' }),
)
export type Presence = Static<typeof Presence>

/** What others may see of a user, wherever one is mentioned. */
export const UserSummary = component(
  'UserSummary',
  Type.Object(
    {
      id: UserId,
      username: nullable(Type.String({ description: 'Unique in any letter case; null when there is none' })),
      displayName: nullable(Type.String({ description: 'The name to show; null when none was given' })),
      avatarUrl: AvatarUrl,
      deleted: Type.Boolean({ description: 'The account was erased: show it as "deleted user"' }),
    },
    { description: 'What others may see of a user, wherever one is mentioned' },
  ),
)
export type UserSummary = Static<typeof UserSummary>

/** The public page of a user. */
export const UserProfile = component(
  'UserProfile',
  Type.Object(
    {
      ...UserSummary.properties,
      bio: nullable(described(Bio, 'A few words about oneself; null when none were given')),
      location: nullable(described(Location, 'Where one is, in words; null when it was not given')),
      status: PresenceStatus,
      lastSeen: LastSeen,
      createdAt: described(Timestamp, 'When the user registered: ISO 8601, UTC, milliseconds'),
    },
    { description: 'What others may see of a user who is looked up' },
  ),
)
export type UserProfile = Static<typeof UserProfile>

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
      phone: nullable(Type.String({ description: 'In E.164: `+` and digits; null when none was given' })),
      companyCustomerId: nullable(Type.String({ description: 'Null when none was given' })),
      bio: nullable(described(Bio, 'A few words about yourself; null when none were given')),
      location: nullable(described(Location, 'Where you are, in words; null when it was not given')),
      timezone: nullable(described(Timezone, 'IANA name; null when it was not given')),
      locale: nullable(described(Locale, 'BCP 47 language tag; null when it was not given')),
      settings: described(ref(UserSettings), 'What your clients keep to, on every device'),
      avatarUrl: AvatarUrl,
      role: Role,
      hasPassword: Type.Boolean({ description: 'Whether you can sign in with a password' }),
      presence: ChosenPresence,
      deletionAt: nullable(described(Timestamp, 'When the account will be erased, unless you sign in before: ISO 8601, UTC; null when that was not asked for')),
      createdAt: described(Timestamp, 'When you registered: ISO 8601, UTC, milliseconds'),
      updatedAt: described(Timestamp, 'When something of this changed last: ISO 8601, UTC, milliseconds'),
    },
    { description: 'You: what users see of themselves' },
  ),
)
export type User = Static<typeof User>

const profileFields = {
  username: Type.Optional(nullable(Username)),
  displayName: Type.Optional(nullable(described(PersonName, 'What others see: 1–100 characters; null for none'))),
  firstName: Type.Optional(nullable(described(PersonName, 'For yourself: others do not see it; null for none'))),
  lastName: Type.Optional(nullable(described(PersonName, 'For yourself: others do not see it; null for none'))),
  phone: Type.Optional(nullable(described(Phone, 'International format: `+` and 7–15 digits; null for none'))),
  companyCustomerId: Type.Optional(nullable(described(CompanyCustomerId, '6–20 letters and digits; null for none'))),
  bio: Type.Optional(nullable(Bio)),
  location: Type.Optional(nullable(Location)),
  timezone: Type.Optional(nullable(Timezone)),
  locale: Type.Optional(nullable(Locale)),
}

export const UpdateMeRequest = component(
  'UpdateMeRequest',
  closed(
    {
      ...profileFields,
      settings: Type.Optional(
        closed(
          {
            notificationsEnabled: Type.Optional(UserSettings.properties.notificationsEnabled),
            soundEnabled: Type.Optional(UserSettings.properties.soundEnabled),
            theme: Type.Optional(UserSettings.properties.theme),
          },
          { description: 'What is left out stays as it is', minProperties: 1 },
        ),
      ),
    },
    { description: 'What to change of your profile; what is left out stays as it is, and null takes it away', minProperties: 1 },
  ),
)
export type UpdateMeRequest = Static<typeof UpdateMeRequest>

export const SetPresenceRequest = component('SetPresenceRequest', closed({ status: ChosenPresence }, { description: 'What others shall be shown' }))

const Reason = Type.String({ minLength: 1, maxLength: 500, pattern: storableText, description: 'Why, in words: up to 500 characters' })

export const DeleteMeRequest = component(
  'DeleteMeRequest',
  closed(
    { confirmEmail: described(Email, 'The address of the account, so that it is not deleted by mistake'), reason: Type.Optional(Reason) },
    { description: 'That you really want this' },
  ),
)

export const ScheduledDeletion = component(
  'ScheduledDeletion',
  Type.Object({ deletionAt: described(Timestamp, 'When the account will be erased: ISO 8601, UTC') }, { description: 'An account that is going to be erased' }),
)
export type ScheduledDeletion = Static<typeof ScheduledDeletion>

/** A page of users, with their number where that was asked for. */
export const userPage = Type.Object({
  ...page(ref(UserProfile)).properties,
  total: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description: 'How many fit, where `includeTotal` asks for it. Counted up to 10,000, of a search up to 1,000: these stand for "so many, or more"',
    }),
  ),
})

export const BlockedUser = component(
  'BlockedUser',
  Type.Object(
    { user: described(ref(UserSummary), 'Who is blocked'), blockedAt: described(Timestamp, 'Since when: ISO 8601, UTC, milliseconds') },
    { description: 'A user whom you have blocked' },
  ),
)
export type BlockedUser = Static<typeof BlockedUser>

/** What administrators see of a user. */
export const AdminUser = component(
  'AdminUser',
  Type.Object(
    {
      ...User.properties,
      suspendedAt: nullable(described(Timestamp, 'Since when the user may not sign in: ISO 8601, UTC; null for those who may')),
      lastSeen: nullable(
        described(
          Timestamp,
          'When the user had a socket open last, to some seconds, and for one who hides when that began: ISO 8601, UTC; null if never. No block keeps it from you',
        ),
      ),
      deleted: Type.Boolean({ description: 'The account was erased: nothing of the person is left in it' }),
    },
    { description: 'What administrators see of a user' },
  ),
)
export type AdminUser = Static<typeof AdminUser>

export const CreateUserRequest = component(
  'CreateUserRequest',
  closed(
    {
      email: Email,
      username: Type.Optional(Username),
      displayName: Type.Optional(described(PersonName, 'What others see: 1–100 characters')),
      firstName: Type.Optional(described(PersonName, '1–100 characters')),
      lastName: Type.Optional(described(PersonName, '1–100 characters')),
      phone: Type.Optional(Phone),
      companyCustomerId: Type.Optional(CompanyCustomerId),
      role: Type.Optional(described(Role, 'What the user may do; `user` unless said otherwise')),
      emailVerified: Type.Optional(Type.Boolean({ description: 'You know that the address is theirs; false unless said otherwise' })),
      reason: Type.Optional(Reason),
    },
    { description: 'Whom to create. There is no password in it: the user is mailed a code, and sets one by `auth.forgotPassword` if they want one' },
  ),
)
export type CreateUserRequest = Static<typeof CreateUserRequest>

export const UpdateUserRequest = component(
  'UpdateUserRequest',
  closed(
    {
      ...profileFields,
      role: Type.Optional(described(Role, 'What the user may do; all their sessions end when it changes')),
      suspended: Type.Optional(Type.Boolean({ description: 'Whether the user may not sign in; all their sessions end when it begins' })),
      reason: Type.Optional(Reason),
    },
    { description: 'What to change of a user, a reason alone being nothing; what is left out stays as it is, and null takes it away', minProperties: 1 },
  ),
)
export type UpdateUserRequest = Static<typeof UpdateUserRequest>

export const RevokeUserSessionsRequest = component('RevokeUserSessionsRequest', closed({ reason: Type.Optional(Reason) }, { description: 'Why' }))

export const DeleteUserRequest = component('DeleteUserRequest', closed({ reason: Type.Optional(Reason) }, { description: 'Why' }))
