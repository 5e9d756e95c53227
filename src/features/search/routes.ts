import type * as operations from '../../../openapi/search/operations.ts'
import type { FoundConversation, FoundMessage } from '../../../openapi/search/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { parseTimestamp } from '../../timestamps.ts'
import type { FoundConversationEntity, FoundMessageEntity, SearchService } from './service.ts'

export const searchRoutes = (search: SearchService): Handlers<typeof operations> => ({
  'search.messages': async ({ actor, query: { from, to, ...query } }) => {
    const range = {
      from: from === undefined ? undefined : parseTimestamp(from, 'query.from'),
      to: to === undefined ? undefined : parseTimestamp(to, 'query.to'),
    }
    const { items, nextCursor } = await search.messages(actor, { ...query, ...range })
    return { items: items.map(serializeFoundMessage), nextCursor, hasMore: nextCursor !== null }
  },
  'search.conversations': async ({ actor, query }) => {
    const { items, nextCursor } = await search.conversations(actor, query)
    return { items: items.map(serializeFoundConversation), nextCursor, hasMore: nextCursor !== null }
  },
})

const serializeFoundMessage = ({ message, conversation, excerpt, relevanceScore }: FoundMessageEntity): FoundMessage => ({
  message,
  conversation,
  excerpt,
  relevanceScore,
})

const serializeFoundConversation = ({ conversation, ...found }: FoundConversationEntity): FoundConversation => ({
  conversation,
  matchedField: found.matchedField,
  excerpt: found.excerpt,
  relevanceScore: found.relevanceScore,
  messageCount: found.messageCount,
  lastActivity: found.lastActivity,
  matchedMessage: found.matchedMessage,
})
