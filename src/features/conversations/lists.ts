import type { Conversation, ConversationStatus, ConversationType } from '../../../openapi/conversations/schemas.ts'
import type { Actor } from '../../actor.ts'
import { invalidField } from '../../errors/app-error.ts'
import { decodeCursor, type TextPage, textPage } from '../../pagination.ts'
import type { ConversationListRepository, ListFilter, ListOrder, ListPosition } from './list-repository.ts'

export interface ListRequest {
  status?: ConversationStatus | undefined
  type?: ConversationType | undefined
  search?: string | undefined
  muted?: boolean | undefined
  unread?: boolean | undefined
  pinnedFirst?: boolean | undefined
  sortBy?: ListOrder['sortBy'] | undefined
  sortOrder?: ListOrder['sortOrder'] | undefined
  cursor?: string | undefined
  /** From 1 on; not together with a cursor. */
  page?: number | undefined
  limit?: number | undefined
  includeTotal?: boolean | undefined
}

export interface CountedPage<T> extends TextPage<T> {
  /** Undefined where nobody asked for it. */
  total: number | undefined
  limit: number
  /** Undefined where a cursor led to it. */
  page: number | undefined
}

const countedAtMost = 10_000

/** What is archived is out of sight until somebody asks for it. */
const usuallyListed: readonly ConversationStatus[] = ['active', 'closed']

export const conversationLists = (conversations: ConversationListRepository) => ({
  /** The one with the latest message or change first, unless something else is asked for. @throws `validation_error` for a cursor of another order */
  async list(actor: Actor, { cursor, page, limit = 20, includeTotal = false, ...request }: ListRequest): Promise<CountedPage<Conversation>> {
    if (cursor !== undefined && page !== undefined) throw invalidField('query.page', 'does not go together with cursor')
    const order = orderOf(request)
    const filter = filterOf(request)
    const after = cursor === undefined ? undefined : decodePosition(cursor, order)
    const [rows, total] = await Promise.all([
      conversations.list(actor.userId, filter, order, { after, offset: ((page ?? 1) - 1) * limit, limit: limit + 1 }),
      includeTotal ? conversations.count(actor.userId, filter, countedAtMost) : undefined,
    ])
    const found: TextPage<Conversation> = textPage(rows, limit, ({ rank, microseconds, id }) => [nameOf(order), rank, microseconds, id])
    return { ...found, total, limit, page: cursor === undefined ? (page ?? 1) : undefined }
  },
})

const orderOf = ({ sortBy = 'updatedAt', sortOrder = 'desc', pinnedFirst = false }: ListRequest): ListOrder => ({ sortBy, sortOrder, pinnedFirst })

const filterOf = ({ status, type, search, muted, unread }: ListRequest): ListFilter => ({
  statuses: status === undefined ? usuallyListed : [status],
  type,
  search,
  muted,
  unread,
})

const nameOf = ({ sortBy, sortOrder, pinnedFirst }: ListOrder): string => `${sortBy} ${sortOrder} ${pinnedFirst}`

function decodePosition(cursor: string, order: ListOrder): ListPosition {
  const [name, rank, microseconds, id] = decodeCursor(cursor, ['string', 'number', 'number', 'id'])
  const isOurs = name === nameOf(order) && (rank === 0 || rank === 1) && microseconds <= latestMicroseconds
  if (!isOurs) throw invalidField('query.cursor', 'is not a cursor of this list in this order')
  return { rank, microseconds, id }
}

/** The year 2255: what a number holds. */
const latestMicroseconds = Number.MAX_SAFE_INTEGER
