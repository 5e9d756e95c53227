import { sql } from 'drizzle-orm'
import { bigint, boolean, check, foreignKey, index, integer, json, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { Attachment, MessageType, Reaction } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, FileId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import { conversations, members } from './conversations.ts'
import { users } from './users.ts'

/** Keyed by conversation first, so that it can be distributed by it. */
export const messages = pgTable(
  'messages',
  {
    conversationId: uuid().$type<ConversationId>().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    /** The last change of this message. */
    changeSeq: bigint({ mode: 'number' }).notNull(),
    /** The change that brought it. */
    createdChangeSeq: bigint({ mode: 'number' }).notNull(),
    id: uuid().$type<MessageId>().notNull(),
    senderId: uuid().$type<UserId>().notNull(),
    /** The sender's own name for it: sending again with the same one finds it. */
    clientId: text(),
    type: text().$type<MessageType>().notNull().default('text'),
    content: text().notNull(),
    /** The message of this conversation that it answers. */
    replyToSeq: bigint({ mode: 'number' }),
    mentions: uuid().array().$type<UserId[]>().notNull().default([]),
    /** What pages show of its rows of `files`; null for none, as of reactions. */
    attachments: json().$type<Attachment[]>(),
    /** What pages show of its rows of `reactions`. */
    reactions: json().$type<Reaction[]>(),
    /** `json`, not `jsonb`: it is only ever given back as it came, and text is quicker to give. */
    metadata: json().$type<Metadata>().notNull().default({}),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    editedAt: timestamp({ withTimezone: true }),
    /** All but the number is gone since. */
    deletedAt: timestamp({ withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.seq] }),
    // Whoever sent is or was a member; a send holds that row anyway, where references to conversation and user would lock two more.
    foreignKey({ columns: [table.conversationId, table.senderId], foreignColumns: [members.conversationId, members.userId] }).onDelete('cascade'),
    index('messages_id').on(table.id),
    uniqueIndex('messages_client_id_unique').on(table.senderId, table.clientId).where(sql`${table.clientId} is not null`),
    uniqueIndex('messages_change_seq').on(table.conversationId, table.changeSeq),
    // What does not count as unread.
    index('messages_deleted').on(table.conversationId, table.seq).where(sql`${table.deletedAt} is not null`),
    check('messages_seq', sql`${table.seq} > 0 and ${table.createdChangeSeq} >= ${table.seq} and ${table.changeSeq} >= ${table.createdChangeSeq}`),
    check('messages_type', sql`${table.type} in ('text', 'file')`),
    check('messages_reply', sql`${table.replyToSeq} < ${table.seq}`),
  ],
)

export type MessageRow = typeof messages.$inferSelect

/** What a message said before it was edited. */
export const messageVersions = pgTable(
  'message_versions',
  {
    conversationId: uuid().$type<ConversationId>().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    /** 1 is what was sent. */
    version: integer().notNull(),
    content: text().notNull(),
    metadata: json().$type<Metadata>().notNull(),
    mentions: uuid().array().$type<UserId[]>().notNull(),
    /** When it was written. */
    createdAt: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.seq, table.version] }),
    foreignKey({
      name: 'message_versions_message',
      columns: [table.conversationId, table.seq],
      foreignColumns: [messages.conversationId, messages.seq],
    }).onDelete('cascade'),
  ],
)

export type MessageVersionRow = typeof messageVersions.$inferSelect

export const reactions = pgTable(
  'reactions',
  {
    conversationId: uuid().$type<ConversationId>().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    emoji: text().notNull(),
    userId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    createdAt: timestamp({ withTimezone: true }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.seq, table.emoji, table.userId] }),
    foreignKey({ name: 'reactions_message', columns: [table.conversationId, table.seq], foreignColumns: [messages.conversationId, messages.seq] }).onDelete(
      'cascade',
    ),
    index('reactions_user').on(table.userId),
    // Who came first, of one kind and kind by kind.
    index('reactions_order').on(table.conversationId, table.seq, table.emoji, table.createdAt, table.userId),
  ],
)

export type ReactionRow = typeof reactions.$inferSelect

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
