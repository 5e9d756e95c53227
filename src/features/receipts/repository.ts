import type { MessageStatus } from '../../../openapi/messages/schemas.ts'
import { type ConversationReadMark, deliveryMembers, type ReadMark, type Receipt } from '../../../openapi/receipts/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import type { JsonText } from '../../json-text.ts'
import { type Marked, type Moved, markMessages } from './mark-messages.ts'
import * as statements from './statements.ts'

interface Delivered {
  deliveredSeq: number
  /** Null when the mark stands where it stood. */
  changeSeq: number | null
}

export type ReceiptRepository = ReturnType<typeof createReceiptRepository>

export const createReceiptRepository = ({ pool, db }: Database) => ({
  /** Moves a mark forward, never back, and at most to the newest message. @returns undefined when the reader is no member, or the mark stands there already. */
  async markRead(readerId: UserId, conversationId: ConversationId, seq: number): Promise<Moved | undefined> {
    const { rows } = await pool.query<Moved>({ name: 'mark-read', text: statements.markRead, values: [conversationId, readerId, seq] })
    return rows[0]
  },

  /** All of one moment. @returns undefined when the reader is no member. */
  async readMark(readerId: UserId, conversationId: ConversationId): Promise<ReadMark | undefined> {
    const { rows } = await pool.query<ReadMark>({ name: 'read-mark', text: statements.readMark, values: [conversationId, readerId] })
    return rows[0]
  },

  /** Of those of these conversations of which the reader is a member. */
  async readMarks(readerId: UserId, conversationIds: ConversationId[]): Promise<ConversationReadMark[]> {
    const { rows } = await pool.query<ConversationReadMark>({ name: 'read-marks', text: statements.readMarks, values: [conversationIds, readerId] })
    return rows
  },

  /** @throws as `markMessages` does */
  markMessagesRead: (readerId: UserId, messageIds: MessageId[]): Promise<Marked> => markMessages(db, readerId, messageIds),

  /** Moves a mark forward, never back, and at most to the newest message; not where there are many members. @returns undefined when the user is none. */
  async markDelivered(userId: UserId, conversationId: ConversationId, seq: number): Promise<Delivered | undefined> {
    const values = [conversationId, userId, seq, deliveryMembers]
    const { rows } = await pool.query<Delivered>({ name: 'mark-delivered', text: statements.markDelivered, values })
    return rows[0]
  },

  /** The least of all receivers of a message. @returns undefined when there is no such message, or not for this reader. */
  async status(readerId: UserId, messageId: MessageId): Promise<MessageStatus | undefined> {
    const { rows } = await pool.query<{ status: MessageStatus }>({ name: 'message-status', text: statements.status, values: [messageId, readerId] })
    return rows[0]?.status
  },

  /** In the order in which they joined. */
  async list(messageId: MessageId, afterChangeSeq: number, limit: number): Promise<{ text: JsonText<Receipt>; joinedChangeSeq: number }[]> {
    const { rows } = await pool.query<{ text: JsonText<Receipt>; joinedChangeSeq: number }>({
      name: 'receipt-list',
      text: statements.list,
      values: [messageId, afterChangeSeq, limit],
    })
    return rows
  },
})
