/** `npm run migrate`: brings the database of the configuration up to date and ends. */
import { loadConfig } from '../src/config.ts'
import { createDatabase } from '../src/db/client.ts'
import { startEmbeddedPostgres } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'
import type { Log } from '../src/log.ts'
import { StartError } from '../src/start-error.ts'

const print = (...parts: unknown[]) => console.error(...parts)
const log: Log = { debug: () => undefined, info: () => undefined, warn: print, error: print }

try {
  await run()
  console.log('The database is up to date.')
} catch (error) {
  console.error(error instanceof StartError ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<void> {
  const config = loadConfig(process.env)
  const embedded = config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined
  const url = config.databaseUrl ?? embedded?.url
  if (url === undefined) throw new Error('There is no database')
  const database = createDatabase({ url, maxConnections: 1, log })
  try {
    await migrate(database)
  } finally {
    await database.close()
    await embedded?.stop()
  }
}
