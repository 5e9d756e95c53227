/**
 * The messages of one conversation under its row lock: the only place where they change after they were sent. Each change takes the next number of
 * the conversation. Sends wait for the lock, so no method takes more statements for more messages, and answers are left alone: what they show of
 * a message is read from it, and there may be any number of them.
 */
import { and, asc, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { type JsonRow, messageEntityJson, parseMessage } from '../../db/json.ts'
import { type ConversationRow, conversations, type MemberRow, members } from '../../db/schema/conversations.ts'
import { type MessageRow, messages, messageVersions, reactions } from '../../db/schema/messages.ts'
import type { Change, MessageEntity } from '../../topics.ts'

export type LockedMessages = NonNullable<Awaited<ReturnType<typeof lockMessages>>>

/** A change of one or several messages, with what they are now. */
export type MessageChange = Extract<Change, { message: MessageEntity }>

const entityOf = sql<JsonRow<MessageEntity>>`${sql.raw(messageEntityJson('messages'))}`

/** @returns undefined when there is no such conversation. */
export async function lockMessages(tx: Transaction, conversationId: ConversationId) {
  const [conversation] = await tx.select().from(conversations).where(eq(conversations.id, conversationId)).for('no key update')
  if (conversation === undefined) return undefined
  return { conversation, ...reads(tx, conversationId), ...writes(tx, conversation) }
}

const among = (conversationId: ConversationId, seqs: readonly number[]) =>
  and(eq(messages.conversationId, conversationId), sql`${messages.seq} = any(${sql.param(seqs)}::bigint[])`)

function reads(tx: Transaction, conversationId: ConversationId) {
  return {
    /** @returns undefined for one who is none, or not any more. */
    async member(userId: UserId): Promise<MemberRow | undefined> {
      const isMember = and(eq(members.conversationId, conversationId), eq(members.userId, userId), isNull(members.leftAt))
      // So that nobody is blocked meanwhile.
      const [member] = await tx.select().from(members).where(isMember).for('share')
      return member
    },

    async message(seq: number): Promise<MessageRow | undefined> {
      const [message] = await tx
        .select()
        .from(messages)
        .where(among(conversationId, [seq]))
      return message
    },

    /** Together with what it answers. */
    async entity(seq: number): Promise<MessageEntity> {
      const [row] = await tx
        .select({ entity: entityOf })
        .from(messages)
        .where(among(conversationId, [seq]))
      if (row === undefined) throw new Error('A message that is held is not there')
      return parseMessage(row.entity)
    },

    /** Who of these is a member, and the first message that each of them sees. */
    async firstSeqsOf(userIds: readonly UserId[]): Promise<Map<UserId, number>> {
      const found = await tx
        .select({ userId: members.userId, firstSeq: members.firstSeq })
        .from(members)
        .where(and(eq(members.conversationId, conversationId), inArray(members.userId, [...userIds]), isNull(members.leftAt)))
      return new Map(found.map(({ userId, firstSeq }) => [userId, firstSeq]))
    },

    /** Those of these that are not deleted, in order. */
    async present(seqs: readonly number[]): Promise<number[]> {
      const found = await tx
        .select({ seq: messages.seq })
        .from(messages)
        .where(and(among(conversationId, seqs), isNull(messages.deletedAt)))
        .orderBy(asc(messages.seq))
      return found.map(({ seq }) => seq)
    },

    /** Whom a message has mentioned in one of its versions. */
    async mentionedBefore(seq: number): Promise<Set<UserId>> {
      const found = await tx
        .selectDistinct({ userId: sql<UserId>`unnest(${messageVersions.mentions})` })
        .from(messageVersions)
        .where(and(eq(messageVersions.conversationId, conversationId), eq(messageVersions.seq, seq)))
      return new Set(found.map(({ userId }) => userId))
    },
  }
}

function writes(tx: Transaction, conversation: ConversationRow) {
  const conversationId = conversation.id
  let { lastChangeSeq, deletedCount } = conversation

  /** The numbers that come next, in the order of these. */
  const numbered = (seqs: readonly number[]) => sql`${lastChangeSeq}::bigint + array_position(${sql.param(seqs)}::bigint[], ${messages.seq})`

  const write = async (seqs: number[], set: PgUpdateSetSource<typeof messages>): Promise<void> => {
    if (seqs.length === 0) return
    await tx
      .update(messages)
      .set({ ...set, changeSeq: numbered(seqs) })
      .where(among(conversationId, seqs))
    lastChangeSeq += seqs.length
  }

  return {
    /** One by one, in order. */
    write,

    /** What a message says now is kept as one of its versions. @returns which one that is */
    async keepVersion({ seq, content, metadata, mentions, editedAt, createdAt }: MessageRow): Promise<number> {
      const before = tx
        .select({ version: sql<number>`coalesce(max(${messageVersions.version}), 0) + 1` })
        .from(messageVersions)
        .where(and(eq(messageVersions.conversationId, conversationId), eq(messageVersions.seq, seq)))
      const [kept] = await tx
        .insert(messageVersions)
        .values({ conversationId, seq, version: sql`(${before})`, content, metadata, mentions, createdAt: editedAt ?? createdAt })
        .returning({ version: messageVersions.version })
      if (kept === undefined) throw new Error('The statement returned no row')
      return kept.version
    },

    /** Deletes what deleted messages said before and who reacted to them, and counts them as deleted. */
    async forget(seqs: readonly number[]): Promise<void> {
      for (const table of [messageVersions, reactions])
        await tx.delete(table).where(and(eq(table.conversationId, conversationId), inArray(table.seq, [...seqs])))
      deletedCount += seqs.length
    },

    /** Brings the conversation up to what was written. @returns it, in order */
    async finish(): Promise<MessageChange[]> {
      if (lastChangeSeq === conversation.lastChangeSeq) return []
      await tx.update(conversations).set({ lastChangeSeq, deletedCount }).where(eq(conversations.id, conversationId))
      const isNew = and(eq(messages.conversationId, conversationId), gt(messages.changeSeq, conversation.lastChangeSeq))
      const rows = await tx.select({ entity: entityOf }).from(messages).where(isNew).orderBy(asc(messages.changeSeq))
      return rows.map(({ entity }) => {
        const message = parseMessage(entity)
        const type = message.deletedAt === null ? 'message.updated' : 'message.deleted'
        return { type, conversationId, changeSeq: message.changeSeq, message }
      })
    },
  }
}
