import type { Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import { decodeCursor, encodeCursor, notOurs } from '../../pagination.ts'
import type { FilterRepository, MessageFilter } from './filter-repository.ts'
import { isFiltered, messageFilters, type Times } from './filters.ts'
import type { MessageRepository, Range, RangeText } from './repository.ts'

interface PositionRequest {
  before?: MessageId | undefined
  after?: MessageId | undefined
  cursor?: string | undefined
}

interface ListRequest extends PositionRequest, MessageFilter, Times {
  conversationId: ConversationId
  limit?: number | undefined
  includeTotal?: boolean | undefined
}

export interface MessagePage {
  items: JsonText<Message[]>
  nextCursor: string | null
  /** Undefined where nobody asked for it. */
  total: number | undefined
  limit: number
  /** Undefined where something else than the beginning was asked for. */
  page: number | undefined
}

/** Where a page begins; with the message that says so, where one does. */
interface Position extends Omit<Range, 'limit'> {
  named?: number
}

const endOfTime = Number.MAX_SAFE_INTEGER

export function messageLists({ messages, filters: filterRepository }: { messages: MessageRepository; filters: FilterRepository }) {
  const filters = messageFilters(filterRepository)

  const seqOf = async (conversationId: ConversationId, id: MessageId): Promise<number> => {
    const seq = await messages.seqOf(conversationId, id)
    if (seq === undefined) throw new AppError('not_found')
    return seq
  }

  const positionOf = async (conversationId: ConversationId, { before, after, cursor }: PositionRequest): Promise<Position> => {
    if ([before, after, cursor].filter((given) => given !== undefined).length > 1)
      throw invalidField('query', 'only one of before, after and cursor can be given')
    if (cursor !== undefined) return positionOfCursor(conversationId, cursor)
    if (after !== undefined) {
      const named = await seqOf(conversationId, after)
      return { order: 'ascending', afterSeq: named, beforeSeq: endOfTime, named }
    }
    if (before === undefined) return { order: 'descending', afterSeq: 0, beforeSeq: endOfTime }
    const named = await seqOf(conversationId, before)
    return { order: 'descending', afterSeq: 0, beforeSeq: named, named }
  }

  /** Messages between two positions, both exclusive: for whoever keeps a window of a conversation. @throws `not_found` when the actor is no member. */
  const range = async (actor: Actor, conversationId: ConversationId, bounds: Range): Promise<RangeText> => {
    const found = await messages.range(actor.userId, conversationId, bounds)
    if (found === undefined) throw new AppError('not_found')
    return found
  }

  const read = async (actor: Actor, conversationId: ConversationId, bounds: Range, filter: MessageFilter) => {
    if (isFiltered(filter)) return filters.list(actor, conversationId, bounds, filter)
    const { items, lastSeq, hasMore, firstSeq } = await range(actor, conversationId, bounds)
    return { items, nextSeq: hasMore ? lastSeq : null, firstSeq }
  }

  return {
    range,

    /**
     * A page: newest first, or oldest first when it goes on `after` a message. One that is filtered may be short, or empty, before the end.
     * @throws `not_found` when the actor is no member, also for a message that is not in the conversation, or that the actor does not see
     */
    async list(
      actor: Actor,
      { conversationId, limit = 50, from, to, status, type, senderId, includeTotal = false, ...given }: ListRequest,
    ): Promise<MessagePage> {
      const filter = { status, type, senderId }
      const { named, ...position } = await positionOf(conversationId, given)
      const bounds = await filters.between(conversationId, { from, to }, position)
      const { items, nextSeq, firstSeq } = await read(actor, conversationId, { ...bounds, limit }, filter)
      if (named !== undefined && named < firstSeq) throw new AppError('not_found')
      const total = includeTotal
        ? await filters.count(actor, conversationId, await filters.between(conversationId, { from, to }, everything), filter)
        : undefined
      const isFirst = named === undefined && given.cursor === undefined
      return {
        items,
        nextCursor: nextSeq === null ? null : encodeCursor([position.order, nextSeq, conversationId]),
        total,
        limit,
        page: isFirst ? 1 : undefined,
      }
    },
  }
}

const everything = { afterSeq: 0, beforeSeq: endOfTime }

function positionOfCursor(conversationId: ConversationId, cursor: string): Position {
  const [order, seq, id] = decodeCursor(cursor, ['string', 'number', 'id'])
  if (id !== conversationId) throw notOurs()
  if (order === 'ascending') return { order, afterSeq: seq, beforeSeq: endOfTime }
  if (order === 'descending') return { order, afterSeq: 0, beforeSeq: seq }
  throw notOurs()
}
