import type { AnyChangeFrame } from '../../../openapi/realtime/frames.ts'
import type { Change } from '../../topics.ts'
import { serializeConversationState, serializeMember } from '../conversations/serialize.ts'
import { serializeMessage } from '../messages/serialize.ts'
import type { HiddenChange } from './service.ts'

/** A change as a socket's frame and an item of `sync.pull`. @param previousChangeSeq the change it follows, told only where it is not the number before. */
export function serializeChange(change: Change | HiddenChange, previousChangeSeq: number): AnyChangeFrame {
  const { conversationId, changeSeq } = change
  const envelope = { conversationId, changeSeq, ...(previousChangeSeq !== changeSeq - 1 && { previousChangeSeq }) }
  switch (change.type) {
    case 'change.hidden':
      return { type: change.type, ...envelope, data: {} }
    case 'message.created':
    case 'message.updated':
    case 'message.deleted':
      return { type: change.type, ...envelope, data: { message: serializeMessage(change.message) } }
    case 'conversation.updated':
      return { type: change.type, ...envelope, data: { conversation: serializeConversationState(change.conversation) } }
    case 'member.joined':
    case 'member.updated':
      return { type: change.type, ...envelope, data: { member: serializeMember(change.member) } }
    case 'member.left':
      return { type: change.type, ...envelope, data: { userId: change.userId } }
    case 'read':
      return { type: change.type, ...envelope, data: { userId: change.userId, readSeq: change.readSeq, readRanges: change.readRanges } }
    case 'delivered':
      return { type: change.type, ...envelope, data: { userId: change.userId, deliveredSeq: change.deliveredSeq } }
    case 'membership.updated':
      return { type: change.type, ...envelope, data: { muted: change.muted, pinned: change.pinned } }
  }
}
