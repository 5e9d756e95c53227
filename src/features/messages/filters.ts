/**
 * Lists of a part of a conversation. A time is a place among the numbers, which is found by halving. Sender, type and status are in no index, for
 * sends would pay for it: the messages are looked at, as many as a request may cost, and what comes of that is a page, short or not.
 */
import type { Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import type { FilterRepository, MessageFilter, Reader } from './filter-repository.ts'
import type { Range } from './repository.ts'

export interface Times {
  from?: Date | undefined
  /** Exclusive. */
  to?: Date | undefined
}

type Bounds = Pick<Range, 'afterSeq' | 'beforeSeq'>

/** Some messages, and where the next page goes on; null at the end. */
interface Found {
  items: JsonText<Message[]>
  nextSeq: number | null
}

const widestWindow = 10_000
/** Of one request: a status is that of the message with each member. */
const maximumMarks = 500_000

export const isFiltered = ({ status, type, senderId }: MessageFilter): boolean => status !== undefined || type !== undefined || senderId !== undefined

const windowOf = ({ memberCount }: Reader, { status }: MessageFilter): number =>
  status === undefined ? widestWindow : Math.min(widestWindow, Math.max(1, Math.floor(maximumMarks / memberCount)))

export function messageFilters(repository: FilterRepository) {
  const readerOf = async (actor: Actor, conversationId: ConversationId): Promise<Reader> => {
    const reader = await repository.reader(actor.userId, conversationId)
    if (reader === undefined) throw new AppError('not_found')
    return reader
  }

  const withinSight = ({ firstSeq, lastSeq }: Reader, { afterSeq, beforeSeq }: Bounds): Bounds => {
    const low = Math.max(afterSeq, firstSeq - 1)
    return { afterSeq: low, beforeSeq: Math.max(low + 1, Math.min(beforeSeq, lastSeq + 1)) }
  }

  return {
    /** What of a range was stored between two times. */
    async between<B extends Bounds>(conversationId: ConversationId, { from, to }: Times, bounds: B): Promise<B> {
      const first = from === undefined ? 0 : await repository.firstSeqFrom(conversationId, from)
      const end = to === undefined ? bounds.beforeSeq : await repository.firstSeqFrom(conversationId, to)
      return { ...bounds, afterSeq: Math.max(bounds.afterSeq, first - 1), beforeSeq: Math.min(bounds.beforeSeq, end) }
    },

    /** @throws `not_found` when the actor is no member. */
    async list(
      actor: Actor,
      conversationId: ConversationId,
      { order, limit, ...bounds }: Range,
      filter: MessageFilter,
    ): Promise<Found & Pick<Reader, 'firstSeq'>> {
      const reader = await readerOf(actor, conversationId)
      const { afterSeq, beforeSeq } = withinSight(reader, bounds)
      const size = windowOf(reader, filter)
      const window =
        order === 'descending'
          ? { afterSeq: Math.max(afterSeq, beforeSeq - 1 - size), beforeSeq }
          : { afterSeq, beforeSeq: Math.min(beforeSeq, afterSeq + 1 + size) }
      const { items, count, lastSeq } = await repository.matching(reader, conversationId, { order, limit, ...window }, filter)
      const end = order === 'descending' ? window.afterSeq + 1 : window.beforeSeq - 1
      const reached = count === limit && lastSeq !== null ? lastSeq : end
      const hasMore = order === 'descending' ? reached > afterSeq + 1 : reached < beforeSeq - 1
      return { items, nextSeq: hasMore ? reached : null, firstSeq: reader.firstSeq }
    },

    /** How many there are, tombstones among them as in the list: of those that are filtered, among the newest that one page looks at. @throws `not_found` when the actor is no member. */
    async count(actor: Actor, conversationId: ConversationId, bounds: Bounds, filter: MessageFilter): Promise<number> {
      const reader = await readerOf(actor, conversationId)
      const { afterSeq, beforeSeq } = withinSight(reader, bounds)
      if (!isFiltered(filter)) return beforeSeq - afterSeq - 1
      return repository.count(conversationId, { afterSeq: Math.max(afterSeq, beforeSeq - 1 - windowOf(reader, filter)), beforeSeq }, filter)
    },
  }
}
