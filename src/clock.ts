import { v7 } from 'uuid'

/** Time and ids are passed in, so that tests decide them. */
export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A new UUIDv7 (RFC 9562, section 5.7): ids of one process sort by the time they were made. The caller says whose id it is. */
export type NewId = <Id extends string>() => Id

export const newId = <Id extends string>(): Id => v7() as Id
