import type { Message, MessageVersion } from '../../../openapi/messages/schemas.ts'
import type { MessageVersionRow } from '../../db/schema/messages.ts'
import type { MessageEntity } from '../../topics.ts'

export const serializeMessage = (row: MessageEntity): Message => ({
  id: row.id,
  conversationId: row.conversationId,
  seq: row.seq,
  changeSeq: row.changeSeq,
  senderId: row.senderId,
  type: row.type,
  content: row.content,
  clientId: row.deletedAt === null ? row.clientId : null,
  metadata: row.metadata,
  replyTo: row.replyTo,
  mentions: row.mentions,
  attachments: row.attachments ?? [],
  reactions: row.reactions ?? [],
  createdAt: row.createdAt.toISOString(),
  editedAt: row.editedAt?.toISOString() ?? null,
  deletedAt: row.deletedAt?.toISOString() ?? null,
})

export const serializeVersion = (row: MessageVersionRow): MessageVersion => ({
  version: row.version,
  content: row.content,
  metadata: row.metadata,
  mentions: row.mentions,
  createdAt: row.createdAt.toISOString(),
})
