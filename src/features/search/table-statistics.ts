/** What PostgreSQL has counted when it last looked through the messages (`analyze`). */
import { sql } from 'drizzle-orm'
import type { Executor } from '../../db/executor.ts'

export interface TableStatistics {
  /** -1 when it has not looked yet. */
  rows: number
  /** Ids from which on that share of the messages is, the smallest share first. */
  newestIds: { id: string; share: number }[]
}

/** Whatever has grown since has grown at the near end, where more than needed is looked at. */
const freshMilliseconds = 60_000

export function readTableStatistics(db: Executor): () => Promise<TableStatistics> {
  let read: { at: number; statistics: Promise<TableStatistics> } | undefined

  return () => {
    if (read === undefined || performance.now() - read.at > freshMilliseconds) {
      read = { at: performance.now(), statistics: readNow(db) }
      read.statistics.catch(() => {
        read = undefined
      })
    }
    return read.statistics
  }
}

async function readNow(db: Executor): Promise<TableStatistics> {
  const { rows } = await db.execute<{ rows: number; bounds: string | null }>(sql`
    select reltuples::float8 as rows,
      (select histogram_bounds::text from pg_stats where schemaname = current_schema() and tablename = 'messages' and attname = 'id') as bounds
    from pg_class where oid = 'messages'::regclass`)
  const [{ rows: count, bounds } = { rows: -1, bounds: null }] = rows
  const ids = bounds?.slice(1, -1).split(',') ?? []
  return {
    rows: count,
    newestIds: ids
      .map((id, index) => ({ id, share: (ids.length - 1 - index) / (ids.length - 1) }))
      .reverse()
      .slice(1),
  }
}
