import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Transaction } from '../../db/client.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { LockedConversation } from './locked-conversation.ts'
import { type Act, mayDo } from './policy.ts'
import { publishConversation } from './publication.ts'
import type { ConversationRepository } from './repository.ts'

export type Changes = ReturnType<typeof conversationChanges>

type AnyWork<T> = (conversation: LockedConversation, tx: Transaction) => Promise<T>
type Work<T> = (conversation: LockedConversation, own: MemberRow, tx: Transaction) => Promise<T>

/** Changes of a conversation under its lock, told once they are committed. */
export function conversationChanges({ conversations, topics }: { conversations: Pick<ConversationRepository, 'change'>; topics: Topics }) {
  /** @returns undefined when there is no such conversation. @throws what the work throws, which undoes it */
  const changeIfThere = async <T>(conversationId: ConversationId, work: AnyWork<T>): Promise<T | undefined> => {
    const changed = await conversations.change(conversationId, work)
    if (changed !== undefined) publishConversation(topics, changed.conversation)
    return changed?.result
  }

  /** @throws `not_found` when there is no such conversation, and what the work throws, which undoes it. */
  const change = async <T>(conversationId: ConversationId, work: AnyWork<T>): Promise<T> => {
    const changed = await changeIfThere(conversationId, async (...locked) => ({ result: await work(...locked) }))
    if (changed === undefined) throw new AppError('not_found')
    return changed.result
  }

  /** As somebody who is or was a member. */
  const changeAsEver = <T>(actor: Actor, conversationId: ConversationId, work: Work<T>): Promise<T> =>
    change(conversationId, async (conversation, tx) => {
      const own = await conversation.memberEver(actor.userId)
      if (own === undefined || (own.leftAt !== null && conversation.state.type === 'direct')) throw new AppError('not_found')
      return work(conversation, own, tx)
    })

  const changeAsMember = <T>(actor: Actor, conversationId: ConversationId, work: Work<T>): Promise<T> =>
    changeAsEver(actor, conversationId, (conversation, own, tx) => {
      if (own.leftAt !== null) throw new AppError('not_found')
      return work(conversation, own, tx)
    })

  return {
    changeIfThere,
    change,
    changeAsMember,

    /** For those who may have left already. @throws `conflict` in a direct conversation. */
    changeGroupAsEver: <T>(actor: Actor, conversationId: ConversationId, work: Work<T>): Promise<T> =>
      changeAsEver(actor, conversationId, (conversation, own, tx) => {
        requireGroup(conversation)
        return work(conversation, own, tx)
      }),

    /** @throws `conflict` in a direct conversation, `forbidden` when the role does not allow the act. */
    changeGroup: <T>(actor: Actor, conversationId: ConversationId, act: Act, work: Work<T>): Promise<T> =>
      changeAsMember(actor, conversationId, (conversation, own, tx) => {
        requireGroup(conversation)
        if (!mayDo(own.role, act)) throw new AppError('forbidden')
        return work(conversation, own, tx)
      }),
  }
}

export function requireGroup({ state }: LockedConversation): void {
  if (state.type === 'direct') throw new AppError('conflict', 'A direct conversation has its two members, and neither title nor roles.')
}

/** @throws `conflict` unless the conversation goes on. */
export function requireActive({ state: { status } }: LockedConversation): void {
  if (status !== 'active') throw new AppError('conflict', `This conversation is ${status}: set its status to active first.`)
}
