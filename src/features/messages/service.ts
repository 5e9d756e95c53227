import type { Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Metadata } from '../../../openapi/shared/scalars.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import type { MessageEntity } from '../../topics.ts'
import type { ConversationService } from '../conversations/service.ts'
import type { MessageRepository, Range, RangeText } from './repository.ts'

interface Dependencies {
  messages: MessageRepository
  conversations: Pick<ConversationService, 'openDirect' | 'refusal'>
  clock: Clock
  newId: NewId
}

interface MessageFields {
  content: string
  /** Idempotency by (sender, any string the caller chose), for as long as the message exists. */
  clientId?: string | undefined
  metadata?: Metadata | undefined
}

export interface PageOf<T> {
  items: JsonText<T[]>
  nextCursor: string | null
}

interface PageRequest {
  conversationId: ConversationId
  before?: MessageId | undefined
  after?: MessageId | undefined
  cursor?: string | undefined
  limit?: number | undefined
}

const endOfTime = Number.MAX_SAFE_INTEGER

export type MessageService = ReturnType<typeof createMessageService>

export function createMessageService({ messages, conversations, clock, newId }: Dependencies) {
  const service = {
    /**
     * Stores a message; a retry with the same `clientId` returns the first result.
     * @throws `not_found` when the actor is no member, `forbidden` when the other one has blocked the actor, `conflict` when the conversation is not active or the `clientId` stands for a message of another one.
     */
    async send(actor: Actor, { conversationId, content, clientId, metadata }: MessageFields & { conversationId: ConversationId }): Promise<MessageEntity> {
      const result = await messages.insert({
        id: newId(),
        conversationId,
        senderId: actor.userId,
        clientId: clientId ?? null,
        content,
        metadata: metadata ?? {},
        replyToSeq: null,
        mentions: [],
        createdAt: clock.now(),
      })
      if (result === 'refused') throw await conversations.refusal(actor, conversationId)
      if (result === 'other_conversation') throw new AppError('conflict', 'This clientId stands for a message of another conversation.')
      return result.message
    },

    /** To a user: the direct conversation is found or made. @throws as `send` does, `not_found` also when there is no such user, `conflict` when it is the actor. */
    async sendDirect(actor: Actor, { recipientId, ...fields }: MessageFields & { recipientId: UserId }): Promise<MessageEntity> {
      if (recipientId === actor.userId) throw new AppError('conflict', 'You cannot write to yourself.')
      const { conversationId } = await conversations.openDirect(actor, recipientId)
      return service.send(actor, { conversationId, ...fields })
    },

    /** Messages between two positions, both exclusive: for whoever keeps a window of a conversation. @throws `not_found` when the actor is no member. */
    async range(actor: Actor, conversationId: ConversationId, range: Range): Promise<RangeText> {
      const found = await messages.range(actor.userId, conversationId, range)
      if (found === undefined) throw new AppError('not_found')
      return found
    },

    /** A page: newest first, or oldest first when it goes on `after` a message. @throws `not_found` also for a message that is not in the conversation. */
    async list(actor: Actor, { conversationId, limit = 50, ...position }: PageRequest): Promise<PageOf<Message>> {
      const bounds = await boundsOf(conversationId, position)
      const { items, lastSeq, hasMore } = await service.range(actor, conversationId, { ...bounds, limit })
      return { items, nextCursor: hasMore && lastSeq !== null ? encodeCursor([bounds.order, lastSeq]) : null }
    },
  }

  const seqOf = async (conversationId: ConversationId, id: MessageId): Promise<number> => {
    const seq = await messages.seqOf(conversationId, id)
    if (seq === undefined) throw new AppError('not_found')
    return seq
  }

  const boundsOf = async (
    conversationId: ConversationId,
    { before, after, cursor }: Pick<PageRequest, 'before' | 'after' | 'cursor'>,
  ): Promise<Omit<Range, 'limit'>> => {
    if ([before, after, cursor].filter((given) => given !== undefined).length > 1) {
      throw invalidField('query', 'only one of before, after and cursor can be given')
    }
    if (cursor !== undefined) return boundsOfCursor(cursor)
    if (after !== undefined) return { order: 'ascending', afterSeq: await seqOf(conversationId, after), beforeSeq: endOfTime }
    return { order: 'descending', afterSeq: 0, beforeSeq: before === undefined ? endOfTime : await seqOf(conversationId, before) }
  }

  return service
}

function boundsOfCursor(cursor: string): Omit<Range, 'limit'> {
  const [order, seq] = decodeCursor(cursor, ['string', 'number'])
  return order === 'ascending' ? { order, afterSeq: seq, beforeSeq: endOfTime } : { order: 'descending', afterSeq: 0, beforeSeq: seq }
}
