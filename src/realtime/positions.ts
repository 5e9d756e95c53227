/** A `changeSeq` per conversation, as clients are told it: a frame of it is no longer than what a client itself may send, which is what clients are prepared for. */
import type { Connection } from './connection.ts'
import { inParts } from './in-parts.ts'

export type Positions = Record<string, number>

const positionsPerFrame = 1_000

export function tellHello(connection: Connection, positions: Positions, limits: { heartbeatSeconds: number; maxFrameBytes: number }): void {
  const [first = {}, ...others] = partsOf(positions)
  connection.sendJson({ type: 'hello', data: { ...limits, positions: first, hasMore: others.length > 0 } })
  tellPositions(connection, others, false)
}

/** Sends all but what fits into one more frame. @returns that */
export function tellMostPositions(connection: Connection, positions: Positions): Positions {
  const parts = partsOf(positions)
  const last = parts.pop()
  tellPositions(connection, parts, true)
  return last ?? {}
}

function tellPositions(connection: Connection, parts: Positions[], isMoreToCome: boolean): void {
  for (const [index, positions] of parts.entries()) {
    connection.sendJson({ type: 'positions', data: { positions, hasMore: isMoreToCome || index < parts.length - 1 } })
  }
}

const partsOf = (positions: Positions): Positions[] => inParts(Object.entries(positions), positionsPerFrame).map((part) => Object.fromEntries(part))
