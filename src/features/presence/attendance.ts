/**
 * Who has a socket open in this process, and the rows that say so to the others. Opening and closing cost a number in memory; what
 * has changed within a moment is written by one transaction. Whoever connects again within the grace was never away: nothing is
 * written, and nobody is told. What a write that failed has done is not known, so its users are written again, and doing that again
 * changes nothing.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { EventBus } from '../../bus/event-bus.ts'
import type { TransactionRunner } from '../../db/executor.ts'
import type { Log } from '../../log.ts'
import type { PresenceRepository } from './repository.ts'

export interface PresenceTimes {
  /** Between the end of somebody's last socket and being shown as offline. */
  graceMilliseconds: number
  /** Between two signs of life of a process; it is taken for dead after 15 seconds without one. */
  beatMilliseconds: number
}

interface Dependencies extends PresenceTimes {
  db: TransactionRunner
  presence: PresenceRepository
  bus: EventBus
  /** What others are shown of these users has changed; called after the commit. */
  onChanged(userIds: UserId[]): void
  log: Log
}

export const usualPresenceTimes: PresenceTimes = { graceMilliseconds: 5_000, beatMilliseconds: 5_000 }

/** Sockets that open or close within it are written together. */
const gatherMilliseconds = 30
const retryMilliseconds = 1_000

export function createAttendance({ db, presence, bus, onChanged, log, graceMilliseconds, beatMilliseconds }: Dependencies) {
  const { processId } = bus
  const sockets = new Map<UserId, number>()
  /** Who has closed the last socket and still counts as there, and when that was; the earliest first. */
  const leaving = new Map<UserId, number>()
  /** Whose grace is over. */
  const left = new Map<UserId, number>()
  /** Who has a row. */
  const written = new Set<UserId>()
  const unwritten = new Set<UserId>()
  let graceTimer: NodeJS.Timeout | undefined
  let writeTimer: NodeJS.Timeout | undefined
  let beatTimer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let beating: Promise<void> = Promise.resolve()
  let beatAt = Number.NEGATIVE_INFINITY
  let stopped = false

  const isHere = (userId: UserId): boolean => sockets.has(userId) || leaving.has(userId)

  const writeAfter = (milliseconds: number): void => {
    if (stopped) return
    writeTimer ??= setTimeout(() => {
      writing = writing.then(write).then((pause) => {
        writeTimer = undefined
        if (unwritten.size > 0) writeAfter(pause)
      })
    }, milliseconds).unref()
  }

  /** @returns how long to wait before what is left over is written: nobody who stops waits for that. */
  const write = async (): Promise<number> => {
    const batch = [...unwritten]
    unwritten.clear()
    const came = batch.filter((userId) => isHere(userId) && !written.has(userId))
    const went = batch.filter((userId) => !isHere(userId))
    if (came.length + went.length === 0) return gatherMilliseconds
    for (const userId of went) written.delete(userId)
    try {
      onChanged(await store(came, went))
      for (const userId of came) written.add(userId)
      for (const userId of went) if (!isHere(userId)) left.delete(userId)
      return gatherMilliseconds
    } catch (error) {
      log.warn({ err: error }, 'Who is there could not be written; trying again')
      for (const userId of [...came, ...went]) unwritten.add(userId)
      return retryMilliseconds
    }
  }

  const store = (came: UserId[], went: UserId[]): Promise<UserId[]> => {
    const now = performance.now()
    const departures = went.map((userId) => ({ userId, ageSeconds: (now - (left.get(userId) ?? now)) / 1_000 }))
    return db.transaction(async (tx) => {
      const changed = await presence.write(processId, came, departures, tx)
      await bus.publish(tx, 'presence.changed', changed)
      return changed
    })
  }

  const touch = (userId: UserId): void => {
    unwritten.add(userId)
    writeAfter(gatherMilliseconds)
  }

  /** One timer for all: the grace is the same for everybody, so those who left first are first. */
  const endGraces = (): void => {
    graceTimer = undefined
    const now = performance.now()
    for (const [userId, at] of leaving) {
      const remaining = at + graceMilliseconds - now
      if (remaining > 0) return endGracesAfter(remaining)
      leaving.delete(userId)
      left.set(userId, at)
      touch(userId)
    }
  }

  const endGracesAfter = (milliseconds: number): void => {
    if (!stopped) graceTimer ??= setTimeout(endGraces, Math.ceil(milliseconds)).unref()
  }

  const beat = async (): Promise<void> => {
    const sinceBeat = performance.now() - beatAt
    const { isNew, othersAreSilent } = await presence.beat(processId)
    beatAt = performance.now()
    if (isNew) {
      written.clear()
      for (const userId of sockets.keys()) touch(userId)
    }
    // Whoever was silent as well, since the database was away, cannot tell who died: the others have their turn first.
    if (othersAreSilent && (isNew || sinceBeat < 2 * beatMilliseconds)) await sweep()
  }

  const sweep = async (): Promise<void> => {
    const gone = await db.transaction(async (tx) => {
      const swept = await presence.sweep(tx)
      await bus.publish(tx, 'presence.changed', swept)
      return swept
    })
    onChanged(gone)
  }

  const beats = async (): Promise<void> => {
    beating = beat()
    await beating.catch((error: unknown) => log.debug({ err: error }, 'The database cannot be told that this process lives'))
    if (!stopped) beatTimer = setTimeout(() => void beats(), beatMilliseconds).unref()
  }

  return {
    /** A user has opened a socket, with whatever credentials: a program that listens by an API key is there as a person is. */
    opened(userId: UserId): void {
      const count = sockets.get(userId) ?? 0
      sockets.set(userId, count + 1)
      if (count > 0) return
      leaving.delete(userId)
      left.delete(userId)
      if (!written.has(userId)) touch(userId)
    },

    /** A user has closed one of the sockets that were opened. */
    closed(userId: UserId): void {
      const count = sockets.get(userId) ?? 0
      if (count > 1) return void sockets.set(userId, count - 1)
      sockets.delete(userId)
      leaving.set(userId, performance.now())
      endGracesAfter(graceMilliseconds)
    },

    connected: (): UserId[] => [...sockets.keys()],

    /** Resolves when others know of this process. */
    start: beats,

    async stop(): Promise<void> {
      stopped = true
      for (const timer of [graceTimer, writeTimer, beatTimer]) clearTimeout(timer)
      await Promise.allSettled([writing, beating])
      await presence
        .handOver(processId, graceMilliseconds / 1_000)
        .catch((error: unknown) => log.warn({ err: error }, 'The others could not be told that this process ends; they will notice'))
    },
  }
}
