import type { Message } from '../../../openapi/messages/schemas.ts'
import type { MessageRow } from '../../db/schema/messages.ts'

export const serializeMessage = (row: MessageRow): Message => ({
  id: row.id,
  conversationId: row.conversationId,
  seq: row.seq,
  changeSeq: row.changeSeq,
  senderId: row.senderId,
  type: 'text',
  content: row.content,
  clientId: row.clientId,
  metadata: row.metadata,
  createdAt: row.createdAt.toISOString(),
  deletedAt: row.deletedAt?.toISOString() ?? null,
})
