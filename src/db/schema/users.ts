import { sql } from 'drizzle-orm'
import { check, index, jsonb, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { ChosenPresence, Role, UserSettings } from '../../../openapi/users/schemas.ts'

const moment = () => timestamp({ withTimezone: true })

export const users = pgTable(
  'users',
  {
    id: uuid().$type<UserId>().primaryKey(),
    /** In lower case: one address is one account, whatever case it is written in. Of an erased user it is one that cannot be. */
    email: text().notNull(),
    emailVerifiedAt: moment(),
    username: text(),
    displayName: text(),
    firstName: text(),
    lastName: text(),
    phone: text(),
    companyCustomerId: text(),
    bio: text(),
    location: text(),
    /** IANA name. */
    timezone: text(),
    /** BCP 47. */
    locale: text(),
    /** Only what was set; the rest has defaults. */
    settings: jsonb().$type<Partial<UserSettings>>().notNull().default({}),
    /** Of the stored image, and the end of its address; a new one for every image. */
    avatarKey: text(),
    role: text().$type<Role>().notNull().default('user'),
    /** argon2id in the PHC string format; null for those who sign in by mailed codes or another provider. */
    passwordHash: text(),
    /** What others are shown while a socket is open. */
    presence: text().$type<ChosenPresence>().notNull().default('online'),
    /** When a socket of this user was open last, to some seconds; null before the first. */
    lastSeenAt: moment(),
    suspendedAt: moment(),
    /** When the account is to be erased; signing in before that cancels it. */
    deletionAt: moment(),
    /** When it was erased: the row stays for the messages, with nothing of the person in it. */
    erasedAt: moment(),
    createdAt: moment().notNull().defaultNow(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email_unique').on(table.email),
    uniqueIndex('users_username_unique').on(sql`lower(${table.username})`),
    index('users_email_prefix').on(sql`lower(${table.email}) text_pattern_ops`),
    index('users_username_prefix').on(sql`lower(${table.username}) text_pattern_ops`),
    // With the id, so that those of one name have an order too.
    index('users_display_name_prefix').on(sql`lower(${table.displayName}) text_pattern_ops`, table.id),
    index('users_username_likeness').using('gin', sql`lower(${table.username}) gin_trgm_ops`),
    index('users_display_name_likeness').using('gin', sql`lower(${table.displayName}) gin_trgm_ops`),
    // No order: whoever reads along it finds what is common soon, wherever in time or in the alphabet it is.
    index('users_shuffled').on(sql`uuid_hash(${table.id})`, table.id),
    index('users_created_at').on(table.createdAt, table.id),
    index('users_admins').on(table.createdAt, table.id).where(sql`${table.role} = 'admin'`),
    index('users_deletion_at').on(table.deletionAt).where(sql`${table.deletionAt} is not null`),
    check('users_email_lower_case', sql`${table.email} = lower(${table.email})`),
    check('users_role', sql`${table.role} in ('user', 'admin')`),
    check('users_presence', sql`${table.presence} in ('online', 'away', 'busy', 'offline')`),
  ],
)

export type UserRow = typeof users.$inferSelect

/** What others see of a user wherever one is mentioned. */
export const userSummary = { id: users.id, username: users.username, displayName: users.displayName, avatarKey: users.avatarKey, erasedAt: users.erasedAt }
export type UserSummaryRow = Pick<UserRow, keyof typeof userSummary>

/** Who has blocked whom. */
export const blocks = pgTable(
  'blocks',
  {
    blockerId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    blockedId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: moment().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.blockerId, table.blockedId] }),
    index('blocks_blocked').on(table.blockedId),
    check('blocks_others', sql`${table.blockerId} <> ${table.blockedId}`),
  ],
)

export type BlockRow = typeof blocks.$inferSelect
