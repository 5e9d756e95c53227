import type * as changeOperations from '../../../openapi/messages/change-operations.ts'
import type * as operations from '../../../openapi/messages/operations.ts'
import type * as reactionOperations from '../../../openapi/messages/reaction-operations.ts'
import type { SendMessageResult } from '../../../openapi/messages/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { setPaginationHeaders } from '../../http/pagination-headers.ts'
import { pageText } from '../../json-text.ts'
import { parseTimestamp } from '../../timestamps.ts'
import type { MessageEntity } from '../../topics.ts'
import { serializeMessage, serializeVersion } from './serialize.ts'
import type { MessageService } from './service.ts'

export const messageRoutes = (messages: MessageService): Handlers<typeof operations> => ({
  'conversations.sendMessage': async ({ actor, params, body }) => result(await messages.send(actor, { ...params, ...body })),
  'messages.list': async ({ actor, params, query: { from, to, ...query }, reply }) => {
    const times = {
      from: from === undefined ? undefined : parseTimestamp(from, 'query.from'),
      to: to === undefined ? undefined : parseTimestamp(to, 'query.to'),
    }
    const page = await messages.list(actor, { ...params, ...query, ...times })
    setPaginationHeaders(reply, page)
    return pageText(page.items, page.nextCursor, page.total)
  },
  'messages.get': ({ actor, params }) => messages.view(actor, params.messageId),
  'messages.send': async ({ actor, body }) => result(await messages.sendDirect(actor, body)),
})

export const messageChangeRoutes = (messages: MessageService): Handlers<typeof changeOperations> => ({
  'messages.update': async ({ actor, params, body }) => result(await messages.update(actor, params.messageId, body)),
  'messages.delete': ({ actor, params }) => messages.delete(actor, params.messageId),
  'messages.listHistory': async ({ actor, params, query }) => {
    const { items, nextCursor } = await messages.listHistory(actor, params.messageId, query)
    return { items: items.map(serializeVersion), nextCursor, hasMore: nextCursor !== null }
  },
})

export const reactionRoutes = (messages: MessageService): Handlers<typeof reactionOperations> => ({
  'messages.addReaction': async ({ actor, params }) => result(await messages.addReaction(actor, params.messageId, params.emoji)),
  'messages.removeReaction': ({ actor, params }) => messages.removeReaction(actor, params.messageId, params.emoji),
  'messages.listReactions': async ({ actor, params, query }) => {
    const { items, nextCursor } = await messages.listReactions(actor, params.messageId, query)
    return pageText(items, nextCursor)
  },
})

const result = (message: MessageEntity): SendMessageResult => ({ message: serializeMessage(message) })
