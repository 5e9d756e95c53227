import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** Time and ids are passed in, so that tests decide them. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

export type NewId = <Id extends string>() => Id

/** Random bytes are drawn for many ids at once: one draw costs as much as all the rest of an id. */
const randomPool = new Uint8Array(4_096)
let randomUsed = randomPool.length
let lastMilliseconds = 0
let sequence = 0

/**
 * A new UUIDv7 (RFC 9562, section 5.7). Those of one process sort in the order in which they were made, also within a millisecond: a counter
 * that begins at random stands behind the time (section 6.2, method 1). The caller says whose id it is.
 */
export const newId = <Id extends string>(): Id => {
  const random = nextRandom()
  const now = Date.now()
  if (now > lastMilliseconds) {
    lastMilliseconds = now
    // 31 bits of the counter's 32, so that it does not run over within the millisecond.
    sequence = (((random[0] ?? 0) & 0x7f) << 24) | ((random[1] ?? 0) << 16) | ((random[2] ?? 0) << 8) | (random[3] ?? 0)
  } else sequence += 1
  return v7({ msecs: lastMilliseconds, seq: sequence, random }) as Id
}

function nextRandom(): Uint8Array {
  if (randomUsed === randomPool.length) {
    randomFillSync(randomPool)
    randomUsed = 0
  }
  randomUsed += 16
  return randomPool.subarray(randomUsed - 16, randomUsed)
}
