import type { Member, MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import type { MemberEntity, Topics } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import type { LockedConversation } from './locked-conversation.ts'
import { cannotWrite, mayDo, mayRemove } from './policy.ts'
import { publishChanges } from './publish-changes.ts'
import type { ConversationRepository } from './repository.ts'

interface Dependencies {
  conversations: ConversationRepository
  users: Pick<UserService, 'requireAll'>
  topics: Topics
  clock: Clock
}

/** What members change about a group: each under its lock, as the policy allows. */
export function groupChanges({ conversations, users, topics, clock }: Dependencies) {
  /** Runs a change of a group under its lock as a member of it, and tells what changed. */
  const changeGroup = async <T>(actor: Actor, conversationId: ConversationId, work: (group: LockedConversation, own: MemberRow) => Promise<T>): Promise<T> => {
    const changed = await conversations.change(conversationId, async (conversation) => {
      const own = await conversation.member(actor.userId)
      if (own === undefined) throw new AppError('not_found')
      if (conversation.state.type === 'direct') {
        if (own.leftAt !== null) throw new AppError('not_found')
        throw new AppError('conflict', 'A direct conversation has its two members and no title.')
      }
      return work(conversation, own)
    })
    if (changed === undefined) throw new AppError('not_found')
    publishChanges(topics, changed.conversation)
    return changed.result
  }

  /** The last owner is followed by somebody. */
  const endMembership = async (group: LockedConversation, { userId, role }: MemberRow): Promise<void> => {
    const lastOwner = role === 'owner' && (await group.ownerCount()) === 1
    await group.removeMember(userId, clock.now())
    const heir = lastOwner ? await group.successor() : undefined
    if (heir !== undefined) await group.setRole(heir, 'owner', clock.now())
  }

  return {
    /** @throws `not_found` when the actor is no member, `forbidden` when the role does not allow it, `conflict` in a direct conversation. */
    async rename(actor: Actor, conversationId: ConversationId, title: string): Promise<void> {
      await changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'update')
        if (group.state.title !== title) await group.rename(title, clock.now())
      })
    },

    /**
     * @returns the named users as members, as JSON.
     * @throws `not_found` also when a user does not exist, `forbidden` also when one who is no member has blocked the actor; then nobody is added.
     */
    async addMembers(actor: Actor, conversationId: ConversationId, userIds: UserId[]): Promise<JsonText<Member>[]> {
      await users.requireAll(userIds)
      await changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'addMembers')
        if (await group.isBlocked(actor.userId, userIds)) throw new AppError('forbidden', cannotWrite)
        const named = userIds.map((userId) => ({ userId, role: 'member' as const }))
        await group.addMembers(named, clock.now())
      })
      return conversations.membersAmong(conversationId, userIds)
    },

    /** @throws `not_found`, `forbidden`, `conflict` when the last owner would be none any more. */
    updateMember(actor: Actor, conversationId: ConversationId, userId: UserId, role: MemberRole): Promise<MemberEntity> {
      return changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'updateMember')
        const member = await group.member(userId)
        if (member === undefined || member.leftAt !== null) throw new AppError('not_found')
        if (member.role === 'owner' && role !== 'owner' && (await group.ownerCount()) === 1)
          throw new AppError('conflict', 'A group keeps an owner: make somebody else owner first.')
        if (member.role !== role) await group.setRole(userId, role, clock.now())
        return group.memberEntity(userId)
      })
    },

    /** Removes a member, or leaves when it is the actor. Who has left already, may say so again. */
    async removeMember(actor: Actor, conversationId: ConversationId, userId: UserId): Promise<void> {
      await changeGroup(actor, conversationId, async (group, own) => {
        const leaving = userId === actor.userId
        if (own.leftAt !== null) {
          if (leaving) return
          throw new AppError('not_found')
        }
        const member = leaving ? own : await group.member(userId)
        if (member === undefined || member.leftAt !== null) return
        if (!leaving && !mayRemove(own.role, member.role)) throw new AppError('forbidden')
        await endMembership(group, member)
      })
    },

    /** Has a user who is going for good leave every group, one after another; those that were left before stay so. */
    async leaveAll(userId: UserId): Promise<void> {
      for (const conversationId of await conversations.idsOf(userId, 'group')) {
        const changed = await conversations.change(conversationId, async (group) => {
          const member = await group.member(userId)
          if (member !== undefined && member.leftAt === null) await endMembership(group, member)
        })
        if (changed !== undefined) publishChanges(topics, changed.conversation)
      }
    },
  }
}

function requireMay(own: MemberRow, act: Parameters<typeof mayDo>[1]): void {
  if (own.leftAt !== null) throw new AppError('not_found')
  if (!mayDo(own.role, act)) throw new AppError('forbidden')
}
