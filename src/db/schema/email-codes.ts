/**
 * The last code that was asked for by an address, one row each, so that a new code voids the old. Addresses without an account
 * have rows too: asking for a code and guessing it costs the same time whether the address is known or not.
 */
import { sql } from 'drizzle-orm'
import { check, index, pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'

export const emailCodes = pgTable(
  'email_codes',
  {
    /** In lower case. */
    email: text().primaryKey(),
    /** The request that the code answers, a UUIDv7: a later one has a higher id. */
    requestId: uuid().notNull(),
    /** HMAC-SHA256 under a key that the database does not hold: a million codes are quickly tried. */
    codeHash: text().notNull(),
    expiresAt: timestamp({ withTimezone: true }).notNull(),
    /** Right or wrong. */
    tries: smallint().notNull().default(0),
    usedAt: timestamp({ withTimezone: true }),
    /** When the last codes were made, the newest first, as many as may be mailed within a while. */
    issuedAt: timestamp({ withTimezone: true }).array().notNull(),
  },
  (table) => [index('email_codes_expires_at').on(table.expiresAt), check('email_codes_tries', sql`${table.tries} >= 0`)],
)

export type EmailCodeRow = typeof emailCodes.$inferSelect
