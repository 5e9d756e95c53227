/**
 * A database of its own for whoever asks. One PostgreSQL serves a whole run of tests, started by the first test that needs it
 * and ended by `stop-database.ts`; the migrations run once, into a template that is copied in some 20 ms.
 * With TEST_DATABASE_URL all of that happens in the server it names instead.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { createDatabase } from '../../src/db/client.ts'
import { shareEmbeddedPostgres } from '../../src/db/embedded.ts'
import { migrate, migrationsFolder } from '../../src/db/migrate.ts'
import type { Log } from '../../src/log.ts'

export interface TestDatabase {
  url: string
  drop(): Promise<void>
}

export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** The files of a run have one parent, tap, and share a server by its number. */
export const sharedFolderPrefix = 'parley-test-'
const sharedFolder = join(tmpdir(), `${sharedFolderPrefix}${process.ppid}`)

/** What is lost in a crash does not matter here. */
export const testSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '128MB' }

/** An empty database with all migrations applied. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, template } = await server()
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await administer(adminUrl, (client) => client.query(`create database ${name} template ${template} strategy file_copy`))
  return {
    url: withDatabase(adminUrl, name),
    async drop() {
      await administer(adminUrl, (client) => client.query(`drop database ${name} with (force)`))
    },
  }
}

interface TestServer {
  adminUrl: string
  template: string
}

let opened: Promise<TestServer> | undefined

function server(): Promise<TestServer> {
  opened ??= openServer()
  return opened
}

async function openServer(): Promise<TestServer> {
  const adminUrl = process.env.TEST_DATABASE_URL ?? (await shareEmbeddedPostgres({ dataDir: sharedFolder, settings: testSettings, log: silentLog })).url
  const template = `template_${await hashMigrations()}`
  await administer(adminUrl, (client) => ensureTemplate(client, adminUrl, template))
  return { adminUrl, template }
}

/** Named only when complete; of several test files at once one makes it and the others wait. */
async function ensureTemplate(client: pg.Client, adminUrl: string, template: string): Promise<void> {
  await client.query('select pg_advisory_lock(1)')
  const { rowCount } = await client.query('select from pg_database where datname = $1', [template])
  if (rowCount !== 0) return
  const draft = `${template}_draft`
  await client.query(`drop database if exists ${draft}`)
  await client.query(`create database ${draft}`)
  const database = createDatabase({ url: withDatabase(adminUrl, draft), maxConnections: 1, log: silentLog })
  await migrate(database).finally(() => database.close())
  await client.query(`alter database ${draft} rename to ${template}`)
}

async function hashMigrations(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(migrationsFolder, { recursive: true })).sort()) {
    if (/\.(sql|json)$/.test(name)) hash.update(name).update(await readFile(join(migrationsFolder, name)))
  }
  return hash.digest('hex').slice(0, 16)
}

async function administer(url: string, act: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await Promise.resolve(act(client)).finally(() => client.end())
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function ignore(): void {}
