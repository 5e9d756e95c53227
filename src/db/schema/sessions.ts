/**
 * A session is one sign-in on one device. Its refresh tokens form a family, of which at most the newest is good; the older ones
 * stay until they expire, because one that comes back tells of theft.
 */
import { sql } from 'drizzle-orm'
import { boolean, check, index, pgTable, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import { users } from './users.ts'

export type RevokedReason =
  | 'logout'
  | 'refresh_reuse'
  | 'revoked'
  | 'password_changed'
  | 'password_reset'
  | 'oauth_code_reuse'
  | 'role_changed'
  | 'suspended'
  | 'deletion'

export const sessions = pgTable(
  'sessions',
  {
    id: uuid().$type<SessionId>().primaryKey(),
    userId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: timestamp({ withTimezone: true }).notNull(),
    /** When its tokens were refreshed last; for a cookie, to a minute, when it came last, or to ten when a socket was open by it. */
    lastUsedAt: timestamp({ withTimezone: true }).notNull(),
    /** Where it was used last. */
    ip: text(),
    /** As it said itself. */
    userAgent: text(),
    /** SHA-256, base64url; null for a session that goes on by refresh tokens. */
    cookieHash: text(),
    /** Whether the cookie outlives the browser. */
    remembered: boolean().notNull().default(false),
    /** When its newest refresh token, or its cookie, expires. */
    expiresAt: timestamp({ withTimezone: true }).notNull(),
    revokedAt: timestamp({ withTimezone: true }),
    revokedReason: text().$type<RevokedReason>(),
  },
  (table) => [
    index('sessions_user').on(table.userId),
    uniqueIndex('sessions_cookie_unique').on(table.cookieHash),
    index('sessions_expires_at').on(table.expiresAt),
    index('sessions_revoked_at').on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    check('sessions_revoked', sql`(${table.revokedAt} is null) = (${table.revokedReason} is null)`),
  ],
)

export type SessionRow = typeof sessions.$inferSelect

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    /** Also the `jti` of the access token that was issued with it. */
    id: uuid().primaryKey(),
    sessionId: uuid()
      .$type<SessionId>()
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    /** SHA-256, base64url: who reads the table cannot use it. */
    tokenHash: text().notNull(),
    issuedAt: timestamp({ withTimezone: true }).notNull(),
    expiresAt: timestamp({ withTimezone: true }).notNull(),
    /** When it was exchanged for the next one. */
    usedAt: timestamp({ withTimezone: true }),
  },
  (table) => [uniqueIndex('refresh_tokens_hash_unique').on(table.tokenHash), index('refresh_tokens_session').on(table.sessionId, table.expiresAt)],
)

export type RefreshTokenRow = typeof refreshTokens.$inferSelect
