/**
 * What other processes on the same database must hear at once, by NOTIFY: sent in the transaction that causes it, so it is heard if
 * and only if that commits, and after it. PostgreSQL loses none as long as the listening connection lives; that it does is known by
 * hearing oneself every second. Whoever keeps a state by it compares with the database after a gap.
 */
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import type { UserId } from '../openapi/shared/ids.ts'
import type { CredentialId } from './actor.ts'
import type { Executor } from './db/executor.ts'
import type { Log } from './log.ts'

interface BusEvents {
  /** These are worth nothing from now on. */
  'credentials.revoked': CredentialId[]
  /** The presence of these users, or who may see it, may have changed. */
  'presence.changed': UserId[]
}

type Listener<T extends keyof BusEvents> = (data: BusEvents[T]) => void

interface Frame {
  from: string
  type: keyof BusEvents | 'beat'
  data: string[]
}

const channel = 'parley'
/** A notification may have 8,000 bytes. */
const idsPerNotification = 150
const beatMilliseconds = 1_000
/** Unheard for this long, the listening connection is taken for broken. */
const silenceMilliseconds = 3_000

export type EventBus = Awaited<ReturnType<typeof createEventBus>>

/** Listens when it resolves, or tries to go on until it does. */
export async function createEventBus({ pool, log }: { pool: pg.Pool; log: Log }) {
  const processId = randomUUID()
  const listeners: { [T in keyof BusEvents]: Set<Listener<T>> } = { 'credentials.revoked': new Set(), 'presence.changed': new Set() }
  const gapListeners = new Set<() => void>()
  let client: pg.Client | undefined
  let heardAt = performance.now()
  let closed = false

  const hear = ({ payload = '{}' }: pg.Notification): void => {
    const { from, type, data }: Frame = JSON.parse(payload)
    if (from === processId) heardAt = performance.now()
    else if (type !== 'beat') for (const listener of listeners[type] as Set<(ids: string[]) => void>) listener(data)
  }

  const listen = async (): Promise<void> => {
    const next = new pg.Client(pool.options)
    // What broke shows in the beats.
    next.on('error', () => undefined)
    next.on('notification', hear)
    await next.connect()
    await next.query(`listen ${channel}`)
    client = next
    heardAt = performance.now()
  }

  const notify = (type: Frame['type'], data: string[]): string => JSON.stringify({ from: processId, type, data } satisfies Frame)

  const beat = async (): Promise<void> => {
    if (performance.now() - heardAt > silenceMilliseconds) {
      await disconnect()
      await listen()
      log.warn('What other processes said may have been missed; compared with the database')
      for (const listener of gapListeners) listener()
    }
    await pool.query('select pg_notify($1, $2)', [channel, notify('beat', [])])
  }

  const disconnect = async (): Promise<void> => {
    const last = client
    client = undefined
    // A connection that is broken may never say so.
    await Promise.race([last?.end().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, beatMilliseconds).unref())])
  }

  let timer: NodeJS.Timeout | undefined
  const beats = async (): Promise<void> => {
    await beat().catch((error: unknown) => log.debug({ err: error }, 'The event bus does not reach the database'))
    if (!closed) timer = setTimeout(() => void beats(), beatMilliseconds).unref()
  }

  await listen()
  await beats()

  return {
    processId,

    /** To the other processes, when and if the transaction commits. What it means for this one is the caller's. */
    async publish<T extends keyof BusEvents>(executor: Executor, type: T, ids: BusEvents[T]): Promise<void> {
      for (let start = 0; start < ids.length; start += idsPerNotification) {
        await executor.execute(sql`select pg_notify(${channel}, ${notify(type, ids.slice(start, start + idsPerNotification))})`)
      }
    },

    /** Hears what other processes publish. */
    on<T extends keyof BusEvents>(type: T, listener: Listener<T>): void {
      ;(listeners[type] as Set<Listener<T>>).add(listener)
    },

    /** Something may have been missed. */
    onGap(listener: () => void): void {
      gapListeners.add(listener)
    },

    async close(): Promise<void> {
      closed = true
      clearTimeout(timer)
      await disconnect()
    },
  }
}
