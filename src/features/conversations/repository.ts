import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Conversation, ConversationType, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database, Transaction } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { isoTime, memberJson, messageText, readRangesJson } from '../../db/json.ts'
import { type ConversationRow, conversations, type MemberRow, members } from '../../db/schema/conversations.ts'
import { unreadCount } from '../../db/unread.ts'
import type { JsonText } from '../../json-text.ts'
import { type LockedConversation, lockConversation } from './locked-conversation.ts'

export type NewConversation = Pick<ConversationRow, 'id' | 'type' | 'title' | 'createdBy' | 'clientId' | 'directKey' | 'createdAt'>

interface ListedConversation {
  text: JsonText<Conversation>
  id: ConversationId
  updatedAtMilliseconds: number
}

export type ConversationRepository = ReturnType<typeof createConversationRepository>

export const createConversationRepository = ({ db, pool }: Database) => ({
  /** As JSON, for one member. @returns undefined when the reader is no member. */
  async view(readerId: UserId, conversationId: ConversationId): Promise<JsonText<Conversation> | undefined> {
    const { rows } = await pool.query<{ text: JsonText<Conversation> }>({
      name: 'conversation-view',
      text: `select ${conversationJson} as text from ${ownConversations} and c.id = $2`,
      values: [readerId, conversationId],
    })
    return rows[0]?.text
  },

  /** The latest first. */
  async list(
    readerId: UserId,
    { before, limit }: { before: { updatedAtMilliseconds: number; id: string } | undefined; limit: number },
  ): Promise<ListedConversation[]> {
    const { rows } = await pool.query<ListedConversation>({
      name: 'conversation-list',
      text: `select ${conversationJson} as text, c.id, ${milliseconds('c.updated_at')} as "updatedAtMilliseconds"
        from ${ownConversations} and ($2::float8 is null or (${milliseconds('c.updated_at')}, c.id) < ($2::float8, $3::uuid))
        order by c.updated_at desc, c.id desc limit $4`,
      values: [readerId, before?.updatedAtMilliseconds ?? null, before?.id ?? null, limit],
    })
    return rows
  },

  async listMembers(conversationId: ConversationId, afterChangeSeq: number, limit: number): Promise<{ text: JsonText<Member>; joinedChangeSeq: number }[]> {
    const { rows } = await pool.query<{ text: JsonText<Member>; joinedChangeSeq: number }>({
      name: 'member-list',
      text: `select ${memberJson('m', 'u')}::text as text, m.joined_change_seq as "joinedChangeSeq" from members m join users u on u.id = m.user_id
        where m.conversation_id = $1 and m.left_at is null and m.joined_change_seq > $2 order by m.joined_change_seq limit $3`,
      values: [conversationId, afterChangeSeq, limit],
    })
    return rows
  },

  async isMember(conversationId: ConversationId, userId: UserId): Promise<boolean> {
    const found = await db.$count(members, and(eq(members.conversationId, conversationId), eq(members.userId, userId), isNull(members.leftAt)))
    return found > 0
  },

  async membership(conversationId: ConversationId, userId: UserId): Promise<Pick<MemberRow, 'blocked'> | undefined> {
    const [row] = await db
      .select({ blocked: members.blocked })
      .from(members)
      .where(and(eq(members.conversationId, conversationId), eq(members.userId, userId), isNull(members.leftAt)))
    return row
  },

  /** The other one of a direct conversation is erased. */
  async isAbandoned(conversationId: ConversationId, userId: UserId): Promise<boolean> {
    const { rowCount } = await pool.query(
      `select from conversations c join members m on m.conversation_id = c.id join users u on u.id = m.user_id
       where c.id = $1 and c.type = 'direct' and m.user_id <> $2 and u.erased_at is not null`,
      [conversationId, userId],
    )
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

  async findDirect(directKey: string): Promise<ConversationId | undefined> {
    const [row] = await db.select({ id: conversations.id }).from(conversations).where(eq(conversations.directKey, directKey))
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
    row: NewConversation,
    fill: (conversation: LockedConversation) => Promise<void>,
  ): Promise<{ id: ConversationId; created: LockedConversation | undefined }> {
    return db.transaction(async (tx) => {
      if (row.directKey !== null) await lockPair(row.directKey, tx)
      const inserted = await tx
        .insert(conversations)
        .values({ ...row, updatedAt: row.createdAt, lastChangeSeq: 1, changeSeq: 1 })
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
    work: (conversation: LockedConversation) => Promise<T>,
  ): Promise<{ result: T; conversation: LockedConversation } | undefined> {
    return db.transaction(async (tx) => {
      const conversation = await lockConversation(tx, conversationId)
      return conversation && { result: await work(conversation), conversation }
    })
  },
})

/** Until the transaction ends. */
async function lockPair(directKey: string, tx: Executor): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${directKey}, 0))`)
}

async function earlier(tx: Transaction, { directKey, createdBy, clientId }: NewConversation): Promise<ConversationId> {
  const same =
    directKey === null ? and(eq(conversations.createdBy, createdBy), eq(conversations.clientId, clientId ?? '')) : eq(conversations.directKey, directKey)
  const [row] = await tx.select({ id: conversations.id }).from(conversations).where(same)
  if (row === undefined) throw new Error('A conversation that is in the way is not there')
  return row.id
}

const milliseconds = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

const ownConversations = 'members me join conversations c on c.id = me.conversation_id where me.user_id = $1 and me.left_at is null'

const membersShown = 10

const conversationJson = `json_build_object(
  'id', c.id, 'type', c.type, 'title', c.title, 'description', c.description, 'summary', c.summary, 'status', c.status, 'tags', c.tags,
  'metadata', c.metadata, 'isPrivate', c.is_private, 'allowInvites', c.allow_invites, 'historyVisibility', c.history_visibility,
  'messageRetentionDays', c.message_retention_days, 'firstSeq', c.first_seq, 'createdBy', c.created_by, 'createdAt', ${isoTime('c.created_at')},
  'role', me.role, 'memberCount', c.member_count,
  'members', (select json_agg(first.member) from (
    select ${memberJson('m', 'u')} as member from members m join users u on u.id = m.user_id
    where m.conversation_id = c.id and m.left_at is null order by m.joined_change_seq limit ${membersShown}) first),
  'lastMessage', (select (${messageText('m')})::json from messages m where m.conversation_id = c.id and m.seq = c.last_seq),
  'lastSeq', c.last_seq, 'changeSeq', c.last_change_seq, 'messageCount', c.last_seq - c.first_seq + 1 - c.deleted_count,
  'readSeq', me.read_seq, 'readRanges', ${readRangesJson('me')}, 'muted', me.muted, 'pinned', me.pinned,
  'unreadCount', ${unreadCount('c', 'me')},
  'updatedAt', ${isoTime('c.updated_at')})::text`
