/** A `changeSeq` per conversation, as clients are told it: a frame of it is no longer than what a client itself may send, which is what clients are prepared for. */
import type { Connection } from './connection.ts'

export type Positions = Record<string, number>

const positionsPerFrame = 1_000

export function tellHello(connection: Connection, positions: Positions, limits: { heartbeatSeconds: number; maxFrameBytes: number }): void {
  const [first = {}, ...others] = inParts(positions)
  connection.sendJson({ type: 'hello', data: { ...limits, positions: first, hasMore: others.length > 0 } })
  tellPositions(connection, others, false)
}

/** Sends all but what fits into one more frame. @returns that */
export function tellMostPositions(connection: Connection, positions: Positions): Positions {
  const parts = inParts(positions)
  const last = parts.pop()
  tellPositions(connection, parts, true)
  return last ?? {}
}

function tellPositions(connection: Connection, parts: Positions[], isMoreToCome: boolean): void {
  for (const [index, positions] of parts.entries()) {
    connection.sendJson({ type: 'positions', data: { positions, hasMore: isMoreToCome || index < parts.length - 1 } })
  }
}

function inParts(positions: Positions): Positions[] {
  const all = Object.entries(positions)
  return Array.from({ length: Math.ceil(all.length / positionsPerFrame) }, (_, index) =>
    Object.fromEntries(all.slice(index * positionsPerFrame, (index + 1) * positionsPerFrame)),
  )
}
