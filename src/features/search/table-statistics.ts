/** What PostgreSQL has counted when it last looked through the messages (`analyze`). */
import { sql } from 'drizzle-orm'
import type { Ask } from './reading.ts'

export interface TableStatistics {
  /** -1 when it has not looked yet. */
  rows: number
  /** @returns an id from which on about this share of the messages is; undefined where it is all of them, or not known */
  newest(share: number): string | undefined
}

/** Whatever has grown since has grown at the near end, where more than needed is looked at. */
const freshMilliseconds = 60_000

export function createTableStatistics(): (ask: Ask) => Promise<TableStatistics> {
  let read: { at: number; statistics: TableStatistics } | undefined

  return async (ask) => {
    if (read === undefined || performance.now() - read.at > freshMilliseconds) read = { at: performance.now(), statistics: await readNow(ask) }
    return read.statistics
  }
}

async function readNow(ask: Ask): Promise<TableStatistics> {
  const rows = await ask<{ rows: number; bounds: string | null }>(sql`
    select reltuples::float8 as rows,
      (select histogram_bounds::text from pg_stats where schemaname = current_schema() and tablename = 'messages' and attname = 'id') as bounds
    from pg_class where oid = 'messages'::regclass`)
  const [{ rows: count, bounds } = { rows: -1, bounds: null }] = rows
  const times = bounds?.slice(1, -1).split(',').map(timeOf) ?? []
  return { rows: count, newest: (share) => newest(times, share) }
}

/** Between two bounds, of which the table has a hundred or so, by the time in the ids. */
function newest(times: readonly number[], share: number): string | undefined {
  const place = (1 - share) * (times.length - 1)
  const [before, after] = [times[Math.floor(place)], times[Math.floor(place) + 1]]
  return place <= 0 || before === undefined || after === undefined ? undefined : idOf(Math.floor(before + (after - before) * (place % 1)))
}

/** A UUIDv7 begins with the milliseconds since 1970. */
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

function idOf(time: number): string {
  const digits = time.toString(16).padStart(12, '0')
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`
}
