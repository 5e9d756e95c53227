import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, ref } from '../contract.ts'
import { DeliveredSeq, ReadRanges, ReadSeq, UnreadCount } from '../conversations/schemas.ts'
import { MessageStatus } from '../messages/schemas.ts'
import { ConversationId, MessageId } from '../shared/ids.ts'
import { Sequence } from '../shared/scalars.ts'
import { UserSummary } from '../users/schemas.ts'

/** In conversations of more members it is not marked what has reached whom. */
export const deliveryMembers = 32

export const MarkedSeq = described(Sequence, 'Every message up to this one is read; beyond the newest means the newest; a mark never moves back')

export const MarkedDeliveredSeq = described(
  Sequence,
  'Every message up to this one has reached your device; beyond the newest means the newest; a mark never moves back',
)

export const MarkReadRequest = component('MarkReadRequest', closed({ seq: MarkedSeq }, { description: 'Up to where you have read' }))

export const ReadMark = component(
  'ReadMark',
  Type.Object({ readSeq: ReadSeq, readRanges: ReadRanges, unreadCount: UnreadCount }, { description: 'Your read mark in a conversation' }),
)
export type ReadMark = Static<typeof ReadMark>

export const MarkDeliveredRequest = component(
  'MarkDeliveredRequest',
  closed({ seq: MarkedDeliveredSeq }, { description: 'Up to where messages have reached your device' }),
)

export const DeliveryMark = component('DeliveryMark', Type.Object({ deliveredSeq: DeliveredSeq }, { description: 'Your delivery mark in a conversation' }))
export type DeliveryMark = Static<typeof DeliveryMark>

export const MarkMessagesReadRequest = component(
  'MarkMessagesReadRequest',
  closed(
    { messageIds: Type.Array(MessageId, { minItems: 1, maxItems: 100, uniqueItems: true, description: 'Messages of any of your conversations' }) },
    { description: 'Exactly which messages you have read' },
  ),
)
export type MarkMessagesReadRequest = Static<typeof MarkMessagesReadRequest>

export const ConversationReadMark = component(
  'ConversationReadMark',
  Type.Object(
    { conversationId: ConversationId, readSeq: ReadSeq, readRanges: ReadRanges, unreadCount: UnreadCount },
    { description: 'Your read mark in one of several conversations' },
  ),
)
export type ConversationReadMark = Static<typeof ConversationReadMark>

export const MarkMessagesReadResult = component(
  'MarkMessagesReadResult',
  Type.Object(
    { marks: Type.Array(ref(ConversationReadMark), { description: 'One for each conversation of the messages' }) },
    { description: 'Where your marks stand' },
  ),
)
export type MarkMessagesReadResult = Static<typeof MarkMessagesReadResult>

export const Receipt = component(
  'Receipt',
  Type.Object(
    {
      user: described(ref(UserSummary), 'A member, not the sender'),
      status: described(MessageStatus, '`sent`: it is stored; `delivered`: it has reached a device; `read`: it is read'),
    },
    { description: 'How far a message has come with one member' },
  ),
)
export type Receipt = Static<typeof Receipt>
