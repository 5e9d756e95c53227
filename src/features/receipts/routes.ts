import type * as operations from '../../../openapi/receipts/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { ReceiptService } from './service.ts'

export const receiptRoutes = (receipts: ReceiptService): Handlers<typeof operations> => ({
  'conversations.markRead': ({ actor, params, body }) => receipts.markRead(actor, params.conversationId, body.seq),
})
