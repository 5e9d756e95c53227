/** The statements of one search: all see the database as it is at one moment, and share the time that a search may take. */
import { type Assume, type SQL, sql } from 'drizzle-orm'
import type { QueryResultRow } from 'pg'
import type { Database } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import { createGate } from '../../gate.ts'

/** Runs one statement. @throws `unavailable` when the search has no time left, what PostgreSQL throws when it runs out of it */
export type Ask = <T extends Record<string, unknown>>(statement: SQL, scans?: Scans) => Promise<Rows<T>>

/** As they are asked for. */
type Rows<T> = Assume<T, QueryResultRow>[]

/** `bitmaps`: only what intersects indexes. A plan that follows one of them may go through the whole table. */
type Scans = 'all' | 'bitmaps'

/** So that searches leave connections to whatever else is asked, of which a process has some ten. */
const searchesAtOnce = 3
const waitMilliseconds = 2_000
/** PostgreSQL limits the time of a statement only: it is told again when that much has gone by. */
const toleratedMilliseconds = 50

const tooMany = () => new AppError('unavailable', 'Too many search at the moment; try again shortly.', { retryAfterSeconds: 1 })

export function createReading({ db }: Pick<Database, 'db'>, limitMilliseconds: number) {
  const gate = createGate({ atOnce: searchesAtOnce, waitMilliseconds, refusal: tooMany })

  /** @throws `unavailable` when it, or others before it, take too long */
  return <T>(work: (ask: Ask) => Promise<T>): Promise<T> =>
    gate(() => {
      const endsAt = performance.now() + limitMilliseconds
      return db.transaction((tx) => work(askUntil(endsAt, tx)), { isolationLevel: 'repeatable read', accessMode: 'read only' })
    })
}

function askUntil(endsAt: number, tx: Executor): Ask {
  let told: { milliseconds: number; scans: Scans } | undefined
  return async <T extends Record<string, unknown>>(statement: SQL, scans: Scans = 'all'): Promise<Rows<T>> => {
    const milliseconds = Math.floor(endsAt - performance.now())
    if (milliseconds <= 0) throw new AppError('unavailable', 'The search takes too long; try again, or look for less.', { retryAfterSeconds: 1 })
    if (told?.scans !== scans || milliseconds < told.milliseconds - toleratedMilliseconds) {
      told = { milliseconds, scans }
      await tx.execute(settings(told))
    }
    return (await tx.execute<T>(statement)).rows
  }
}

const settings = ({ milliseconds, scans }: { milliseconds: number; scans: Scans }) => sql`
  select set_config('statement_timeout', ${String(milliseconds)}, true), set_config('enable_indexscan', ${scans === 'all' ? 'on' : 'off'}, true),
    set_config('enable_seqscan', 'off', true), set_config('work_mem', '32MB', true), set_config('max_parallel_workers_per_gather', '0', true),
    set_config('pg_trgm.word_similarity_threshold', '0.45', true)`
