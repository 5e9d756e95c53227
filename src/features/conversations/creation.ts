import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import { cannotWrite, directKeyOf } from './policy.ts'
import { publishChanges } from './publish-changes.ts'
import type { ConversationRepository } from './repository.ts'

export interface CreationDependencies {
  conversations: ConversationRepository
  users: Pick<UserService, 'requireAll'>
  topics: Topics
  clock: Clock
  newId: NewId
}

export interface CreateCommand {
  type: 'direct' | 'group'
  memberIds: UserId[]
  title?: string | undefined
  clientId?: string | undefined
}

interface Kind {
  type: 'direct' | 'group'
  title: string | null
  clientId: string | null
  directKey: string | null
}

interface Creation {
  conversationId: ConversationId
  created: boolean
}

/** A direct conversation is created once per pair, a group once per `clientId`. */
export function conversationCreation({ conversations, users, topics, clock, newId }: CreationDependencies) {
  const create = async (kind: Kind, actor: Actor, otherIds: UserId[], creatorRole: MemberRole): Promise<Creation> => {
    const now = clock.now()
    const others = otherIds.map((userId) => ({ userId, role: 'member' as const }))
    const { id, created } = await conversations.create({ id: newId(), createdBy: actor.userId, createdAt: now, ...kind }, async (conversation) => {
      if (kind.type === 'group' && (await conversation.isBlocked(actor.userId, otherIds))) throw new AppError('forbidden', cannotWrite)
      await conversation.addMembers([{ userId: actor.userId, role: creatorRole }, ...others], now)
      if (kind.type === 'direct' && (await conversation.applyBlocks()).includes(actor.userId)) throw new AppError('forbidden', cannotWrite)
    })
    if (created !== undefined) publishChanges(topics, created)
    return { conversationId: id, created: created !== undefined }
  }

  const openDirect = async (actor: Actor, otherId: UserId): Promise<Creation> => {
    const directKey = directKeyOf(actor.userId, otherId)
    const found = await conversations.findDirect(directKey)
    if (found !== undefined) return { conversationId: found, created: false }
    await users.requireAll([otherId])
    return create({ type: 'direct', title: null, clientId: null, directKey }, actor, [otherId], 'member')
  }

  const createDirect = async (actor: Actor, { memberIds, title }: CreateCommand): Promise<Creation> => {
    const [otherId] = memberIds
    if (otherId === undefined || memberIds.length > 1 || otherId === actor.userId) throw invalidField('body.memberIds', 'must name exactly one other user')
    if (title !== undefined) throw invalidField('body.title', 'is for groups only')
    return openDirect(actor, otherId)
  }

  const createGroup = async (actor: Actor, { memberIds, title, clientId }: CreateCommand): Promise<Creation> => {
    const otherIds = memberIds.filter((id) => id !== actor.userId)
    await users.requireAll(otherIds)
    return create({ type: 'group', title: title ?? null, clientId: clientId ?? null, directKey: null }, actor, otherIds, 'owner')
  }

  return {
    /**
     * Finds or makes the direct conversation with a user.
     * @throws `not_found` when there is no such user, `forbidden` when it would be new and that user has blocked the actor.
     */
    openDirect,

    /**
     * @throws `validation_error` when members or title do not fit the type, `not_found` when a user does not exist, `forbidden` as `openDirect`
     * does and for a group with somebody who has blocked the actor.
     */
    start: (actor: Actor, command: CreateCommand): Promise<Creation> =>
      command.type === 'direct' ? createDirect(actor, command) : createGroup(actor, command),
  }
}
