import { Type } from '@sinclair/typebox'
import { closed, defineCommand, defineEvent, described, ref } from '../contract.ts'
import { DeliveredSeq, ReadRanges, ReadSeq } from '../conversations/schemas.ts'
import { conversationId } from '../messages/examples.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { ids } from '../users/examples.ts'
import { DeliveryMark, MarkedDeliveredSeq, MarkedSeq, ReadMark } from './schemas.ts'

export const read = defineEvent({
  type: 'read',
  kind: 'change',
  summary: 'A member has read messages',
  description: 'A numbered change like every other, but it moves neither `updatedAt` nor the place in the list.',
  data: Type.Object({ userId: described(UserId, 'Who has read'), readSeq: ReadSeq, readRanges: ReadRanges }),
  example: { userId: ids.bob, readSeq: 41, readRanges: [] },
})

export const delivered = defineEvent({
  type: 'delivered',
  kind: 'change',
  summary: "Messages have reached a member's device",
  description: 'As `read` is, a numbered change that moves neither `updatedAt` nor the place in the list.',
  data: Type.Object({ userId: described(UserId, 'Whose device'), deliveredSeq: DeliveredSeq }),
  example: { userId: ids.bob, deliveredSeq: 41 },
})

export const markReadCommand = defineCommand({
  type: 'conversations.markRead',
  summary: 'Mark as read up to a message',
  rateLimit: 'default',
  data: closed({ conversationId: ConversationId, seq: MarkedSeq }),
  result: ref(ReadMark),
  errors: ['not_found'],
  example: { conversationId, seq: 41 },
})

export const markDeliveredCommand = defineCommand({
  type: 'conversations.markDelivered',
  summary: 'Say up to where messages have reached your device',
  description: 'The same as the operation.',
  rateLimit: 'default',
  data: closed({ conversationId: ConversationId, seq: MarkedDeliveredSeq }),
  result: ref(DeliveryMark),
  errors: ['not_found'],
  example: { conversationId, seq: 41 },
})
