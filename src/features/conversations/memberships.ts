import type { Member, MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import type { MemberEntity } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import { type Changes, requireActive } from './changes.ts'
import type { LockedConversation } from './locked-conversation.ts'
import type { Arrangement, ArrangementChange } from './locked-members.ts'
import { cannotWrite, mayRemove } from './policy.ts'
import type { ConversationRepository } from './repository.ts'

interface Dependencies {
  changes: Changes
  conversations: ConversationRepository
  users: Pick<UserService, 'requireAll'>
  clock: Clock
}

/** Who is in a group and as what, and what a conversation is to each: each change under its lock, as the policy allows. */
export function memberships({ changes, conversations, users, clock }: Dependencies) {
  /** The last owner is followed by somebody. */
  const endMembership = async (group: LockedConversation, { userId, role }: MemberRow): Promise<void> => {
    const lastOwner = role === 'owner' && (await group.ownerCount()) === 1
    await group.removeMember(userId, clock.now())
    const heir = lastOwner ? await group.successor() : undefined
    if (heir !== undefined) await group.setRole(heir, 'owner', clock.now())
  }

  return {
    /**
     * @returns the named users as members, as JSON.
     * @throws `not_found` also when a user does not exist, `forbidden` also when one who is no member has blocked the actor, `conflict` also unless
     * the group is active; then nobody is added.
     */
    async addMembers(actor: Actor, conversationId: ConversationId, userIds: UserId[]): Promise<JsonText<Member>[]> {
      await users.requireAll(userIds)
      await changes.changeGroup(actor, conversationId, 'addMembers', async (group) => {
        requireActive(group)
        if (await group.isBlocked(actor.userId, userIds)) throw new AppError('forbidden', cannotWrite)
        const named = userIds.map((userId) => ({ userId, role: 'member' as const }))
        await group.addMembers(named, clock.now())
      })
      return conversations.membersAmong(conversationId, userIds)
    },

    /** @throws `not_found`, `forbidden`, `conflict` when the last owner would be none any more. */
    updateMember(actor: Actor, conversationId: ConversationId, userId: UserId, role: MemberRole): Promise<MemberEntity> {
      return changes.changeGroup(actor, conversationId, 'updateMember', async (group) => {
        const member = await group.member(userId)
        if (member === undefined) throw new AppError('not_found')
        if (member.role === 'owner' && role !== 'owner' && (await group.ownerCount()) === 1)
          throw new AppError('conflict', 'A group keeps an owner: make somebody else owner first.')
        if (member.role !== role) await group.setRole(userId, role, clock.now())
        return group.memberEntity(userId)
      })
    },

    /** Removes a member, or leaves when it is the actor. Who has left already, may say so again. */
    async removeMember(actor: Actor, conversationId: ConversationId, userId: UserId): Promise<void> {
      await changes.changeGroupAsEver(actor, conversationId, async (group, own) => {
        const leaving = userId === actor.userId
        if (own.leftAt !== null) {
          if (leaving) return
          throw new AppError('not_found')
        }
        const member = leaving ? own : await group.member(userId)
        if (member === undefined) return
        if (!leaving && !mayRemove(own.role, member.role)) throw new AppError('forbidden')
        await endMembership(group, member)
      })
    },

    /** What the conversation is to the actor, and to nobody else. @throws `not_found` when the actor is no member. */
    updateMembership: (actor: Actor, conversationId: ConversationId, given: ArrangementChange): Promise<Arrangement> =>
      changes.changeAsMember(actor, conversationId, (conversation, own) => conversation.arrange(own, given)),

    /** Has a user who is going for good leave every group, one after another; those that were left before stay so. */
    async leaveAll(userId: UserId): Promise<void> {
      for (const conversationId of await conversations.idsOf(userId, 'group')) {
        await changes.change(conversationId, async (group) => {
          const member = await group.member(userId)
          if (member !== undefined) await endMembership(group, member)
        })
      }
    },
  }
}
