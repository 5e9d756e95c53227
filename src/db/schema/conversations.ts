/**
 * Two counters per conversation carry order and resume: `lastSeq` numbers its messages, `lastChangeSeq` numbers its changes.
 * Both advance under the lock of the conversation's row, in the transaction that writes what they number, so that neither has
 * holes and a higher number is never visible before a lower one. Every row that a change touches keeps that change's number.
 */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { ConversationType, MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import { users } from './users.ts'

const counter = () => bigint({ mode: 'number' }).notNull()

export const conversations = pgTable(
  'conversations',
  {
    id: uuid().$type<ConversationId>().primaryKey(),
    type: text().$type<ConversationType>().notNull(),
    title: text(),
    createdBy: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** The creator's own name for it: creating again with the same one finds it. */
    clientId: text(),
    /** Both members' ids in order: what makes a pair's conversation the only one. */
    directKey: text(),
    lastSeq: counter().default(0),
    lastChangeSeq: counter().default(0),
    /** The last change of this row itself: of the title, not of messages or members. */
    changeSeq: counter().default(0),
    memberCount: bigint({ mode: 'number' }).notNull().default(0),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** Not indexed on purpose: a send then rewrites the row in its page, without touching any index. */
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('conversations_direct_unique').on(table.directKey),
    uniqueIndex('conversations_client_id_unique').on(table.createdBy, table.clientId),
    check('conversations_type', sql`${table.type} in ('direct', 'group')`),
    check('conversations_direct_key', sql`(${table.type} = 'direct') = (${table.directKey} is not null)`),
    check('conversations_counters', sql`${table.lastSeq} >= 0 and ${table.lastChangeSeq} >= ${table.lastSeq} and ${table.changeSeq} <= ${table.lastChangeSeq}`),
  ],
)

export type ConversationRow = typeof conversations.$inferSelect

export const members = pgTable(
  'members',
  {
    conversationId: uuid()
      .$type<ConversationId>()
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    role: text().$type<MemberRole>().notNull(),
    /** Everything up to this message is read. */
    readSeq: counter().default(0),
    /** The last change of membership: joined, role, left. */
    changeSeq: counter(),
    joinedChangeSeq: counter(),
    /** The last change of the read mark; sending moves the mark too, and is told by the message. */
    readChangeSeq: counter().default(0),
    joinedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    /** Of a direct conversation: the other one has blocked this member, who can read and not write. */
    blocked: boolean().notNull().default(false),
    /** Set for former members: the row stays, so that others can be told. */
    leftAt: timestamp({ withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.conversationId, table.userId] }),
    index('members_user').on(table.userId),
    index('members_joined').on(table.conversationId, table.joinedChangeSeq),
    check('members_role', sql`${table.role} in ('owner', 'admin', 'member')`),
    check('members_marks', sql`${table.readSeq} >= 0`),
  ],
)

export type MemberRow = typeof members.$inferSelect
