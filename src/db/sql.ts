/** Small pieces of SQL that several repositories need. */
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { TimePosition } from '../pagination.ts'

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
