import type { NodePgQueryResultHKT } from 'drizzle-orm/node-postgres'
import type { PgDatabase } from 'drizzle-orm/pg-core'

/** What statements run on: the pool, each on its own, or the transaction that a caller has begun. */
export type Executor = PgDatabase<NodePgQueryResultHKT, Record<string, never>>

/** What begins a transaction: it commits when the function's promise resolves and rolls back when it rejects. */
export type TransactionRunner = Pick<Executor, 'transaction'>
