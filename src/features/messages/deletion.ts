import type { ConversationId, MessageId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Transaction } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import type { MessageRow } from '../../db/schema/messages.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ChangeMessage } from './change-message.ts'
import type { LockedMessages } from './locked-messages.ts'
import { mayDelete } from './policy.ts'

/** Takes the files of messages away, with their bytes. */
export interface FileDiscard {
  discardWithin(selection: { conversationId: ConversationId; seqs: number[] }, tx: Executor): Promise<void>
}

/** What is left: the number, the sender and the times. */
const tombstone = {
  ...{ type: 'text', content: '', metadata: {}, mentions: [], attachments: null, reactions: null, replyToSeq: null, editedAt: null },
} satisfies Partial<MessageRow>

/**
 * Empties messages for good. Their `clientId` stays, though nobody is shown it any more, so that a send that is tried again does not bring them back;
 * with a sender who is gone, and tries nothing again, they go too: see `Authorship`.
 */
export async function deleteWithin(
  { locked, files, at }: { locked: LockedMessages; files: FileDiscard; at: Date },
  seqs: readonly number[],
  tx: Transaction,
): Promise<void> {
  const left = await locked.present(seqs)
  if (left.length === 0) return
  await locked.write(left, { ...tombstone, deletedAt: at })
  await locked.forget(left)
  await files.discardWithin({ conversationId: locked.conversation.id, seqs: left }, tx)
}

export function messageDeletion({ changeMessage, files, clock }: { changeMessage: ChangeMessage; files: FileDiscard; clock: Clock }) {
  return {
    /** Empties a message; one that is deleted already stays so. @throws `not_found` when the actor does not see it, `forbidden` when it is not theirs to delete */
    async delete(actor: Actor, messageId: MessageId): Promise<void> {
      await changeMessage(actor, messageId, async ({ locked, message, member, tx }) => {
        if (!mayDelete(member, message, locked.conversation))
          throw new AppError('forbidden', 'Only its sender can delete it, and owners and admins of a group.')
        await deleteWithin({ locked, files, at: clock.now() }, [message.seq], tx)
      })
    },
  }
}
