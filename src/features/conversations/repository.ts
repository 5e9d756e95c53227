import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { ConversationType, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database, Transaction } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { memberJson } from '../../db/json.ts'
import { type ConversationRow, conversations, type MemberRow, members } from '../../db/schema/conversations.ts'
import type { JsonText } from '../../json-text.ts'
import { type LockedConversation, lockConversation } from './locked-conversation.ts'
import type { SettingsChange } from './locked-row.ts'

export type NewConversation = Pick<ConversationRow, 'id' | 'type' | 'createdBy' | 'clientId' | 'directKey' | 'createdAt'> & {
  settings: SettingsChange
}

/** As what somebody is a member, and of what. */
export type Standing = Pick<MemberRow, 'role' | 'blocked'> & Pick<ConversationRow, 'status' | 'allowInvites'>

export type ConversationRepository = ReturnType<typeof createConversationRepository>

export const createConversationRepository = ({ db, pool }: Database) => ({
  async listMembers(conversationId: ConversationId, afterChangeSeq: number, limit: number): Promise<{ text: JsonText<Member>; joinedChangeSeq: number }[]> {
    const { rows } = await pool.query<{ text: JsonText<Member>; joinedChangeSeq: number }>({
      name: 'member-list',
      text: `select ${memberJson('m', 'u')}::text as text, m.joined_change_seq as "joinedChangeSeq" from members m join users u on u.id = m.user_id
        where m.conversation_id = $1 and m.left_at is null and m.joined_change_seq > $2 order by m.joined_change_seq limit $3`,
      values: [conversationId, afterChangeSeq, limit],
    })
    return rows
  },

  /** @returns undefined when the user is no member. */
  async standing(conversationId: ConversationId, userId: UserId): Promise<Standing | undefined> {
    const [row] = await db
      .select({ role: members.role, blocked: members.blocked, status: conversations.status, allowInvites: conversations.allowInvites })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.conversationId, conversationId), eq(members.userId, userId), isNull(members.leftAt)))
    return row
  },

  /** The other one of a direct conversation is erased. */
  async isAbandoned(conversationId: ConversationId, userId: UserId, executor: Executor = db): Promise<boolean> {
    const { rowCount } = await executor.execute(sql`
      select from conversations c join members m on m.conversation_id = c.id join users u on u.id = m.user_id
      where c.id = ${conversationId} and c.type = 'direct' and m.user_id <> ${userId} and u.erased_at is not null`)
    return rowCount === 1
  },

  /**
   * To be called in a transaction that blocks or unblocks, before it does: of that and the creation of the pair's conversation one
   * waits for the other, so that it is never unblocked while a block stands.
   */
  async setBlocked(directKey: string, userId: UserId, isBlocked: boolean, tx: Executor): Promise<void> {
    await lockPair(directKey, tx)
    const ofPair = tx.select({ id: conversations.id }).from(conversations).where(eq(conversations.directKey, directKey))
    await tx
      .update(members)
      .set({ blocked: isBlocked })
      .where(and(eq(members.userId, userId), inArray(members.conversationId, ofPair)))
  },

  async findDirect(directKey: string): Promise<Pick<ConversationRow, 'id' | 'status'> | undefined> {
    const [row] = await db.select({ id: conversations.id, status: conversations.status }).from(conversations).where(eq(conversations.directKey, directKey))
    return row
  },

  async findByClientId(createdBy: UserId, clientId: string): Promise<ConversationId | undefined> {
    const [row] = await db
      .select({ id: conversations.id })
      .from(conversations)
      .where(and(eq(conversations.createdBy, createdBy), eq(conversations.clientId, clientId)))
    return row?.id
  },

  /** Of these, who is a member. */
  async membersAmong(conversationId: ConversationId, userIds: UserId[]): Promise<JsonText<Member>[]> {
    const { rows } = await pool.query<{ text: JsonText<Member> }>({
      name: 'members-among',
      text: `select ${memberJson('m', 'u')}::text as text from members m join users u on u.id = m.user_id
        where m.conversation_id = $1 and m.left_at is null and m.user_id = any($2::uuid[]) order by m.joined_change_seq`,
      values: [conversationId, userIds],
    })
    return rows.map(({ text }) => text)
  },

  /** Those of a kind of which somebody is a member. */
  async idsOf(userId: UserId, type: ConversationType): Promise<ConversationId[]> {
    const found = await db
      .select({ id: conversations.id })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isNull(members.leftAt), eq(conversations.type, type)))
    return found.map(({ id }) => id)
  },

  /**
   * Creates a conversation and fills it, or finds the one that has its `directKey` or its creator's `clientId`.
   * @returns the changes of the new one; undefined as `created` when it was there.
   */
  create(
    { settings, ...row }: NewConversation,
    fill: (conversation: LockedConversation) => Promise<void>,
  ): Promise<{ id: ConversationId; created: LockedConversation | undefined }> {
    return db.transaction(async (tx) => {
      if (row.directKey !== null) await lockPair(row.directKey, tx)
      const inserted = await tx
        .insert(conversations)
        .values({ ...row, ...settings, updatedAt: row.createdAt, lastChangeSeq: 1, changeSeq: 1 })
        .onConflictDoNothing()
        .returning({ id: conversations.id })
      if (inserted.length === 0) return { id: await earlier(tx, row), created: undefined }
      const created = await lockConversation(tx, row.id)
      if (created === undefined) throw new Error('A conversation that was just written is not there')
      await fill(created)
      return { id: row.id, created }
    })
  },

  /** Runs a change under the conversation's lock; what it throws undoes it. @returns undefined when there is no such conversation. */
  change<T>(
    conversationId: ConversationId,
    work: (conversation: LockedConversation, tx: Transaction) => Promise<T>,
  ): Promise<{ result: T; conversation: LockedConversation } | undefined> {
    return db.transaction(async (tx) => {
      const conversation = await lockConversation(tx, conversationId)
      return conversation && { result: await work(conversation, tx), conversation }
    })
  },
})

/** Until the transaction ends. */
async function lockPair(directKey: string, tx: Executor): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${directKey}, 0))`)
}

async function earlier(tx: Transaction, { directKey, createdBy, clientId }: Omit<NewConversation, 'settings'>): Promise<ConversationId> {
  const same =
    directKey === null ? and(eq(conversations.createdBy, createdBy), eq(conversations.clientId, clientId ?? '')) : eq(conversations.directKey, directKey)
  const [row] = await tx.select({ id: conversations.id }).from(conversations).where(same)
  if (row === undefined) throw new Error('A conversation that is in the way is not there')
  return row.id
}
