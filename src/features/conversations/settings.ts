import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Transaction } from '../../db/client.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Changes } from './changes.ts'
import type { LockedConversation } from './locked-conversation.ts'
import type { SettingsChange } from './locked-row.ts'
import { cannotWrite, mayDo, requireDirectFields } from './policy.ts'
import type { ConversationRepository } from './repository.ts'
import type { Retention } from './retention.ts'

interface Dependencies {
  changes: Changes
  conversations: Pick<ConversationRepository, 'isAbandoned'>
  retention: Pick<Retention, 'enqueue' | 'wake'>
  clock: Clock
}

/** What a conversation is called, who finds it, whether it goes on. */
export function conversationSettings({ changes, conversations, retention, clock }: Dependencies) {
  /** What the other one of a direct conversation reads there is written by nobody whom they have blocked; of one who is erased nobody is left to be spared. */
  const requireUnblocked = async ({ conversationId, userId, blocked }: MemberRow, tx: Transaction): Promise<void> => {
    if (blocked && !(await conversations.isAbandoned(conversationId, userId, tx))) throw new AppError('forbidden', cannotWrite)
  }

  const requireMayChange = async ({ state }: LockedConversation, own: MemberRow, given: SettingsChange, tx: Transaction): Promise<void> => {
    if (state.type === 'group') {
      if (!actsOf(given).every((act) => mayDo(own.role, act))) throw new AppError('forbidden')
      return
    }
    await requireUnblocked(own, tx)
    requireDirectFields(given)
  }

  const changeSettings = async (actor: Actor, conversationId: ConversationId, given: SettingsChange): Promise<void> => {
    const mayHaveOld = await changes.changeAsMember(actor, conversationId, async (conversation, own, tx) => {
      await requireMayChange(conversation, own, given, tx)
      const { messageRetentionDays } = conversation.state
      await conversation.update(given, clock.now())
      const isOther = conversation.state.messageRetentionDays !== messageRetentionDays
      if (isOther) await retention.enqueue(conversationId, tx)
      return isOther
    })
    if (mayHaveOld) retention.wake()
  }

  return {
    /**
     * Only what is given changes.
     * @throws `not_found` when the actor is no member, `forbidden` when the role does not allow it or the other one of a direct conversation has
     * blocked the actor, `validation_error` for what is for groups in a direct conversation.
     */
    update: changeSettings,

    /** @throws as `update` does; again succeeds. */
    archive: (actor: Actor, conversationId: ConversationId): Promise<void> => changeSettings(actor, conversationId, { status: 'archived' }),
  }
}

/** Archiving is an act of its own, however it is asked for. */
const actsOf = ({ status, ...others }: SettingsChange): ('archive' | 'update')[] => {
  const isUpdate = (status !== undefined && status !== 'archived') || Object.values(others).some((value) => value !== undefined)
  return [...(status === 'archived' ? ['archive' as const] : []), ...(isUpdate ? ['update' as const] : [])]
}
