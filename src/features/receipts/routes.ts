import type * as messageOperations from '../../../openapi/receipts/message-operations.ts'
import type * as operations from '../../../openapi/receipts/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { jsonText } from '../../json-text.ts'
import type { ReceiptService } from './service.ts'

export const receiptRoutes = (receipts: ReceiptService): Handlers<typeof operations> => ({
  'conversations.markRead': ({ actor, params, body }) => receipts.markRead(actor, params.conversationId, body.seq),
  'conversations.markDelivered': ({ actor, params, body }) => receipts.markDelivered(actor, params.conversationId, body.seq),
})

export const messageReceiptRoutes = (receipts: ReceiptService): Handlers<typeof messageOperations> => ({
  'messages.markRead': async ({ actor, body }) => ({ marks: await receipts.markMessagesRead(actor, body.messageIds) }),
  'messages.listReceipts': async ({ actor, params, query }) => {
    const { items, nextCursor, status } = await receipts.list(actor, params.messageId, query)
    return jsonText(`{"items":${items},"nextCursor":${JSON.stringify(nextCursor)},"hasMore":${nextCursor !== null},"status":"${status}"}`)
  },
})
