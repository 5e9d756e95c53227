import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Transaction } from '../../db/client.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Changes } from './changes.ts'
import type { SettingsChange } from './locked-conversation.ts'
import { type Act, directFields, mayDo } from './policy.ts'
import type { Retention } from './retention.ts'

interface Dependencies {
  changes: Changes
  retention: Pick<Retention, 'enqueue' | 'wake'>
  clock: Clock
}

/** What a conversation is called, who finds it, whether it goes on. */
export function conversationSettings({ changes, retention, clock }: Dependencies) {
  const changeSettings = async (actor: Actor, conversationId: ConversationId, act: Act, given: SettingsChange): Promise<void> => {
    const mayHaveOld = await changes.changeAsMember(actor, conversationId, async (conversation, own, tx) => {
      if (conversation.state.type === 'direct') requireDirectFields(given)
      else if (!mayDo(own.role, act)) throw new AppError('forbidden')
      const before = conversation.state.messageRetentionDays
      await conversation.update(given, clock.now())
      return conversation.state.messageRetentionDays !== before && (await haveOldDeleted(conversationId, tx))
    })
    if (mayHaveOld) retention.wake()
  }

  const haveOldDeleted = async (conversationId: ConversationId, tx: Transaction): Promise<true> => {
    await retention.enqueue(conversationId, tx)
    return true
  }

  return {
    /**
     * Only what is given changes.
     * @throws `not_found` when the actor is no member, `forbidden` when the role does not allow it, `conflict` for what is for groups in a direct conversation.
     */
    update: (actor: Actor, conversationId: ConversationId, given: SettingsChange): Promise<void> => changeSettings(actor, conversationId, 'update', given),

    /** @throws as `update` does; again succeeds. */
    archive: (actor: Actor, conversationId: ConversationId): Promise<void> => changeSettings(actor, conversationId, 'archive', { status: 'archived' }),
  }
}

function requireDirectFields(given: SettingsChange): void {
  const forGroups = Object.entries(given).filter(([field, value]) => value !== undefined && !directFields.includes(field))
  if (forGroups.length > 0) throw new AppError('conflict', `In a direct conversation there is no ${forGroups.map(([field]) => field).join(', ')}.`)
}
