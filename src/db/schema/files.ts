import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { ConversationId, FileId, UserId } from '../../../openapi/shared/ids.ts'
import { conversations } from './conversations.ts'
import { users } from './users.ts'

/** Its bytes are objects in storage, named by its id. It is its owner's alone until a message has it; then it is for whoever may read that. */
export const files = pgTable(
  'files',
  {
    id: uuid().$type<FileId>().primaryKey(),
    ownerId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    conversationId: uuid()
      .$type<ConversationId>()
      .references(() => conversations.id),
    /** The message that has it. */
    seq: bigint({ mode: 'number' }),
    /** For display, never a path. */
    name: text().notNull(),
    /** What its bytes say it is. */
    contentType: text().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    /** Hexadecimal. */
    sha256: text().notNull(),
    width: integer(),
    height: integer(),
    hasThumbnail: boolean().notNull().default(false),
    createdAt: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    index('files_owner').on(table.ownerId, table.id),
    index('files_message').on(table.conversationId, table.seq).where(sql`${table.seq} is not null`),
    check('files_message', sql`(${table.conversationId} is null) = (${table.seq} is null)`),
    check('files_size', sql`${table.sizeBytes} > 0`),
  ],
)

export type FileRow = typeof files.$inferSelect

/** How much room the files of a user take, kept so that whoever uploads need not have them summed up. */
export const fileUsage = pgTable(
  'file_usage',
  {
    userId: uuid()
      .$type<UserId>()
      .primaryKey()
      .references(() => users.id),
    usedBytes: bigint({ mode: 'number' }).notNull(),
  },
  (table) => [check('file_usage_used', sql`${table.usedBytes} >= 0`)],
)
