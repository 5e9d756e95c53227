/** What goes over the socket, as the contract describes it. */
import type { AckFrame, Change, ErrorFrame, GapEvent, GoneEvent, HelloEvent, PongEvent, ReadyEvent, TypingEvent } from '../generated/types.ts'

export type ServerFrame = Change | HelloEvent | ReadyEvent | GapEvent | GoneEvent | PongEvent | TypingEvent | AckFrame | ErrorFrame

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
