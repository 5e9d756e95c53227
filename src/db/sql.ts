/** Small pieces of SQL that several repositories need. */
import { inArray, type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { TimePosition } from '../pagination.ts'
import type { Executor } from './executor.ts'

/** The row of a statement that always has one. */
export function one<T>([row]: T[]): T {
  if (row === undefined) throw new Error('The statement returned no row')
  return row
}

/** For a pattern of `like` in which `%` and `_` stand for themselves. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&')

/** What comes after a place in a list that goes by time, the latest first. */
export const isBefore = ({ createdAt, id }: { createdAt: PgColumn; id: PgColumn }, place: TimePosition | undefined): SQL | undefined =>
  place && sql`(${createdAt}, ${id}) < (${place.createdAt.toISOString()}::timestamptz, ${place.id}::uuid)`

/** More than one, so that what is left behind never grows. */
const sweptAtOnce = 20

/** Deletes some rows that are of no use any more: to be called when another one is added. Skips what others have locked, so that nobody waits for it. */
export async function sweep(table: PgTable, key: PgColumn, isUseless: SQL, executor: Executor): Promise<void> {
  const useless = executor.select({ key }).from(table).where(isUseless).limit(sweptAtOnce).for('update', { skipLocked: true })
  await executor.delete(table).where(inArray(key, useless))
}
