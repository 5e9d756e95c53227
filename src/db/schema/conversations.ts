/**
 * Two counters per conversation carry order and resume: `lastSeq` numbers its messages, `lastChangeSeq` numbers its changes.
 * Both advance under the lock of the conversation's row, in the transaction that writes what they number, so that neither has
 * holes and a higher number is never visible before a lower one. Every row that a change touches keeps that change's number.
 */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, customType, index, integer, json, pgTable, primaryKey, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import type { ConversationStatus, ConversationType, HistoryVisibility, MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, InviteId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import { users } from './users.ts'

const counter = () => bigint({ mode: 'number' }).notNull()

/** First and last number of a range, both included. */
export type SeqRange = [first: number, last: number]

/** PostgreSQL writes `{[3,5),[8,9)}`. */
const multirange = customType<{ data: SeqRange[]; driverData: string }>({
  dataType: () => 'int8multirange',
  fromDriver: (text) => [...text.matchAll(/(\d+),(\d+)/g)].map(([, from, end]): SeqRange => [Number(from), Number(end) - 1]),
  toDriver: (ranges) => `{${ranges.map(([first, last]) => `[${first},${last}]`).join(',')}}`,
})

export const conversations = pgTable(
  'conversations',
  {
    id: uuid().$type<ConversationId>().primaryKey(),
    type: text().$type<ConversationType>().notNull(),
    title: text(),
    /** What was said so far, in short. */
    summary: text(),
    /** What a group is for. */
    description: text(),
    status: text().$type<ConversationStatus>().notNull().default('active'),
    tags: text().array().notNull().default([]),
    metadata: json().$type<Metadata>().notNull().default({}),
    isPrivate: boolean().notNull().default(true),
    allowInvites: boolean().notNull().default(false),
    historyVisibility: text().$type<HistoryVisibility>().notNull().default('all'),
    messageRetentionDays: integer(),
    createdBy: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    /** The creator's own name for it: creating again with the same one finds it. */
    clientId: text(),
    /** Both members' ids in order: what makes a pair's conversation the only one. */
    directKey: text(),
    /** Messages before this one are gone: they were older than the retention allows. */
    firstSeq: counter().default(1),
    lastSeq: counter().default(0),
    /** Of those from `firstSeq` on. */
    deletedCount: counter().default(0),
    lastChangeSeq: counter().default(0),
    /** The last change of this row itself, not of messages or members. */
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
    // What everybody finds.
    index('conversations_public').on(table.id).where(sql`not ${table.isPrivate} and ${table.type} = 'group' and ${table.status} = 'active'`),
    // What a retention has to be looked at for.
    index('conversations_retention').on(table.id).where(sql`${table.messageRetentionDays} is not null`),
    // Groups that everybody has left, which go.
    index('conversations_abandoned').on(table.id).where(sql`${table.memberCount} = 0 and ${table.type} = 'group'`),
    check('conversations_status', sql`${table.status} in ('active', 'archived', 'closed')`),
    check('conversations_history', sql`${table.historyVisibility} in ('all', 'sinceJoined')`),
    check('conversations_retention', sql`${table.messageRetentionDays} > 0`),
    check(
      'conversations_kept',
      sql`${table.firstSeq} between 1 and ${table.lastSeq} + 1 and ${table.deletedCount} between 0 and ${table.lastSeq} - ${table.firstSeq} + 1`,
    ),
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
    /** Messages before this one are not for this member, who joined later. */
    firstSeq: counter().default(1),
    /** Everything up to this message is read. */
    readSeq: counter().default(0),
    /** What is read beyond that, message by message; melts into the mark when the gap closes. */
    readRanges: multirange().notNull().default(sql`'{}'`),
    /** Everything up to this message has reached a device. */
    deliveredSeq: counter().default(0),
    muted: boolean().notNull().default(false),
    pinned: boolean().notNull().default(false),
    /** The last change of membership: joined, role, left. */
    changeSeq: counter(),
    joinedChangeSeq: counter(),
    /** The last change of the read mark; sending moves the mark too, and is told by the message. */
    readChangeSeq: counter().default(0),
    deliveredChangeSeq: counter().default(0),
    /** The last change of what is this member's own and nobody else's: muted, pinned. */
    ownChangeSeq: counter().default(0),
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
    index('members_joined_at').on(table.joinedAt),
    check('members_role', sql`${table.role} in ('owner', 'admin', 'member')`),
    check('members_marks', sql`${table.readSeq} >= 0 and ${table.deliveredSeq} >= 0 and ${table.firstSeq} >= 1`),
  ],
)

export type MemberRow = typeof members.$inferSelect

/** Who has the code may join, until it expires or is used up. */
export const invites = pgTable(
  'invites',
  {
    id: uuid().$type<InviteId>().primaryKey(),
    conversationId: uuid()
      .$type<ConversationId>()
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    code: text().notNull(),
    createdBy: uuid()
      .$type<UserId>()
      .notNull()
      .references(() => users.id),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp({ withTimezone: true }),
    maxUses: integer(),
    uses: integer().notNull().default(0),
  },
  (table) => [
    uniqueIndex('invites_code_unique').on(table.code),
    index('invites_conversation').on(table.conversationId, table.createdAt),
    index('invites_created_by').on(table.createdBy),
    check('invites_uses', sql`${table.uses} >= 0 and ${table.uses} <= coalesce(${table.maxUses}, ${table.uses})`),
  ],
)

export type InviteRow = typeof invites.$inferSelect
