import type { ReadMark } from '../../../openapi/receipts/schemas.ts'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Topics } from '../../topics.ts'
import type { ReceiptRepository } from './repository.ts'

interface Dependencies {
  receipts: ReceiptRepository
  topics: Topics
}

export type ReceiptService = ReturnType<typeof createReceiptService>

/** What members have read. Every mark is a numbered change that moves neither `updatedAt` nor the place in the list. */
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
  }
}
