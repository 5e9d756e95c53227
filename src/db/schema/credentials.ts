/** What signs somebody in beside sessions: API keys, accounts at other providers, mailed tokens. Secrets are kept as hashes only. */
import { sql } from 'drizzle-orm'
import { check, index, integer, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { ApiKeyScope } from '../../../openapi/api-keys/schemas.ts'
import type { ApiKeyId, SessionId, UserId } from '../../../openapi/shared/ids.ts'
import { sessions } from './sessions.ts'
import { users } from './users.ts'

const moment = () => timestamp({ withTimezone: true })
const owner = () =>
  uuid()
    .$type<UserId>()
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid().$type<ApiKeyId>().primaryKey(),
    userId: owner(),
    name: text().notNull(),
    scope: text().$type<ApiKeyScope>().notNull(),
    /** SHA-256, base64url. */
    keyHash: text().notNull(),
    /** The last characters of the key, to know it again by. */
    hint: text().notNull(),
    createdAt: moment().notNull(),
    /** To a minute. */
    lastUsedAt: moment(),
    expiresAt: moment(),
    revokedAt: moment(),
  },
  (table) => [
    uniqueIndex('api_keys_hash_unique').on(table.keyHash),
    index('api_keys_user').on(table.userId, table.createdAt, table.id),
    index('api_keys_revoked_at').on(table.revokedAt).where(sql`${table.revokedAt} is not null`),
    check('api_keys_scope', sql`${table.scope} in ('read', 'write', 'admin')`),
  ],
)

export type ApiKeyRow = typeof apiKeys.$inferSelect

/** An account at another provider that signs a user in. */
export const oauthAccounts = pgTable(
  'oauth_accounts',
  {
    provider: text().notNull(),
    /** The provider's own id of the account, which never changes; its e-mail address may. */
    subject: text().notNull(),
    userId: owner(),
    createdAt: moment().notNull(),
    lastUsedAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.subject] }), index('oauth_accounts_user').on(table.userId)],
)

export type OauthAccountRow = typeof oauthAccounts.$inferSelect

/** One way to a provider and back, from `auth.startOAuth` until its one-time code expires. */
export const oauthFlows = pgTable(
  'oauth_flows',
  {
    /** SHA-256 of `state`. */
    stateHash: text().primaryKey(),
    provider: text().notNull(),
    /** SHA-256 of the cookie of the browser that began. */
    browserHash: text().notNull(),
    nonce: text().notNull(),
    codeVerifier: text().notNull(),
    redirectUri: text().notNull(),
    /** Of the client: only who holds its verifier can exchange the one-time code. */
    codeChallenge: text().notNull(),
    /** SHA-256 of the one-time code; null until the provider has answered. */
    codeHash: text(),
    userId: uuid()
      .$type<UserId>()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** What the code was exchanged for, should it come again. */
    sessionId: uuid()
      .$type<SessionId>()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    expiresAt: moment().notNull(),
  },
  (table) => [
    uniqueIndex('oauth_flows_code_unique').on(table.codeHash),
    index('oauth_flows_expires_at').on(table.expiresAt),
    index('oauth_flows_user').on(table.userId),
    index('oauth_flows_session').on(table.sessionId),
  ],
)

export type OauthFlowRow = typeof oauthFlows.$inferSelect

/** The last token that was mailed to a user for a new password: one row each, so that a new one voids the old. */
export const passwordResets = pgTable(
  'password_resets',
  {
    /** In lower case; addresses without an account have rows too, so that asking costs the same. */
    email: text().primaryKey(),
    /** The request that the token answers, a UUIDv7: a later one has a higher id. */
    requestId: uuid().notNull(),
    /** SHA-256, base64url. */
    tokenHash: text().notNull(),
    expiresAt: moment().notNull(),
    usedAt: moment(),
    /** When the last tokens were made, the newest first, as many as may be mailed within a while. */
    issuedAt: moment().array().notNull(),
  },
  (table) => [uniqueIndex('password_resets_token_unique').on(table.tokenHash), index('password_resets_expires_at').on(table.expiresAt)],
)

export type PasswordResetRow = typeof passwordResets.$inferSelect

/** Failures to sign in, by account and by address: what slows guessing down. */
export const signInFailures = pgTable(
  'sign_in_failures',
  {
    /** An HMAC of what is counted: what somebody typed as a name may be a password. */
    key: text().primaryKey(),
    failures: integer().notNull(),
    /** When the first of them was. */
    countedSince: moment().notNull(),
    blockedUntil: moment(),
  },
  (table) => [index('sign_in_failures_counted_since').on(table.countedSince)],
)

export type SignInFailureRow = typeof signInFailures.$inferSelect

/** Devices that have signed in before, so that a new one is noticed. */
export const knownDevices = pgTable(
  'known_devices',
  {
    userId: owner(),
    /** SHA-256 of what describes it. */
    deviceHash: text().notNull(),
    firstSeenAt: moment().notNull(),
    lastSeenAt: moment().notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.deviceHash] })],
)
