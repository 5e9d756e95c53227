import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { NewMessage } from './insertion.ts'
import { strangersAmong } from './mentions.ts'
import type { MessageRepository } from './repository.ts'

interface Named {
  replyTo?: MessageId | undefined
  mentions?: UserId[] | undefined
  clientId: string | undefined
}

type Resolved = Pick<NewMessage, 'replyToSeq' | 'mentions'>

export const unanswerable = (): AppError => invalidField('body.replyTo', 'is no message of this conversation that can be answered')

const none: Resolved = { replyToSeq: null, mentions: [] }

/** What a message refers to, looked up before it is written: only one that refers to something pays for it. */
export function messageReferences({ messages }: { messages: Pick<MessageRepository, 'references' | 'isKnown'> }) {
  const look = async (actor: Actor, conversationId: ConversationId, { replyTo, mentions = [] }: Named): Promise<Resolved | AppError> => {
    const found = await messages.references(actor.userId, conversationId, { replyTo, mentions })
    if (found === undefined) return new AppError('not_found')
    const { replyToSeq, mentioned } = found
    if (replyTo !== undefined && replyToSeq === null) return unanswerable()
    return mentioned.length < mentions.length ? strangersAmong(mentions, mentioned) : { replyToSeq, mentions }
  }

  return {
    /** A retry gets the first result, whatever has become meanwhile of what it refers to. */
    async resolve(actor: Actor, conversationId: ConversationId, named: Named): Promise<Resolved> {
      const { replyTo, mentions = [], clientId } = named
      if (replyTo === undefined && mentions.length === 0) return none
      const resolved = await look(actor, conversationId, named)
      if (!(resolved instanceof AppError)) return resolved
      if (clientId !== undefined && (await messages.isKnown(actor.userId, clientId))) return none
      throw resolved
    },
  }
}
