import { sql } from 'drizzle-orm'
import { check, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Role } from '../../../openapi/users/schemas.ts'

export const users = pgTable(
  'users',
  {
    id: uuid().$type<UserId>().primaryKey(),
    /** In lower case: one address is one account, whatever case it is written in. */
    email: text().notNull(),
    emailVerifiedAt: timestamp({ withTimezone: true }),
    username: text(),
    displayName: text(),
    firstName: text(),
    lastName: text(),
    phone: text(),
    companyCustomerId: text(),
    role: text().$type<Role>().notNull().default('user'),
    /** argon2id in the PHC string format; null for those who sign in by mailed codes. */
    passwordHash: text(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('users_email_unique').on(table.email),
    uniqueIndex('users_username_unique').on(sql`lower(${table.username})`),
    check('users_email_lower_case', sql`${table.email} = lower(${table.email})`),
    check('users_role', sql`${table.role} in ('user', 'admin')`),
  ],
)

export type UserRow = typeof users.$inferSelect
