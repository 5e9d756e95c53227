/** What goes over the socket, as the contract describes it. */
import type {
  AckFrame,
  Change,
  ConversationJoinedEvent,
  ErrorFrame,
  GapEvent,
  GoneEvent,
  HelloEvent,
  MessageMentionedEvent,
  PongEvent,
  PositionsEvent,
  PresenceChangedEvent,
  ReadyEvent,
  TypingEvent,
} from '../generated/types.ts'

/** Of the moment, passed on as they are. */
type Signal = TypingEvent | PresenceChangedEvent | MessageMentionedEvent | ConversationJoinedEvent

export type ServerFrame = Change | HelloEvent | PositionsEvent | ReadyEvent | GapEvent | GoneEvent | PongEvent | Signal | AckFrame | ErrorFrame

const signals = new Set(['typing', 'presence.changed', 'message.mentioned', 'conversation.joined'])
export const isSignal = (frame: ServerFrame): frame is Signal => signals.has(frame.type)

/** Undefined for what is not a frame, which a newer server or something in between may send. */
export function parseFrame(data: unknown): ServerFrame | undefined {
  try {
    const frame: unknown = JSON.parse(String(data))
    return isFrame(frame) ? frame : undefined
  } catch {
    return undefined
  }
}

/** Told by its number rather than by its type: a newer server may have types that this client does not know. */
export const isChange = (frame: ServerFrame): frame is Change => 'changeSeq' in frame

const isFrame = (frame: unknown): frame is ServerFrame => typeof frame === 'object' && frame !== null && 'type' in frame
