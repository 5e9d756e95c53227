/**
 * "What did I miss since 41?" is a range of numbers: each changed row bears the number of its last change, so the answer is the
 * present state of what changed, it never expires, and it needs no event table. A range ends at a number that was read first:
 * what changed again meanwhile has a higher one, and comes with the next range or live.
 */
import { type AnyColumn, and, asc, eq, gt, inArray, isNull, lte, or } from 'drizzle-orm'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { conversations, type MemberRow, members } from '../../db/schema/conversations.ts'
import { messages } from '../../db/schema/messages.ts'
import { users } from '../../db/schema/users.ts'
import type { Change, MemberEntity } from '../../topics.ts'

/** Changes of one conversation after one number, up to and with another. */
export interface ChangeRange {
  conversationId: ConversationId
  afterChangeSeq: number
  upToChangeSeq: number
}

export interface Position {
  conversationId: ConversationId
  changeSeq: number
  joinedChangeSeq: number
}

export type SyncRepository = ReturnType<typeof createSyncRepository>

export const createSyncRepository = ({ db }: Database) => ({
  /** Where all conversations of a user stand. */
  positions(userId: UserId): Promise<Position[]> {
    return db
      .select({ conversationId: members.conversationId, changeSeq: conversations.lastChangeSeq, joinedChangeSeq: members.joinedChangeSeq })
      .from(members)
      .innerJoin(conversations, eq(conversations.id, members.conversationId))
      .where(and(eq(members.userId, userId), isNull(members.leftAt)))
  },

  async heads(conversationIds: ConversationId[]): Promise<Map<ConversationId, number>> {
    const rows = await db
      .select({ id: conversations.id, changeSeq: conversations.lastChangeSeq })
      .from(conversations)
      .where(inArray(conversations.id, conversationIds))
    return new Map(rows.map(({ id, changeSeq }) => [id, changeSeq]))
  },

  /** In order; of more than `limit` the first ones. */
  async changes(range: ChangeRange, limit: number): Promise<Change[]> {
    const changes = await Promise.all([changedMessages(db, range, limit), changedMembers(db, range), changedConversation(db, range)])
    return changes
      .flat()
      .sort((a, b) => a.changeSeq - b.changeSeq)
      .slice(0, limit)
  },
})

const within = (column: AnyColumn, { afterChangeSeq, upToChangeSeq }: ChangeRange) => and(gt(column, afterChangeSeq), lte(column, upToChangeSeq))

async function changedMessages(db: Database['db'], range: ChangeRange, limit: number): Promise<Change[]> {
  const { conversationId } = range
  const rows = await db
    .select()
    .from(messages)
    .where(and(eq(messages.conversationId, conversationId), within(messages.changeSeq, range)))
    .orderBy(asc(messages.changeSeq))
    .limit(limit)
  return rows.map((message) => ({ type: 'message.created', conversationId, changeSeq: message.changeSeq, message }))
}

/** A row of a member bears two numbers: of its membership and of its read mark. */
async function changedMembers(db: Database['db'], range: ChangeRange): Promise<Change[]> {
  const { conversationId, afterChangeSeq, upToChangeSeq } = range
  const isWithin = (changeSeq: number) => changeSeq > afterChangeSeq && changeSeq <= upToChangeSeq
  const rows = await db
    .select({ member: members, user: { id: users.id, username: users.username, displayName: users.displayName } })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(and(eq(members.conversationId, conversationId), or(within(members.changeSeq, range), within(members.readChangeSeq, range))))
  return rows.flatMap(({ member, user }) => [
    ...(isWithin(member.changeSeq) ? [membershipChange({ ...member, user }, afterChangeSeq)] : []),
    ...(isWithin(member.readChangeSeq) ? [readChange(member)] : []),
  ])
}

function membershipChange(member: MemberEntity, afterChangeSeq: number): Change {
  const { conversationId, changeSeq, userId } = member
  if (member.leftAt !== null) return { type: 'member.left', conversationId, changeSeq, userId }
  return { type: member.joinedChangeSeq > afterChangeSeq ? 'member.joined' : 'member.updated', conversationId, changeSeq, member }
}

const readChange = ({ conversationId, userId, readSeq, readChangeSeq }: MemberRow): Change => ({
  type: 'read',
  conversationId,
  changeSeq: readChangeSeq,
  userId,
  readSeq,
})

async function changedConversation(db: Database['db'], range: ChangeRange): Promise<Change[]> {
  const { conversationId } = range
  const rows = await db
    .select()
    .from(conversations)
    .where(and(eq(conversations.id, conversationId), within(conversations.changeSeq, range)))
  return rows.map((conversation) => ({ type: 'conversation.updated', conversationId, changeSeq: conversation.changeSeq, conversation }))
}
