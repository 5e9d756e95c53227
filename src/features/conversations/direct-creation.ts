import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Create, CreateCommand, Creation, CreationDependencies } from './creation.ts'
import type { SettingsChange } from './locked-row.ts'
import { directKeyOf, firstMessageKey, requireDirectFields } from './policy.ts'

/** Asked before a direct conversation is made, or the one that was found is reopened: what it throws prevents that, and so does false, for what was sent before. */
type IsMeant = (found: ConversationId | undefined) => Promise<boolean>

/** The conversation of two is found, made where there is none, and goes on when somebody writes there. */
export function directCreation({ changes, conversations, users, isSent, clock, create }: CreationDependencies & { create: Create }) {
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

  return { openDirect, createDirect }
}
