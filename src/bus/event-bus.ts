/**
 * What other processes on the same database must know for certain, by NOTIFY: sent in the transaction that causes it, so it is heard if
 * and only if that commits, and after it. PostgreSQL loses none as long as the listening connection lives; that it does is known by
 * hearing oneself over it every second. Whoever keeps a state by it compares with the database after a gap.
 */
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type pg from 'pg'
import type { ApiKeyId, UserId } from '../../openapi/shared/ids.ts'
import type { CredentialId } from '../actor.ts'
import type { Executor } from '../db/executor.ts'
import type { Log } from '../log.ts'
import { createLink } from './link.ts'
import { createPostgresCarrier } from './postgres-carrier.ts'

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

  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (error) {
      log.error({ err: error }, 'A listener of the event bus failed')
    }
  }

  const hear = (payload: string): boolean => {
    const frame = parseFrame(payload)
    if (frame === undefined) return false
    if (frame.from === processId) return true
    if (isOwn(frame.type, listeners)) for (const listener of listeners[frame.type] as Set<(ids: string[]) => void>) tell(() => listener(frame.data))
    return false
  }

  const link = createLink({
    name: 'The event bus',
    carrier: createPostgresCarrier(pool, channel),
    formatBeat: () => format(processId, 'beat', []),
    hear,
    onGap: () => gapListeners.forEach(tell),
    log,
  })
  await link.start()

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

    /** Whether other processes can be heard. */
    isUp: (): boolean => link.isUp,

    close: link.close,
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
