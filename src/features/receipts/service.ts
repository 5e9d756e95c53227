import type { MessageStatus } from '../../../openapi/messages/schemas.ts'
import type { ConversationReadMark, DeliveryMark, ReadMark, Receipt } from '../../../openapi/receipts/schemas.ts'
import type { ConversationId, MessageId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeCursor, type TextPage, textPage } from '../../pagination.ts'
import type { Topics } from '../../topics.ts'
import type { ReceiptRepository } from './repository.ts'

interface Dependencies {
  receipts: ReceiptRepository
  topics: Pick<Topics, 'publish'>
}

interface ReceiptPage extends TextPage<Receipt> {
  /** Of all of them. */
  status: MessageStatus
}

export type ReceiptService = ReturnType<typeof createReceiptService>

/** What members have read, and what has reached them. Every mark is a numbered change that moves neither `updatedAt` nor the place in the list. */
export function createReceiptService({ receipts, topics }: Dependencies) {
  return {
    /** Marks everything up to `seq` as read; a mark that stands there or further already stays. @throws `not_found` when the actor is no member. */
    async markRead(actor: Actor, conversationId: ConversationId, seq: number): Promise<ReadMark> {
      const { userId } = actor
      const moved = await receipts.markRead(userId, conversationId, seq)
      if (moved !== undefined) topics.publish('conversation', conversationId, { type: 'read', conversationId, userId, ...moved })
      const mark = await receipts.readMark(userId, conversationId)
      if (mark === undefined) throw new AppError('not_found')
      return mark
    },

    /**
     * Marks exactly these messages as read, all or none; what lies between them stays unread.
     * @returns where the marks of their conversations stand
     * @throws `not_found` when the actor does not see one of them, `conflict` when too much would be marked one by one
     */
    async markMessagesRead(actor: Actor, messageIds: MessageId[]): Promise<ConversationReadMark[]> {
      const { userId } = actor
      const { moved, conversationIds } = await receipts.markMessagesRead(userId, messageIds)
      for (const { conversationId, ...mark } of moved) topics.publish('conversation', conversationId, { type: 'read', conversationId, userId, ...mark })
      return receipts.readMarks(userId, conversationIds)
    },

    /**
     * Marks everything up to `seq` as delivered; a mark that stands there or further already stays, and so does every mark in a conversation of many.
     * @throws `not_found` when the actor is no member.
     */
    async markDelivered(actor: Actor, conversationId: ConversationId, seq: number): Promise<DeliveryMark> {
      const { userId } = actor
      const mark = await receipts.markDelivered(userId, conversationId, seq)
      if (mark === undefined) throw new AppError('not_found')
      const { deliveredSeq, changeSeq } = mark
      if (changeSeq !== null) topics.publish('conversation', conversationId, { type: 'delivered', conversationId, changeSeq, userId, deliveredSeq })
      return { deliveredSeq }
    },

    /** How far a message has come with each member, in the order in which they joined. @throws `not_found` when the actor does not see it */
    async list(actor: Actor, messageId: MessageId, { cursor, limit = 50 }: { cursor?: string | undefined; limit?: number | undefined }): Promise<ReceiptPage> {
      const [afterChangeSeq] = cursor === undefined ? [0] : decodeCursor(cursor, ['number'])
      const status = await receipts.status(actor.userId, messageId)
      if (status === undefined) throw new AppError('not_found')
      const rows = await receipts.list(messageId, afterChangeSeq, limit + 1)
      const found: TextPage<Receipt> = textPage(rows, limit, ({ joinedChangeSeq }) => [joinedChangeSeq])
      return { ...found, status }
    },
  }
}
