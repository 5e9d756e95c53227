/**
 * The pool of connections and Drizzle on top of it. A connection may break at any moment, idle or in use, without the
 * process noticing more than a log line: the statement that was under way fails, the next one gets a new connection.
 */
import { setTimeout } from 'node:timers/promises'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Log } from '../log.ts'

export interface Database {
  pool: pg.Pool
  db: NodePgDatabase
  /** Waits for what is under way. */
  close(): Promise<void>
  /** Whether the database answers, and soon. */
  ping(): Promise<boolean>
  /**
   * Calls back when the database answers again after connections broke, for what was committed without an acknowledgement is not known
   * here; and once more when what was under way can no longer be committed.
   */
  onRecovered(listener: () => void): void
}

export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0]

interface Options {
  url: string
  maxConnections: number
  log: Log
  statementTimeoutMs?: number
}

// Drizzle reads through pg's global parsers, so these are global. Every int8 of ours counts something (sequence numbers,
// bytes, rows) and stays far below 2^53, up to which a JavaScript number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

const drizzleConfig = { casing: 'snake_case' } as const

const connectTimeoutMs = 5_000
const pingTimeoutMs = 2_000
const recoveryPollMs = 250

export const createDatabase = ({ url, maxConnections, log, statementTimeoutMs = 30_000 }: Options): Database => {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'parley',
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    // Times inside JSON that PostgreSQL builds are written in the session's zone.
    options: '-c timezone=UTC',
  })
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      // PostgreSQL may be told to stop before it has seen the last connection go.
      if (pool.ending) return
      log.warn({ err: error }, 'A database connection broke')
      void recovery.wait()
    })
  })
  // The listener above has said it already; unheard here, it would end the process.
  pool.on('error', () => undefined)
  const recovery = createRecovery(pool, statementTimeoutMs)

  return {
    pool,
    onRecovered: recovery.listen,
    db: Object.assign(drizzle(pool, drizzleConfig), { transaction: transactionsOf(pool) }),
    close: () => pool.end(),
    ping: () => ping(pool),
  }
}

/**
 * Drizzle's own keeps the connection for good when it breaks at `begin`, until the pool has none left:
 * https://github.com/drizzle-team/drizzle-orm/issues/6241. Given back, a broken one is closed by the pool.
 */
const transactionsOf =
  (pool: pg.Pool): NodePgDatabase['transaction'] =>
  async (work, config) => {
    const client = await pool.connect()
    try {
      return await drizzle(client, drizzleConfig).transaction(work, config)
    } finally {
      client.release()
    }
  }

function createRecovery(pool: pg.Pool, statementTimeoutMs: number) {
  const listeners: (() => void)[] = []
  let waiting = false
  let lateTimer: NodeJS.Timeout | undefined

  const tell = (): void => {
    if (!pool.ending) for (const listener of listeners) listener()
  }

  return {
    listen: (listener: () => void) => void listeners.push(listener),

    async wait(): Promise<void> {
      if (waiting) return
      waiting = true
      while (!pool.ending && !(await ping(pool))) await setTimeout(recoveryPollMs, undefined, { ref: false })
      waiting = false
      tell()
      // PostgreSQL carries a statement out though nobody is there any more to be told.
      clearTimeout(lateTimer)
      lateTimer = globalThis.setTimeout(tell, statementTimeoutMs).unref()
    },
  }
}

/** Whether the statement failed because the database was out of reach or too busy, so that it may succeed later as it is. */
export function isUnavailable(error: unknown): boolean {
  const cause = unwrap(error)
  if (!(cause instanceof Error)) return false
  const code = 'code' in cause ? String(cause.code) : ''
  return unavailableCodes.has(code) || code.startsWith('08') || unavailableMessage.test(cause.message)
}

/** Whether a unique constraint (this one, or any) refused the statement. */
export const isUniqueViolation = (error: unknown, constraint?: string): boolean => {
  const cause = unwrap(error)
  return cause instanceof pg.DatabaseError && cause.code === '23505' && (constraint === undefined || cause.constraint === constraint)
}

/** Whether the statement divided by zero, which is how it refuses to go on. */
export const isDivisionByZero = (error: unknown): boolean => {
  const cause = unwrap(error)
  return cause instanceof pg.DatabaseError && cause.code === '22012'
}

const unavailableCodes = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '53300',
  // It took too long: the statement, a lock, the transaction's next statement.
  '57014',
  '55P03',
  '25P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** What pg and its pool say without a code. */
const unavailableMessage =
  /^Connection terminated|^timeout exceeded when trying to connect|^Client has encountered a connection error|^Client was closed|after calling end on the pool/

const unwrap = (error: unknown): unknown => (error instanceof DrizzleQueryError && error.cause !== undefined ? unwrap(error.cause) : error)

async function ping(pool: pg.Pool): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = globalThis.setTimeout(() => late.resolve(false), pingTimeoutMs)
  const answer = pool.query('select 1').then(
    () => true,
    () => false,
  )
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer))
}
