import { sql } from 'drizzle-orm'
import { bigint, check, foreignKey, index, json, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import { members } from './conversations.ts'

/** Keyed by conversation first, so that it can be distributed by it. */
export const messages = pgTable(
  'messages',
  {
    conversationId: uuid().$type<ConversationId>().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    changeSeq: bigint({ mode: 'number' }).notNull(),
    id: uuid().$type<MessageId>().notNull(),
    senderId: uuid().$type<UserId>().notNull(),
    /** The sender's own name for it: sending again with the same one finds it. */
    clientId: text(),
    content: text().notNull(),
    /** `json`, not `jsonb`: it is only ever given back as it came, and text is quicker to give. */
    metadata: json().$type<Record<string, string | number | boolean>>().notNull().default({}),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** Content and metadata are gone since; the number stays taken. */
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
    check('messages_seq', sql`${table.seq} > 0 and ${table.changeSeq} >= ${table.seq}`),
  ],
)

export type MessageRow = typeof messages.$inferSelect
