import { sql } from 'drizzle-orm'
import { bigint, check, foreignKey, index, integer, json, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { Attachment, MessageType, Reaction } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import { members } from './conversations.ts'
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
