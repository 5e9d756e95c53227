/**
 * A conversation under its row lock: the only place where its changes are numbered, but for messages and read marks, whose
 * statements lock by themselves. Each method writes one change with the next number and remembers it for the publication.
 */
import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { type ConversationRow, conversations, type MemberRow, members } from '../../db/schema/conversations.ts'
import { users } from '../../db/schema/users.ts'
import type { Change, MemberEntity } from '../../topics.ts'

export type LockedConversation = NonNullable<Awaited<ReturnType<typeof lockConversation>>>

/** @returns undefined when there is no such conversation. */
export async function lockConversation(tx: Transaction, conversationId: ConversationId) {
  const [row] = await tx.select().from(conversations).where(eq(conversations.id, conversationId)).for('no key update')
  if (row === undefined) return undefined
  let state: ConversationRow = row
  const changes: Change[] = []

  const nextChangeSeq = () => state.lastChangeSeq + 1
  const isMember = (userId: UserId) => and(eq(members.conversationId, conversationId), eq(members.userId, userId))

  /** Brings the row of the conversation up to the change that was just written. */
  const record = async (change: Change, set: Partial<Pick<ConversationRow, 'title' | 'changeSeq' | 'memberCount' | 'updatedAt'>>): Promise<void> => {
    state = { ...state, ...set, lastChangeSeq: change.changeSeq }
    await tx
      .update(conversations)
      .set({ ...set, lastChangeSeq: change.changeSeq })
      .where(eq(conversations.id, conversationId))
    changes.push(change.type === 'conversation.updated' ? { ...change, conversation: state } : change)
  }

  const memberEntity = async (userId: UserId): Promise<MemberEntity> => {
    const [found] = await tx.select({ member: members, user: summary }).from(members).innerJoin(users, eq(users.id, members.userId)).where(isMember(userId))
    if (found === undefined) throw new Error('A member that was just written is not there')
    return { ...found.member, user: found.user }
  }

  return {
    get state(): Readonly<ConversationRow> {
      return state
    },

    /** In order. */
    get changes(): readonly Change[] {
      return changes
    },

    /** Former members too: `leftAt` tells. */
    async member(userId: UserId): Promise<MemberRow | undefined> {
      const [member] = await tx.select().from(members).where(isMember(userId))
      return member
    },

    memberEntity,

    async rename(title: string, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      await record({ type: 'conversation.updated', conversationId, changeSeq, conversation: state }, { title, changeSeq, updatedAt: now })
    },

    /** Whoever joins has nothing unread: what was said before is history. */
    async addMember(userId: UserId, role: MemberRole, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      const joined = { role, readSeq: state.lastSeq, changeSeq, joinedChangeSeq: changeSeq, readChangeSeq: 0, joinedAt: now, leftAt: null }
      await tx
        .insert(members)
        .values({ conversationId, userId, ...joined })
        .onConflictDoUpdate({ target: [members.conversationId, members.userId], set: joined })
      const member = await memberEntity(userId)
      await record({ type: 'member.joined', conversationId, changeSeq, member }, { memberCount: state.memberCount + 1, updatedAt: now })
    },

    async setRole(userId: UserId, role: MemberRole, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      await tx.update(members).set({ role, changeSeq }).where(isMember(userId))
      await record({ type: 'member.updated', conversationId, changeSeq, member: await memberEntity(userId) }, { updatedAt: now })
    },

    async removeMember(userId: UserId, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      await tx.update(members).set({ leftAt: now, changeSeq }).where(isMember(userId))
      await record({ type: 'member.left', conversationId, changeSeq, userId }, { memberCount: state.memberCount - 1, updatedAt: now })
    },

    async ownerCount(): Promise<number> {
      return tx.$count(members, and(eq(members.conversationId, conversationId), eq(members.role, 'owner'), isNull(members.leftAt)))
    },

    /** The admin, and else the member, who joined first. */
    async successor(): Promise<UserId | undefined> {
      const [heir] = await tx
        .select({ userId: members.userId })
        .from(members)
        .where(and(eq(members.conversationId, conversationId), isNull(members.leftAt)))
        .orderBy(asc(sql`${members.role} <> 'admin'`), asc(members.joinedChangeSeq))
        .limit(1)
      return heir?.userId
    },
  }
}

const summary = { id: users.id, username: users.username, displayName: users.displayName }
