/** config → database → app → listen, and back again in the reverse order when it is told to stop, at whatever point that happens. */
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import pino, { type Logger } from 'pino'
import { buildApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { createDatabase } from './db/client.ts'
import { startEmbeddedPostgres } from './db/embedded.ts'
import { migrate } from './db/migrate.ts'
import { loadJwtSecret } from './secrets.ts'
import { StartError } from './start-error.ts'

/** What has been started, each with the way to end it. */
type Ends = (() => Promise<unknown>)[]

interface Options {
  config: Config
  log: Logger
  ends: Ends
  /** Aborts when it is told to stop. */
  stopSignal: AbortSignal
}

const idlePollMilliseconds = 50
/** Browsers open connections ahead of need; Node would wait for the requests on them. */
const unusedTimeoutMilliseconds = 500
/** Lines are written together, for a write for each would cost a tenth of what a server can do. */
const logBufferBytes = 8_192
const logFlushMilliseconds = 250
/** Clients that do not let go are left behind after this. */
const closeTimeoutMilliseconds = 8_000
/** For each part; one that takes longer is left behind, and the next one ends. */
const endTimeoutMilliseconds = 10_000
/** npm passes on the signal that the terminal has sent already: only a later one means impatience. */
const impatienceMilliseconds = 1_000

async function run(): Promise<number> {
  const config = loadConfig(process.env)
  const logStream = pino.destination({ sync: false, minLength: logBufferBytes, periodicFlush: logFlushMilliseconds })
  const log = pino({ level: config.logLevel }, logStream)
  // The server goes on when whoever reads its output has gone.
  for (const stream of [logStream, process.stdout]) stream.on('error', () => undefined)
  const stopSignal = listenForSignals(log)
  const ends: Ends = []
  let exitCode = 0
  try {
    await start({ config, log, ends, stopSignal })
    if (!stopSignal.aborted) await once(stopSignal, 'abort')
  } catch (error) {
    // A Ctrl-C reaches the programs that set up PostgreSQL as well: that they fail is what it asked for.
    if (!stopSignal.aborted) exitCode = complain(error)
  }
  const endedCleanly = await endAll(ends, log)
  await endLog(logStream)
  return endedCleanly ? exitCode : 1
}

async function start({ config, log, ends, stopSignal }: Options): Promise<void> {
  const url = config.databaseUrl ?? (await startPostgres({ config, log, ends }))
  stopSignal.throwIfAborted()
  const database = createDatabase({ url, maxConnections: config.databaseMaxConnections, log })
  ends.push(database.close)
  await migrate(database)
  stopSignal.throwIfAborted()
  await makeDataFolder(config.dataDir)
  const jwtSecret = config.jwtSecret ?? (await loadJwtSecret(config.dataDir))
  const { server } = await buildApp({ config: { ...config, jwtSecret }, database, log })
  ends.push(closerOf(server))
  stopSignal.throwIfAborted()
  const address = await listen(server, config)
  greet(config, config.publicUrl ?? address)
}

async function listen(server: FastifyInstance, { host, port }: Config): Promise<string> {
  return server.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw new StartError(`Port ${port} is in use: stop what listens there, or set PORT.`)
    throw new StartError(`Parley cannot listen on port ${port} of ${host}: ${error.message}. Set HOST and PORT to what this machine allows.`)
  })
}

async function startPostgres({ config: { dataDir }, log, ends }: Omit<Options, 'stopSignal'>): Promise<string> {
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  ends.push(postgres.stop)
  return postgres.url
}

async function makeDataFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true }).catch((error: Error) => {
    throw new StartError(`The data folder ${dataDir} cannot be made: ${error.message}. Set DATA_DIR to a folder that Parley may write to.`)
  })
}

function greet({ environment }: Config, url: string): void {
  process.stdout.write(`\nParley is ready\n  API   ${url}/v1\n  Docs  ${url}/docs\n`)
  if (environment === 'development') {
    process.stdout.write('  Development: the code 000000 signs in anybody. Set NODE_ENV=production before others can reach this server.\n')
  }
  process.stdout.write('\n')
}

/** @returns the function that closes the server after the running requests are answered; clients that do not let go are cut off. */
function closerOf(server: FastifyInstance): () => Promise<void> {
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const endUnused = (): void => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }
  return async () => {
    // Node ends the connections that are idle now, and waits for those that become so.
    const ending = setInterval(() => server.server.closeIdleConnections(), idlePollMilliseconds)
    const timers = [setTimeout(endUnused, unusedTimeoutMilliseconds), setTimeout(() => server.server.closeAllConnections(), closeTimeoutMilliseconds)]
    await server.close().finally(() => {
      for (const timer of [ending, ...timers]) clearTimeout(timer)
    })
  }
}

async function endAll(ends: Ends, log: Logger): Promise<boolean> {
  let isClean = true
  for (const end of ends.reverse()) {
    await orLate(end()).catch((error: unknown) => {
      isClean = false
      log.error({ err: error }, 'A part did not stop cleanly')
    })
  }
  return isClean
}

/** Whatever a part waits for, who has told it to stop does not. */
async function orLate(ended: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`It took more than ${endTimeoutMilliseconds / 1000} seconds`)), endTimeoutMilliseconds)
  await Promise.race([ended, late.promise]).finally(() => clearTimeout(timer))
}

/** Writes the last lines, or drops them: left to itself the stream would try for ever, while the process exits, to write to a reader that has gone. */
async function endLog(logStream: ReturnType<typeof pino.destination>): Promise<void> {
  const flushed = new Promise((resolve) => logStream.flush(resolve))
  await Promise.race([flushed, sleep(logFlushMilliseconds)])
  logStream.destroy()
}

function listenForSignals(log: Logger): AbortSignal {
  const controller = new AbortController()
  let stoppingSince: number | undefined
  const onSignal = (signal: string): void => {
    if (stoppingSince === undefined) {
      stoppingSince = Date.now()
      log.info({ signal }, 'Stopping')
      controller.abort()
    } else if (Date.now() - stoppingSince > impatienceMilliseconds) process.exit(1)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}

function complain(error: unknown): number {
  process.stderr.write(error instanceof StartError ? `${error.message}\n` : `Parley could not start: ${error instanceof Error ? error.stack : String(error)}\n`)
  return 1
}

process.exit(await run().catch(complain))
