import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import { StartError } from '../start-error.ts'
import type { Database } from './client.ts'

export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

/** Any number, as long as it stays. */
const migrationLock = 7_275_391

/**
 * Applies what is missing of the migrations, in order, all or nothing. Of several processes that start at once one does it and
 * the others wait: the lock is the session's, so it is taken, used and left on one connection.
 * @throws StartError when the database cannot be reached.
 */
export async function migrate(database: Database, folder: string = migrationsFolder): Promise<void> {
  const client = await connect(database)
  try {
    // Building an index on a large table takes longer than a request may.
    await client.query('set statement_timeout = 0')
    await client.query('set idle_in_transaction_session_timeout = 0')
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await applyMigrations(drizzle(client), { migrationsFolder: folder })
  } finally {
    // The connection goes, and the lock and the settings with it.
    client.release(true)
  }
}

/** The first thing that is asked of the database at a start, so this is where a wrong DATABASE_URL shows. */
async function connect({ pool }: Database) {
  try {
    return await pool.connect()
  } catch (error) {
    // Tried on several addresses: each has failed for a reason of its own.
    const reason = error instanceof AggregateError ? error.errors.join('; ') : error instanceof Error ? error.message : error
    throw new StartError(`The database cannot be reached: ${reason}. Check that it runs and that DATABASE_URL is right.`)
  }
}
