/**
 * What other processes on the same database must hear at once, by NOTIFY: sent in the transaction that causes it, so it is heard if
 * and only if that commits, and after it. PostgreSQL loses none as long as the listening connection lives; that it does is known by
 * hearing oneself over it every second. Whoever keeps a state by it compares with the database after a gap.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import type { ApiKeyId, UserId } from '../openapi/shared/ids.ts'
import type { CredentialId } from './actor.ts'
import type { Executor } from './db/executor.ts'
import type { Log } from './log.ts'

interface BusEvents {
  /** These are worth nothing from now on. */
  'credentials.revoked': CredentialId[]
  /** What these may do has changed with their user. */
  'apiKeys.changed': ApiKeyId[]
  /** The presence of these users, or who may see it, may have changed. */
  'presence.changed': UserId[]
  /** The first has blocked the second, or does not any more. */
  'block.changed': UserId[]
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

/** Listens when it resolves; while the database is away, it tries to. */
export async function createEventBus({ pool, log }: { pool: pg.Pool; log: Log }) {
  const processId = randomUUID()
  const listeners: { [T in keyof BusEvents]: Set<Listener<T>> } = {
    'credentials.revoked': new Set(),
    'apiKeys.changed': new Set(),
    'presence.changed': new Set(),
    'block.changed': new Set(),
  }
  const gapListeners = new Set<() => void>()
  let connection: pg.Client | undefined
  /** One that is being opened, which must not be left behind by a close. */
  let opening: pg.Client | undefined
  let heardAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (error) {
      log.error({ err: error }, 'A listener of the event bus failed')
    }
  }

  const hear = ({ payload }: pg.Notification): void => {
    const frame = parseFrame(payload)
    if (frame === undefined) return
    if (frame.from === processId) heardAt = performance.now()
    else if (isOwn(frame.type, listeners)) for (const listener of listeners[frame.type] as Set<(ids: string[]) => void>) tell(() => listener(frame.data))
  }

  const listen = async (): Promise<void> => {
    const next = new pg.Client(pool.options)
    opening = next
    const lost = (): void => {
      if (connection !== next) return
      connection = undefined
      beatSoon(0)
    }
    next.on('error', lost)
    next.on('end', lost)
    next.on('notification', hear)
    try {
      await next.connect()
      await next.query(`listen ${channel}`)
    } catch (error) {
      await end(next)
      throw error
    } finally {
      opening = undefined
    }
    if (closed) return void (await end(next))
    connection = next
    heardAt = performance.now()
  }

  const disconnect = async (): Promise<void> => {
    const last = connection
    connection = undefined
    await Promise.all([last && end(last), opening && end(opening)])
  }

  const reconnect = async (): Promise<void> => {
    await disconnect()
    await listen()
    if (closed) return
    log.warn('What other processes said may have been missed; compared with the database')
    gapListeners.forEach(tell)
  }

  /** Over the listening connection itself: a pool that is busy says nothing of it. */
  const beat = async (): Promise<void> => {
    // What has come already is read before its absence is judged: the process may have been busy.
    await setImmediate()
    if (connection === undefined || performance.now() - heardAt > silenceMilliseconds) await reconnect()
    // On a connection that is broken it may never be answered; the silence tells.
    connection?.query('select pg_notify($1, $2)', [channel, format(processId, 'beat', [])]).catch(() => undefined)
  }

  const run = async (): Promise<void> => {
    if (running !== undefined) return
    running = beat().catch((error: unknown) => log.debug({ err: error }, 'The event bus does not reach the database'))
    await running
    running = undefined
    beatSoon(beatMilliseconds)
  }

  const beatSoon = (milliseconds: number): void => {
    clearTimeout(timer)
    if (closed || pool.ending) return
    timer = setTimeout(() => void run(), milliseconds).unref()
  }

  const close = async (): Promise<void> => {
    closed = true
    clearTimeout(timer)
    await disconnect()
    await soon(running)
  }

  await listen().catch((error: unknown) => log.warn({ err: error }, 'The event bus does not reach the database yet'))
  await run()

  return {
    processId,

    /** To the other processes, when and if the transaction commits. What it means for this one is the caller's. */
    async publish<T extends keyof BusEvents>(executor: Executor, type: T, ids: BusEvents[T]): Promise<void> {
      for (let start = 0; start < ids.length; start += idsPerNotification) {
        const payload = format(processId, type, ids.slice(start, start + idsPerNotification))
        await executor.execute(sql`select pg_notify(${channel}, ${payload})`)
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

    close,
  }
}

const format = (from: string, type: Frame['type'], data: string[]): string => JSON.stringify({ from, type, data } satisfies Frame)

/** Undefined for what is not ours: anybody with the database may notify. */
function parseFrame(payload = ''): Frame | undefined {
  try {
    const { from, type, data }: Partial<Frame> = JSON.parse(payload)
    return typeof from === 'string' && typeof type === 'string' && Array.isArray(data) ? { from, type, data } : undefined
  } catch {
    return undefined
  }
}

/** A process of another version may say what this one does not know. */
const isOwn = (type: Frame['type'], listeners: Record<keyof BusEvents, unknown>): type is keyof BusEvents => Object.hasOwn(listeners, type)

const end = (client: pg.Client): Promise<unknown> => soon(client.end().catch(() => undefined))

/** Waits, but not long: a connection that is broken may never say that it has ended. */
async function soon(work: Promise<unknown> | undefined): Promise<void> {
  await Promise.race([work, new Promise((resolve) => setTimeout(resolve, beatMilliseconds).unref())])
}
