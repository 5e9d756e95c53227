import type * as operations from '../../../openapi/messages/operations.ts'
import type { SendMessageResult } from '../../../openapi/messages/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { pageText } from '../../json-text.ts'
import type { MessageEntity } from '../../topics.ts'
import { serializeMessage } from './serialize.ts'
import type { MessageService } from './service.ts'

export const messageRoutes = (messages: MessageService): Handlers<typeof operations> => ({
  'conversations.sendMessage': async ({ actor, params, body }) => sendResult(await messages.send(actor, { ...params, ...body })),
  'messages.list': async ({ actor, params, query }) => {
    const { items, nextCursor } = await messages.list(actor, { ...params, ...query })
    return pageText(items, nextCursor)
  },
  'messages.send': async ({ actor, body }) => sendResult(await messages.sendDirect(actor, body)),
})

const sendResult = (row: MessageEntity): SendMessageResult => ({ message: serializeMessage(row) })
