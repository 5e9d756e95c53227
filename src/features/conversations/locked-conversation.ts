/**
 * A conversation under its row lock: the only place where its changes are numbered, but for messages and read marks, whose
 * statements lock by themselves. Each method writes its changes with the next numbers and remembers them for the publication. Sends wait
 * for the lock, so no method takes more statements for more people.
 */
import { isDeepStrictEqual } from 'node:util'
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { type ConversationRow, conversations, invites, type MemberRow, members } from '../../db/schema/conversations.ts'
import { userSummary, users } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Change, MemberEntity } from '../../topics.ts'

export type LockedConversation = NonNullable<Awaited<ReturnType<typeof lockConversation>>>

export interface NewMember {
  userId: UserId
  role: MemberRole
}

/** What members choose about a conversation. */
export type Settings = Pick<
  ConversationRow,
  'title' | 'description' | 'summary' | 'status' | 'tags' | 'metadata' | 'isPrivate' | 'allowInvites' | 'historyVisibility' | 'messageRetentionDays'
>

/** `undefined` says nothing about a field. */
export type SettingsChange = { [Field in keyof Settings]?: Settings[Field] | undefined }

type Recorded = Partial<Settings & Pick<ConversationRow, 'changeSeq' | 'memberCount' | 'firstSeq' | 'deletedCount' | 'updatedAt'>>

/** @returns undefined when there is no such conversation. */
export async function lockConversation(tx: Transaction, conversationId: ConversationId) {
  const [row] = await tx.select().from(conversations).where(eq(conversations.id, conversationId)).for('no key update')
  if (row === undefined) return undefined
  let state: ConversationRow = row
  const changes: Change[] = []

  const nextChangeSeq = () => state.lastChangeSeq + 1
  const isMember = (userId: UserId) => and(eq(members.conversationId, conversationId), eq(members.userId, userId))

  /** Brings the row of the conversation up to the changes that were just written. */
  const record = async (written: Change[], { updatedAt = state.updatedAt, ...fields }: Recorded = {}): Promise<void> => {
    const lastChangeSeq = written.at(-1)?.changeSeq ?? state.lastChangeSeq
    // Never back, though clocks differ: no message is older than it.
    const set = { ...fields, lastChangeSeq, updatedAt: updatedAt > state.updatedAt ? updatedAt : state.updatedAt }
    state = { ...state, ...set }
    await tx.update(conversations).set(set).where(eq(conversations.id, conversationId))
    changes.push(...written.map((change) => (change.type === 'conversation.updated' ? { ...change, conversation: state } : change)))
  }

  const recordUpdate = async (set: Recorded): Promise<void> => {
    const changeSeq = nextChangeSeq()
    await record([{ type: 'conversation.updated', conversationId, changeSeq, conversation: state }], { ...set, changeSeq })
  }

  const memberEntities = async (userIds: UserId[]): Promise<Map<UserId, MemberEntity>> => {
    const found = await tx
      .select({ member: members, user: userSummary })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.conversationId, conversationId), inArray(members.userId, userIds)))
    return new Map(found.map(({ member, user }) => [member.userId, { ...member, user }]))
  }

  const memberEntity = async (userId: UserId): Promise<MemberEntity> => written(await memberEntities([userId]), userId)

  /** Keeps them from being erased until the transaction ends: whoever erases one then finds the membership. @throws `not_found` unless all are there */
  const holdUsers = async (userIds: UserId[]): Promise<void> => {
    const held = await tx
      .select({ id: users.id })
      .from(users)
      .where(and(inArray(users.id, userIds), isNull(users.erasedAt)))
      .orderBy(asc(users.id))
      .for('key share')
    if (held.length < userIds.length) throw new AppError('not_found', 'There is no such user.')
  }

  /** Whoever comes back begins as one who was never there. */
  const writeJoins = async (joining: [UserId, MemberRole][], joinedAt: Date): Promise<void> => {
    const afresh = {
      firstSeq: state.historyVisibility === 'sinceJoined' ? state.lastSeq + 1 : 1,
      readSeq: state.lastSeq,
      readRanges: [],
      deliveredSeq: 0,
      muted: false,
      pinned: false,
      readChangeSeq: 0,
      deliveredChangeSeq: 0,
      ownChangeSeq: 0,
      joinedAt,
      leftAt: null,
    }
    const rows = joining.map(([userId, role], index) => {
      const changeSeq = nextChangeSeq() + index
      return { ...afresh, conversationId, userId, role, changeSeq, joinedChangeSeq: changeSeq }
    })
    const numbered = { role: sql`excluded.role`, changeSeq: sql`excluded.change_seq`, joinedChangeSeq: sql`excluded.joined_change_seq` }
    await tx
      .insert(members)
      .values(rows)
      .onConflictDoUpdate({ target: [members.conversationId, members.userId], set: { ...afresh, ...numbered } })
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

    /** @returns whether anything is other than it was; otherwise no number is spent. */
    async update(given: SettingsChange, now: Date): Promise<boolean> {
      const set: Partial<Settings> = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      if (isDeepStrictEqual({ ...state, ...set }, state)) return false
      await recordUpdate({ ...set, updatedAt: now })
      return true
    },

    /** Messages before this one are gone, so many tombstones among them. It is no news for which the conversation would move in a list. */
    async raiseFirstSeq(firstSeq: number, tombstones: number): Promise<void> {
      await recordUpdate({ firstSeq, deletedCount: state.deletedCount - tombstones })
    },

    /** What a conversation is to one member; the others hear of it no more than the number. @returns how it is now */
    async updateMembership(own: MemberRow, given: { muted?: boolean | undefined; pinned?: boolean | undefined }): Promise<{ muted: boolean; pinned: boolean }> {
      const { muted = own.muted, pinned = own.pinned } = given
      if (muted === own.muted && pinned === own.pinned) return { muted, pinned }
      const changeSeq = nextChangeSeq()
      await tx.update(members).set({ muted, pinned, ownChangeSeq: changeSeq }).where(isMember(own.userId))
      await record([{ type: 'membership.updated', conversationId, changeSeq, userId: own.userId, muted, pinned }])
      return { muted, pinned }
    },

    /**
     * Adds those who are no members, numbered in the order in which they are named. Whoever joins has nothing unread: what was said
     * before is history.
     * @throws `not_found` when one of them is erased
     */
    async addMembers(named: readonly NewMember[], now: Date): Promise<void> {
      const roleOf = new Map(named.map(({ userId, role }) => [userId, role]))
      await holdUsers([...roleOf.keys()])
      const before = await memberEntities([...roleOf.keys()])
      const joining = [...roleOf].filter(([userId]) => before.get(userId)?.leftAt !== null)
      if (joining.length === 0) return
      await writeJoins(joining, now)
      const after = await memberEntities(joining.map(([userId]) => userId))
      const joins = joining.map(([userId]): Change => {
        const member = written(after, userId)
        return { type: 'member.joined', conversationId, changeSeq: member.changeSeq, member }
      })
      await record(joins, { memberCount: state.memberCount + joins.length, updatedAt: now })
    },

    /** Of a direct conversation: whom the other one has blocked can read, and not write. @returns who that is */
    async applyBlocks(): Promise<UserId[]> {
      const { rows } = await tx.execute<{ userId: UserId }>(sql`
        update members m set blocked = true from members other join blocks b on b.blocker_id = other.user_id
        where m.conversation_id = ${conversationId} and other.conversation_id = ${conversationId} and b.blocked_id = m.user_id
        returning m.user_id as "userId"`)
      return rows.map(({ userId }) => userId)
    },

    /** Whether one of these, who is no member, has blocked the user. */
    async isBlocked(userId: UserId, by: readonly UserId[]): Promise<boolean> {
      const { rowCount } = await tx.execute(sql`
        select from blocks b where b.blocked_id = ${userId} and b.blocker_id = any(${sql.param(by)}::uuid[])
          and not exists (select from members m where m.conversation_id = ${conversationId} and m.user_id = b.blocker_id and m.left_at is null)
        limit 1`)
      return rowCount === 1
    },

    /** None of its members can write any more. */
    async close(): Promise<void> {
      await tx.update(members).set({ blocked: true }).where(eq(members.conversationId, conversationId))
    },

    async setRole(userId: UserId, role: MemberRole, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      await tx.update(members).set({ role, changeSeq }).where(isMember(userId))
      await record([{ type: 'member.updated', conversationId, changeSeq, member: await memberEntity(userId) }], { updatedAt: now })
    },

    /** Whoever is gone invites nobody. */
    async removeMember(userId: UserId, now: Date): Promise<void> {
      const changeSeq = nextChangeSeq()
      await tx.delete(invites).where(and(eq(invites.conversationId, conversationId), eq(invites.createdBy, userId)))
      await tx.update(members).set({ leftAt: now, changeSeq }).where(isMember(userId))
      await record([{ type: 'member.left', conversationId, changeSeq, userId }], { memberCount: state.memberCount - 1, updatedAt: now })
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

function written(entities: ReadonlyMap<UserId, MemberEntity>, userId: UserId): MemberEntity {
  const entity = entities.get(userId)
  if (entity === undefined) throw new Error('A member that was just written is not there')
  return entity
}
