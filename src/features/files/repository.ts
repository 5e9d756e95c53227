import { and, eq, inArray, isNull, lt, lte, type SQL, sql } from 'drizzle-orm'
import type { ConversationId, FileId, UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { conversations, members } from '../../db/schema/conversations.ts'
import { type FileRow, files, fileUsage } from '../../db/schema/files.ts'
import { messages } from '../../db/schema/messages.ts'
import { users } from '../../db/schema/users.ts'

/** Files of messages of one conversation: of those that are named, or of all before one. */
export type Selection = { conversationId: ConversationId } & ({ seqs: readonly number[] } | { beforeSeq: number })

export type DeletedFile = Pick<FileRow, 'id' | 'ownerId' | 'sizeBytes'>

export type FileRepository = ReturnType<typeof createFileRepository>

export const createFileRepository = (db: Executor) => {
  /** The room that they took is free again with the transaction. */
  const remove = async (which: SQL | undefined, tx: Executor): Promise<DeletedFile[]> => {
    const deleted = await tx.delete(files).where(which).returning({ id: files.id, ownerId: files.ownerId, sizeBytes: files.sizeBytes })
    if (deleted.length > 0) await free(deleted, tx)
    return deleted
  }

  return {
    async find(id: FileId): Promise<FileRow | undefined> {
      const [row] = await db.select().from(files).where(eq(files.id, id))
      return row
    },

    /** As one who may read the message that has it; as who uploaded it while there is none. */
    async findFor(id: FileId, userId: UserId): Promise<FileRow | undefined> {
      const mayReadMessage = sql`exists (
        select from ${members} join ${conversations} on ${conversations.id} = ${members.conversationId}
        join ${messages} on ${messages.conversationId} = ${members.conversationId} and ${messages.seq} = ${files.seq}
        where ${members.conversationId} = ${files.conversationId} and ${members.userId} = ${userId} and ${members.leftAt} is null
          and ${files.seq} >= ${members.firstSeq} and ${files.seq} >= ${conversations.firstSeq} and ${messages.deletedAt} is null)`
      const [row] = await db
        .select()
        .from(files)
        .where(and(eq(files.id, id), sql`case when ${files.seq} is null then ${files.ownerId} = ${userId} else ${mayReadMessage} end`))
      return row
    },

    /** Whether the user is there, and is so until the transaction ends: whoever erases them waits for that, and then looks again for what was written. */
    async holdUser(userId: UserId, tx: Executor): Promise<boolean> {
      const held = await tx
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.erasedAt)))
        .for('key share')
      return held.length > 0
    },

    async insert(row: FileRow, tx: Executor): Promise<void> {
      await tx.insert(files).values(row)
    },

    async usedBytes(userId: UserId): Promise<number> {
      const [row] = await db.select({ usedBytes: fileUsage.usedBytes }).from(fileUsage).where(eq(fileUsage.userId, userId))
      return row?.usedBytes ?? 0
    },

    /** One after another for each user. @returns false, and takes no room, where that would be more than the quota */
    async use(userId: UserId, bytes: number, quotaBytes: number, tx: Executor): Promise<boolean> {
      if (bytes > quotaBytes) return false
      const used = await tx
        .insert(fileUsage)
        .values({ userId, usedBytes: bytes })
        .onConflictDoUpdate({
          target: fileUsage.userId,
          set: { usedBytes: sql`${fileUsage.usedBytes} + excluded.used_bytes` },
          setWhere: lte(fileUsage.usedBytes, quotaBytes - bytes),
        })
        .returning({ usedBytes: fileUsage.usedBytes })
      return used.length > 0
    },

    /** How many of them this user has uploaded, and no message has. */
    async countUnsent(ids: readonly FileId[], ownerId: UserId): Promise<number> {
      return db.$count(files, unsentOf(ids, ownerId))
    },

    /** @returns those of them that were so, and are this message's now */
    async attach(ids: readonly FileId[], ownerId: UserId, message: { conversationId: ConversationId; seq: number }, tx: Executor): Promise<FileRow[]> {
      return tx.update(files).set(message).where(unsentOf(ids, ownerId)).returning()
    },

    async deleteOf(which: Selection, tx: Executor): Promise<DeletedFile[]> {
      const isMeant = 'seqs' in which ? inArray(files.seq, [...which.seqs]) : lt(files.seq, which.beforeSeq)
      return remove(and(eq(files.conversationId, which.conversationId), isMeant), tx)
    },

    /** Unless a message has it, or it is younger. */
    async deleteUnsent({ id, createdUntil }: { id: FileId; createdUntil?: Date }, tx: Executor): Promise<DeletedFile[]> {
      return remove(and(eq(files.id, id), isNull(files.seq), createdUntil && lte(files.createdAt, createdUntil)), tx)
    },

    async deleteAllUnsent(ownerId: UserId, tx: Executor): Promise<DeletedFile[]> {
      return remove(and(eq(files.ownerId, ownerId), isNull(files.seq)), tx)
    },

    async deleteUsage(userId: UserId, tx: Executor): Promise<void> {
      await tx.delete(fileUsage).where(eq(fileUsage.userId, userId))
    },
  }
}

const unsentOf = (ids: readonly FileId[], ownerId: UserId): SQL | undefined => and(inArray(files.id, [...ids]), eq(files.ownerId, ownerId), isNull(files.seq))

/** In the order of the users, so that of two at once neither waits for the other in turn. */
async function free(deleted: readonly DeletedFile[], tx: Executor): Promise<void> {
  const ownerIds = sql.param(deleted.map(({ ownerId }) => ownerId))
  const sizes = sql.param(deleted.map(({ sizeBytes }) => sizeBytes))
  await tx.execute(sql`
    with freed as (
      select owner_id, sum(size_bytes)::bigint as bytes from unnest(${ownerIds}::uuid[], ${sizes}::bigint[]) as f (owner_id, size_bytes) group by owner_id
    ), locked as materialized (
      select user_id from file_usage where user_id in (select owner_id from freed) order by user_id for update
    )
    update file_usage u set used_bytes = u.used_bytes - f.bytes from locked l join freed f on f.owner_id = l.user_id where u.user_id = l.user_id`)
}
