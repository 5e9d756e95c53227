/** The scene of a run: one durable PostgreSQL with a database for each side, and the two servers, fresh for every section. */
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { createDatabase } from '../../src/db/client.ts'
import { shareEmbeddedPostgres } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { Log } from '../../src/log.ts'
import { readDatabaseCpu } from './load/database-cpu.ts'
import type { Stage } from './stage.ts'
import { type Side, startTarget, type Target } from './target.ts'
import { type World, writeWorld } from './world.ts'

/** Rates are measured in this many slices of this length, after a warm-up. */
export interface Pace {
  rounds: number
  sliceSeconds: number
  warmUpSeconds: number
}

export interface Setting {
  stage: Stage
  pace: Pace
  postgresVersion: string
  /** Microseconds so far; undefined where the system does not tell. */
  databaseCpu(): Promise<number | undefined>
  /** Ends the servers of the section before. @returns new ones, whose databases hold the world. */
  enter(world: World): Promise<Record<Side, Target>>
  /** Beside those: a server of ours, with a world of its own on a database of its own. It is stopped by whoever opens it. */
  openOurs(name: string, world: World): Promise<Target>
}

const log: Log = { debug: ignore, info: ignore, warn: console.error, error: console.error }

export async function openSetting(stage: Stage, pace: Pace): Promise<Setting> {
  // With PostgreSQL's own settings: what is acknowledged is on the disk.
  const dataDir = `${stage.folder}/postgres`
  const postgres = await shareEmbeddedPostgres({ dataDir, settings: {}, log })
  stage.defer(postgres.stop)
  const databaseUrls: Record<Side, string> = { ours: await createMigrated(postgres.url, 'ours'), floor: await createMigrated(postgres.url, 'floor') }
  const postmasterPid = Number.parseInt(await readFile(`${dataDir}/postgres/postmaster.pid`, 'utf8'), 10)
  const written = new WeakSet<World>()
  let targets: Record<Side, Target> | undefined

  return {
    stage,
    pace,
    postgresVersion: await readVersion(postgres.url),
    databaseCpu: () => readDatabaseCpu(postmasterPid),

    async enter(world) {
      await Promise.all([targets?.ours.server.stop(), targets?.floor.server.stop()])
      if (!written.has(world)) {
        for (const url of Object.values(databaseUrls)) await writeWorld(url, world)
        written.add(world)
      }
      targets = { ours: await startTarget(stage, 'ours', databaseUrls.ours), floor: await startTarget(stage, 'floor', databaseUrls.floor) }
      return targets
    },

    async openOurs(name, world) {
      const url = await createMigrated(postgres.url, name)
      await writeWorld(url, world)
      return startTarget(stage, 'ours', url)
    },
  }
}

async function createMigrated(adminUrl: string, name: string): Promise<string> {
  await ask(adminUrl, `create database "${name}"`)
  const url = new URL(adminUrl)
  url.pathname = `/${encodeURIComponent(name)}`
  const database = createDatabase({ url: url.href, maxConnections: 3, log })
  await migrate(database).finally(database.close)
  return url.href
}

async function readVersion(url: string): Promise<string> {
  const [row] = await ask(url, 'show server_version')
  return String(row?.server_version)
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(text).finally(() => client.end())
  return rows
}

function ignore(): void {}
