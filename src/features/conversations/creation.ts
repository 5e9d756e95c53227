import { createHash } from 'node:crypto'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import type { Changes } from './changes.ts'
import type { SettingsChange } from './locked-row.ts'
import { cannotWrite, directKeyOf, requireDirectFields } from './policy.ts'
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

interface Creation {
  conversationId: ConversationId
  created: boolean
}

/** Asked before a direct conversation is made, or the one that was found is reopened: what it throws prevents that, and so does false, for what was sent before. */
type IsMeant = (found: ConversationId | undefined) => Promise<boolean>

/** A direct conversation is created once per pair, a group once per `clientId`. */
export function conversationCreation({ changes, conversations, users, sendMessage, isSent, topics, clock, newId }: CreationDependencies) {
  const create = async (kind: Kind, actor: Actor, otherIds: UserId[], creatorRole: MemberRole): Promise<Creation> => {
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

  const findOrMakeDirect = async (actor: Actor, otherId: UserId, settings: SettingsChange = {}): Promise<Creation> => {
    const directKey = directKeyOf(actor.userId, otherId)
    const found = await conversations.findDirect(directKey)
    if (found !== undefined) return { conversationId: found.id, created: false }
    await users.requireAll([otherId])
    return create({ type: 'direct', clientId: null, directKey, settings }, actor, [otherId], 'member')
  }

  /** Writing to somebody goes on where it was left; of those who cannot write nothing is reopened. */
  const reopen = (actor: Actor, conversationId: ConversationId): Promise<void> =>
    changes.changeAsMember(actor, conversationId, async (direct, own) => {
      if (!own.blocked) await direct.update({ status: 'active' }, clock.now())
    })

  const openDirect = async (actor: Actor, otherId: UserId, isMeant: IsMeant): Promise<Creation> => {
    const directKey = directKeyOf(actor.userId, otherId)
    const known = await conversations.findDirect(directKey)
    if (known === undefined && (await isMeant(undefined))) return findOrMakeDirect(actor, otherId)
    // It may have been made meanwhile, for what was sent before.
    const found = known ?? (await conversations.findDirect(directKey))
    if (found === undefined) throw new AppError('conflict', 'What was sent before under this clientId was sent to another conversation.')
    if (found.status !== 'active' && (await isMeant(found.id))) await reopen(actor, found.id)
    return { conversationId: found.id, created: false }
  }

  const createDirect = async (actor: Actor, { type: _type, clientId, memberIds, initialMessage, ...settings }: CreateCommand): Promise<Creation> => {
    const [otherId] = memberIds
    if (otherId === undefined || memberIds.length > 1 || otherId === actor.userId) throw invalidField('body.memberIds', 'must name exactly one other user')
    requireDirectFields(settings)
    const direct = await findOrMakeDirect(actor, otherId, settings)
    const { conversationId, created } = direct
    const isFirstSent = async (): Promise<boolean> => clientId !== undefined && isSent(actor, firstMessageKey(conversationId, clientId))
    if (initialMessage !== undefined && !created) await openDirect(actor, otherId, async () => !(await isFirstSent()))
    return direct
  }

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

/** Whatever the creation is called, it is a `clientId` too. */
const firstMessageKey = (conversationId: ConversationId, clientId: string): string =>
  `first-message:${createHash('sha256').update(`${conversationId} ${clientId}`).digest('base64url')}`
