import { and, asc, eq, getTableColumns, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, invites, members } from '../../db/schema/conversations.ts'
import { apiKeys, knownDevices, oauthAccounts } from '../../db/schema/credentials.ts'
import { files } from '../../db/schema/files.ts'
import { reactions } from '../../db/schema/messages.ts'
import { auditLog, securityEvents } from '../../db/schema/security.ts'
import { sessions } from '../../db/schema/sessions.ts'
import { blocks, users } from '../../db/schema/users.ts'

export type ExportedRow = Record<string, unknown>

/** Some rows at a time, in order; nothing is read before it is asked for. */
export type Batches = AsyncIterable<ExportedRow[]>

interface Source {
  table: PgTable
  columns: Record<string, PgColumn | SQL>
  of(userId: UserId): SQL | undefined
  /** Unique among a user's rows: a batch goes on after the last one's. Where they are many, what an index has them in the order of. */
  key: PgColumn[]
}

/** Whose data it is, and when they were there last: of somebody who is there, the row does not know that yet. */
interface Owner {
  userId: UserId
  lastSeen: Date | null
}

const batchSize = 200

export type ExportRepository = ReturnType<typeof createExportRepository>

export const createExportRepository = (db: Executor) => {
  async function* read({ table, columns, of, key }: Source, userId: UserId): Batches {
    let after: unknown[] | undefined
    const keyValue = sql<unknown[]>`json_build_array(${list(key)})`
    for (;;) {
      const rows = await db
        .select({ ...columns, keyValue })
        .from(table)
        .where(and(of(userId), after && sql`(${list(key)}) > (${list(after.map((value) => sql`${value}`))})`))
        .orderBy(...key.map((part) => asc(part)))
        .limit(batchSize)
      if (rows.length === 0) return
      after = rows.at(-1)?.keyValue
      yield rows.map(({ keyValue: _, ...row }) => row)
    }
  }

  return {
    /** Everything but messages, by the name of its section. */
    sections: (owner: Owner): [name: string, rows: Batches][] => Object.entries(sources(owner)).map(([name, source]) => [name, read(source, owner.userId)]),
  }
}

const list = (parts: SQLWrapper[]): SQL => sql.join(parts, sql`, `)

/** All columns but these, of which others or nobody may know. */
function without<T extends PgTable>(table: T, ...left: string[]): Record<string, PgColumn> {
  return Object.fromEntries(Object.entries(getTableColumns(table)).filter(([name]) => !left.includes(name)))
}

const sources = ({ userId, lastSeen }: Owner): Record<string, Source> => ({
  // What the profile does not tell.
  account: {
    table: users,
    columns: {
      emailVerifiedAt: users.emailVerifiedAt,
      lastSeenAt: sql`${sql.param(lastSeen, users.lastSeenAt)}::timestamptz`.mapWith(users.lastSeenAt),
      suspendedAt: users.suspendedAt,
    },
    of: (id) => eq(users.id, id),
    key: [users.id],
  },
  sessions: { table: sessions, columns: without(sessions, 'userId', 'cookieHash'), of: (id) => eq(sessions.userId, id), key: [sessions.id] },
  apiKeys: { table: apiKeys, columns: without(apiKeys, 'userId', 'keyHash'), of: (id) => eq(apiKeys.userId, id), key: [apiKeys.id] },
  oauthAccounts: {
    table: oauthAccounts,
    columns: without(oauthAccounts, 'userId'),
    of: (id) => eq(oauthAccounts.userId, id),
    key: [oauthAccounts.provider, oauthAccounts.subject],
  },
  devices: {
    table: knownDevices,
    columns: { firstSeenAt: knownDevices.firstSeenAt, lastSeenAt: knownDevices.lastSeenAt },
    of: (id) => eq(knownDevices.userId, id),
    key: [knownDevices.deviceHash],
  },
  blockedUsers: { table: blocks, columns: without(blocks, 'blockerId'), of: (id) => eq(blocks.blockerId, id), key: [blocks.blockedId] },
  files: { table: files, columns: without(files, 'ownerId'), of: (id) => eq(files.ownerId, id), key: [files.id] },
  securityEvents: {
    table: securityEvents,
    columns: without(securityEvents, 'userId'),
    of: (id) => eq(securityEvents.userId, id),
    key: [securityEvents.createdAt, securityEvents.id],
  },
  auditLog: {
    table: auditLog,
    // Where an administrator was is no data of the user's.
    columns: { ...without(auditLog, 'ip'), ip: sql`case when ${auditLog.actorId} = ${userId} then ${auditLog.ip} end` },
    of: (id) => or(eq(auditLog.targetId, id), eq(auditLog.actorId, id)),
    key: [auditLog.id],
  },
  reactions: {
    table: reactions,
    columns: without(reactions, 'userId'),
    of: (id) => eq(reactions.userId, id),
    key: [reactions.conversationId, reactions.seq, reactions.emoji],
  },
  memberships: { table: members, columns: without(members, 'userId', 'blocked'), of: (id) => eq(members.userId, id), key: [members.conversationId] },
  // Without what would let somebody in.
  invites: { table: invites, columns: without(invites, 'createdBy', 'code'), of: (id) => eq(invites.createdBy, id), key: [invites.id] },
  createdConversations: {
    table: conversations,
    columns: {
      id: conversations.id,
      type: conversations.type,
      title: conversations.title,
      clientId: conversations.clientId,
      createdAt: conversations.createdAt,
    },
    of: (id) => eq(conversations.createdBy, id),
    key: [conversations.id],
  },
})
