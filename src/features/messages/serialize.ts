import type { Message } from '../../../openapi/messages/schemas.ts'
import type { MessageEntity } from '../../topics.ts'

export const serializeMessage = (row: MessageEntity): Message => ({
  id: row.id,
  conversationId: row.conversationId,
  seq: row.seq,
  changeSeq: row.changeSeq,
  senderId: row.senderId,
  type: row.type,
  content: row.content,
  clientId: row.clientId,
  metadata: row.metadata,
  replyTo: row.replyTo,
  mentions: row.mentions,
  attachments: row.attachments ?? [],
  reactions: row.reactions ?? [],
  createdAt: row.createdAt.toISOString(),
  editedAt: row.editedAt?.toISOString() ?? null,
  deletedAt: row.deletedAt?.toISOString() ?? null,
})
