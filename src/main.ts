/** config → database → app → listen, and back again in the reverse order when it is told to stop. */
import { mkdir } from 'node:fs/promises'
import pino, { type Logger } from 'pino'
import { buildApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { createDatabase } from './db/client.ts'
import { startEmbeddedPostgres } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { loadJwtSecret } from './secrets.ts'
import { StartError } from './start-error.ts'

/** Clients that do not let go are left behind after this. */
const closeTimeoutMilliseconds = 10_000
/** npm passes on the signal that the terminal has sent already: only a later one means impatience. */
const impatienceMilliseconds = 1_000

async function start(config: Config, log: Logger): Promise<{ stop(): Promise<void> }> {
  await mkdir(config.dataDir, { recursive: true })
  const embedded = config.databaseUrl === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined
  const database = createDatabase({ url: config.databaseUrl ?? embedded?.url ?? '', maxConnections: config.databaseMaxConnections, log })
  const closeDatabase = async () => {
    await database.close()
    await embedded?.stop()
  }
  try {
    await migrate(database)
    const jwtSecret = config.jwtSecret ?? (await loadJwtSecret(config.dataDir))
    const { server } = await buildApp({ config: { ...config, jwtSecret }, database, log })
    const address = await server.listen({ host: config.host, port: config.port })
    greet(config, config.publicUrl ?? address)
    return {
      async stop() {
        await server.close()
        await closeDatabase()
      },
    }
  } catch (error) {
    await closeDatabase()
    throw error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      ? new StartError(`Port ${config.port} is in use: stop what listens there, or set PORT.`)
      : error
  }
}

function greet({ environment }: Config, url: string): void {
  process.stdout.write(`\nParley is ready\n  API   ${url}/v1\n  Docs  ${url}/docs\n`)
  if (environment === 'development')
    process.stdout.write('  Development: the code 000000 signs in anybody. Set NODE_ENV=production before others can reach this server.\n')
  process.stdout.write('\n')
}

function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  let stoppingSince: number | undefined
  const onSignal = (signal: string) => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > impatienceMilliseconds) process.exit(1)
      return
    }
    stoppingSince = Date.now()
    log.info({ signal }, 'Stopping')
    setTimeout(() => process.exit(1), closeTimeoutMilliseconds).unref()
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'Could not stop cleanly')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

try {
  const config = loadConfig(process.env)
  const log = pino({ level: config.logLevel })
  const { stop } = await start(config, log)
  stopOnSignal(stop, log)
} catch (error) {
  process.stderr.write(error instanceof StartError ? `${error.message}\n` : `Parley could not start: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
