import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'
import { type MemberRow, members } from '../../db/schema/conversations.ts'
import { userSummary, users } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Change, MemberEntity } from '../../topics.ts'
import { endInvites } from './invite-repository.ts'
import type { LockedRow } from './locked-row.ts'

interface NewMember {
  userId: UserId
  role: MemberRole
}

/** What a conversation is to one of its members. */
export interface Arrangement {
  muted: boolean
  pinned: boolean
}

/** `undefined` says nothing about a field. */
export type ArrangementChange = { [Field in keyof Arrangement]?: boolean | undefined }

/** Who is in a conversation and as what. */
export function lockedMembers(row: LockedRow) {
  const { tx } = row
  const conversationId = row.state.id
  const isOf = (userId: UserId) => and(eq(members.conversationId, conversationId), eq(members.userId, userId))
  const isPresent = and(eq(members.conversationId, conversationId), isNull(members.leftAt))

  const memberEntities = async (userIds: UserId[]): Promise<Map<UserId, MemberEntity>> => {
    const found = await tx
      .select({ member: members, user: userSummary })
      .from(members)
      .innerJoin(users, eq(users.id, members.userId))
      .where(and(eq(members.conversationId, conversationId), inArray(members.userId, userIds)))
    return new Map(found.map(({ member, user }) => [member.userId, { ...member, user }]))
  }

  const memberEntity = async (userId: UserId): Promise<MemberEntity> => written(await memberEntities([userId]), userId)

  /** Former members too: `leftAt` tells. Until the transaction ends nobody is blocked, which takes no lock of the conversation. */
  const memberEver = async (userId: UserId): Promise<MemberRow | undefined> => {
    const [member] = await tx.select().from(members).where(isOf(userId)).for('share')
    return member
  }

  /**
   * Keeps them from being erased until the transaction ends: whoever erases one then finds the membership. That users come after the conversation
   * here is no deadlock: whoever locks a user against this takes no lock of a conversation in the same transaction.
   * @throws `not_found` unless all are there
   */
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
    const { historyVisibility, lastSeq } = row.state
    const afresh = {
      firstSeq: historyVisibility === 'sinceJoined' ? lastSeq + 1 : 1,
      readSeq: lastSeq,
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
      const changeSeq = row.nextChangeSeq + index
      return { ...afresh, conversationId, userId, role, changeSeq, joinedChangeSeq: changeSeq }
    })
    const numbered = { role: sql`excluded.role`, changeSeq: sql`excluded.change_seq`, joinedChangeSeq: sql`excluded.joined_change_seq` }
    await tx
      .insert(members)
      .values(rows)
      .onConflictDoUpdate({ target: [members.conversationId, members.userId], set: { ...afresh, ...numbered } })
  }

  return {
    memberEver,
    memberEntity,

    /** @returns undefined for one who is none, or not any more. */
    async member(userId: UserId): Promise<MemberRow | undefined> {
      const member = await memberEver(userId)
      return member?.leftAt === null ? member : undefined
    },

    /** What a conversation is to one member; the others hear of it no more than the number. @returns how it is now */
    async arrange(own: MemberRow, { muted = own.muted, pinned = own.pinned }: ArrangementChange): Promise<Arrangement> {
      if (muted === own.muted && pinned === own.pinned) return { muted, pinned }
      const changeSeq = row.nextChangeSeq
      await tx.update(members).set({ muted, pinned, ownChangeSeq: changeSeq }).where(isOf(own.userId))
      await row.record([{ type: 'membership.updated', conversationId, changeSeq, userId: own.userId, muted, pinned }])
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
      await row.record(joins, { memberCount: row.state.memberCount + joins.length, updatedAt: now })
    },

    async setRole(userId: UserId, role: MemberRole, now: Date): Promise<void> {
      const changeSeq = row.nextChangeSeq
      await tx.update(members).set({ role, changeSeq }).where(isOf(userId))
      await endInvites(row.state, tx)
      await row.record([{ type: 'member.updated', conversationId, changeSeq, member: await memberEntity(userId) }], { updatedAt: now })
    },

    async removeMember(userId: UserId, now: Date): Promise<void> {
      const changeSeq = row.nextChangeSeq
      await tx.update(members).set({ leftAt: now, changeSeq }).where(isOf(userId))
      await endInvites(row.state, tx)
      await row.record([{ type: 'member.left', conversationId, changeSeq, userId }], { memberCount: row.state.memberCount - 1, updatedAt: now })
    },

    ownerCount: (): Promise<number> => tx.$count(members, and(isPresent, eq(members.role, 'owner'))),

    /** The admin, and else the member, who joined first. */
    async successor(): Promise<UserId | undefined> {
      const [heir] = await tx
        .select({ userId: members.userId })
        .from(members)
        .where(isPresent)
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
