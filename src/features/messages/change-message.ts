import type { MessageId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Transaction } from '../../db/client.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import type { MessageRow } from '../../db/schema/messages.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { MessageChangeRepository } from './change-repository.ts'
import type { LockedMessages } from './locked-messages.ts'
import { canSee } from './policy.ts'
import { publishChanges } from './publication.ts'

/** A message that is held, and who is about to change it. */
export interface Held {
  locked: LockedMessages
  message: MessageRow
  member: MemberRow
  tx: Transaction
}

interface Dependencies {
  changes: MessageChangeRepository
  topics: Pick<Topics, 'publish'>
}

export type ChangeMessage = ReturnType<typeof messageChanging>

export function messageChanging({ changes, topics }: Dependencies) {
  const held = async (actor: Actor, locked: LockedMessages, seq: number, tx: Transaction): Promise<Held> => {
    const [member, message] = [await locked.member(actor.userId), await locked.message(seq)]
    if (member === undefined || message === undefined || !canSee(member, message)) throw new AppError('not_found')
    return { locked, message, member, tx }
  }

  /** Changes a message under the lock of its conversation, and tells what changed. @throws `not_found` when the actor does not see it */
  return async <T>(actor: Actor, messageId: MessageId, work: (held: Held) => Promise<T>): Promise<T> => {
    const place = await changes.locate(actor.userId, messageId)
    if (place === undefined) throw new AppError('not_found')
    const changed = await changes.change(place.conversationId, async (locked, tx) => work(await held(actor, locked, place.seq, tx)))
    if (changed === undefined) throw new AppError('not_found')
    publishChanges(topics, changed.changes)
    return changed.result
  }
}
