import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import type { Changes } from './changes.ts'
import { directCreation } from './direct-creation.ts'
import type { SettingsChange } from './locked-row.ts'
import { cannotWrite, firstMessageKey } from './policy.ts'
import { publishConversation } from './publication.ts'
import type { ConversationRepository, NewConversation } from './repository.ts'

interface FirstMessage {
  conversationId: ConversationId
  content: string
  clientId: string | undefined
}

export interface CreationDependencies {
  changes: Changes
  conversations: ConversationRepository
  users: Pick<UserService, 'requireAll'>
  /** The same `clientId` again stores nothing more. */
  sendMessage(actor: Actor, message: FirstMessage): Promise<unknown>
  /** Whether the actor has sent something under this `clientId`. */
  isSent(actor: Actor, clientId: string): Promise<boolean>
  topics: Topics
  clock: Clock
  newId: NewId
}

export interface CreateCommand extends Omit<SettingsChange, 'status'> {
  type: 'direct' | 'group'
  memberIds: UserId[]
  clientId?: string | undefined
  initialMessage?: { content: string } | undefined
}

type Kind = Pick<NewConversation, 'type' | 'clientId' | 'directKey' | 'settings'>

export type Create = (kind: Kind, actor: Actor, otherIds: UserId[], creatorRole: MemberRole) => Promise<Creation>

export interface Creation {
  conversationId: ConversationId
  created: boolean
}

/** A direct conversation is created once per pair, a group once per `clientId`. */
export function conversationCreation(dependencies: CreationDependencies) {
  const { conversations, users, sendMessage, topics, clock, newId } = dependencies

  const create: Create = async (kind, actor, otherIds, creatorRole) => {
    const now = clock.now()
    const others = otherIds.map((userId) => ({ userId, role: 'member' as const }))
    const { id, created } = await conversations.create({ id: newId(), createdBy: actor.userId, createdAt: now, ...kind }, async (conversation) => {
      if (kind.type === 'group' && (await conversation.isBlocked(actor.userId, otherIds))) throw new AppError('forbidden', cannotWrite)
      await conversation.addMembers([{ userId: actor.userId, role: creatorRole }, ...others], now)
      if (kind.type === 'direct' && (await conversation.applyBlocks()).includes(actor.userId)) throw new AppError('forbidden', cannotWrite)
    })
    if (created !== undefined) publishConversation(topics, created)
    return { conversationId: id, created: created !== undefined }
  }

  const { openDirect, createDirect } = directCreation({ ...dependencies, create })

  const createGroup = async (actor: Actor, { type, memberIds, clientId, initialMessage: _, ...settings }: CreateCommand): Promise<Creation> => {
    // First: whoever was named may be gone by the time of a retry.
    const earlier = clientId === undefined ? undefined : await conversations.findByClientId(actor.userId, clientId)
    if (earlier !== undefined) return { conversationId: earlier, created: false }
    const otherIds = memberIds.filter((id) => id !== actor.userId)
    await users.requireAll(otherIds)
    return create({ type, clientId: clientId ?? null, directKey: null, settings }, actor, otherIds, 'owner')
  }

  return {
    /**
     * Finds or makes the direct conversation with a user, and reopens one that is archived or closed.
     * @throws `not_found` when there is no such user, `forbidden` when it would be new and that user has blocked the actor.
     */
    openDirect,

    /**
     * With the first message, whose `clientId` follows from the creation's: a retry does what is left to do, and nothing twice.
     * @throws `validation_error` when members or settings do not fit the type, `not_found` when a user does not exist, `forbidden` as `openDirect`
     * does and for a group with somebody who has blocked the actor, and what sending throws.
     */
    async start(actor: Actor, command: CreateCommand): Promise<Creation> {
      const { clientId, initialMessage } = command
      const creation = await (command.type === 'direct' ? createDirect(actor, command) : createGroup(actor, command))
      const { conversationId } = creation
      if (initialMessage !== undefined)
        await sendMessage(actor, { conversationId, content: initialMessage.content, clientId: clientId && firstMessageKey(conversationId, clientId) })
      return creation
    },
  }
}
