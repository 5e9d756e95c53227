/**
 * Messages that are older than their conversation keeps them are really deleted, with all that belongs to them: always the oldest, some at a time,
 * each time under the lock of the conversation and as one change of it. So it may end at any point and begin again, and several processes may do
 * it at once: whoever comes second finds what is left. In the same way goes a group that everybody has left, whole and at last itself; but not
 * within an hour, in which whoever left last may say so again.
 */
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Clock } from '../../clock.ts'
import { isUnavailable, type Transaction } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { createDueWork } from '../../due-work.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import type { Changes } from './changes.ts'
import type { LockedConversation } from './locked-conversation.ts'
import type { RetentionRepository } from './retention-repository.ts'

interface Dependencies {
  changes: Pick<Changes, 'changeIfThere'>
  repository: RetentionRepository
  files: { discardWithin(files: { conversationId: ConversationId; beforeSeq: number }, tx: Executor): Promise<void> }
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  log: Log
}

const dayMilliseconds = 24 * 60 * 60_000
const sweepMilliseconds = 10 * 60_000
const abandonedMilliseconds = 60 * 60_000
/** Sends to the conversation wait for that long. */
const deletedAtOnce = 500

export type Retention = ReturnType<typeof createRetention>

export function createRetention({ changes, repository, files, jobs, clock, log }: Dependencies) {
  const ago = (milliseconds: number): Date => new Date(clock.now().getTime() - milliseconds)

  /** Some messages: those before a time, or whichever they are. @returns whether there may be more */
  const deleteMessages = async (
    { state: { id: conversationId, firstSeq }, raiseFirstSeq }: LockedConversation,
    before: Date | undefined,
    tx: Transaction,
  ): Promise<boolean> => {
    const { count, lastSeq } = await repository.findOldest({ conversationId, firstSeq, before, limit: deletedAtOnce }, tx)
    if (lastSeq === null) return false
    const tombstones = await repository.deleteMessages({ conversationId, firstSeq, lastSeq }, tx)
    await files.discardWithin({ conversationId, beforeSeq: lastSeq + 1 }, tx)
    await raiseFirstSeq(lastSeq + 1, tombstones)
    return count === deletedAtOnce
  }

  /** @returns whether there is more */
  const deleteWhole = async (group: LockedConversation, tx: Transaction): Promise<boolean> => {
    const { id } = group.state
    if (await deleteMessages(group, undefined, tx)) return true
    if ((await repository.deleteMembers(id, deletedAtOnce, tx)) === deletedAtOnce) return true
    await repository.deleteConversation(id, tx)
    return false
  }

  /** @returns whether there may be more */
  const deleteSome = async (conversation: LockedConversation, tx: Transaction): Promise<boolean> => {
    const { type, memberCount, updatedAt, messageRetentionDays } = conversation.state
    if (type === 'group' && memberCount === 0 && updatedAt <= ago(abandonedMilliseconds)) return deleteWhole(conversation, tx)
    return messageRetentionDays !== null && deleteMessages(conversation, ago(messageRetentionDays * dayMilliseconds), tx)
  }

  const deleteOld = async (conversationId: ConversationId): Promise<void> => {
    while (!dueWork.isStopped() && (await changes.changeIfThere(conversationId, deleteSome)));
  }

  const dueWork = createDueWork<ConversationId>({
    milliseconds: sweepMilliseconds,
    listDue: (page) => repository.listDue({ now: clock.now(), abandonedUntil: ago(abandonedMilliseconds) }, page),
    work: deleteOld,
    onFailure: (err, conversationId) => log.warn({ err, conversationId }, 'Old messages could not be deleted; it is tried again'),
    // While the database is away it is told elsewhere.
    onUnreadable: (err) => log[isUnavailable(err) ? 'debug' : 'warn']({ err }, 'Which conversations have old messages could not be read'),
  })

  return {
    deleteOld,
    deleteAllOld: dueWork.workOff,

    /** For a conversation that keeps messages for another time from now on; `wake` after the commit. */
    enqueue: (conversationId: ConversationId, tx: Executor): Promise<void> => jobs.enqueue(tx, 'conversations.deleteOldMessages', { conversationId }),

    wake: (): void => jobs.wake('conversations.deleteOldMessages'),

    /** Deletes what is old, now and every ten minutes. @returns the function that ends it, after what is in hand. */
    start: dueWork.start,
  }
}
