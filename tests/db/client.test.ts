import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createBatch } from '../../src/db/batch.ts'
import { createDatabase, type Database, isUnavailable, isUniqueViolation } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { startDatabaseProxy } from '../realtime/database-proxy.ts'

t.test('the pool goes on when the server ends all its connections, idle and in use', async (t) => {
  const { database, url } = await open(t, 4)
  const busy = await database.pool.connect()
  const sleeping = failure(busy.query('select pg_sleep(30)'))
  await Promise.all([database.ping(), database.ping()])
  await withClient(url, (client) =>
    client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'),
  )
  t.ok(isUnavailable(await sleeping))
  busy.release()
  t.equal(await untilPing(database), true)
})

t.test('a connection that breaks in a transaction, at its begin too, is replaced', async (t) => {
  const { url, drop } = await createTestDatabase()
  t.teardown(drop)
  const proxy = await startDatabaseProxy(t, url)
  const database = createDatabase({ url: proxy.url, maxConnections: 1, log: silentLog })
  t.teardown(() => database.close())
  const sum = () => database.db.transaction((tx) => tx.execute<{ sum: number }>(sql`select 1 + 1 as sum`))
  for (const statement of ['begin', 'select 1 + 1', 'commit']) {
    const held = proxy.hold(statement)
    const refused = failure(sum())
    ;(await held).cut()
    t.ok(isUnavailable(await refused), statement)
    t.same((await sum()).rows, [{ sum: 2 }])
  }
})

t.test('of reads that go together, what fails by itself fails no other', async (t) => {
  const { database } = await open(t, 1)
  const half = createBatch({
    statements: 1,
    maximum: 10,
    run: async (numbers: number[]) =>
      (await database.pool.query<{ half: number }>('select 100 / n as half from unnest($1::int[]) n', [numbers])).rows.map(({ half }) => half),
  })
  const outcomes = await Promise.allSettled([1, 2, 0, 4].map(half))
  t.same(
    outcomes.map((outcome) => ('value' in outcome ? outcome.value : outcome.reason.code)),
    [100, 50, '22012', 25],
  )
})

t.test('after a connection broke it is told twice: when the database answers, and when what was under way is over', async (t) => {
  const { url, drop } = await createTestDatabase()
  const database = createDatabase({ url, maxConnections: 2, log: silentLog, statementTimeoutMs: 500 })
  t.teardown(() => database.close().then(drop))
  const times: number[] = []
  const over = new Promise<void>((resolve) => {
    database.onRecovered(() => {
      if (times.push(performance.now()) === 2) resolve()
    })
  })
  await database.ping()
  await withClient(url, (client) =>
    client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'),
  )
  await over
  t.ok(Number(times[1]) - Number(times[0]) >= 490)
})

t.test('what fails because the database is out of reach is told from what fails by itself', async (t) => {
  const { database, url } = await open(t, 1)
  t.notOk(isUnavailable(await failure(database.db.execute(sql`select * from nowhere`))))
  t.notOk(isUnavailable(new Error('unrelated')))
  t.notOk(isUnavailable(undefined))

  const client = await database.pool.connect()
  const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
  const sleeping = failure(client.query('select pg_sleep(30)'))
  await withClient(url, (other) => other.query('select pg_terminate_backend($1)', [pid]))
  t.ok(isUnavailable(await sleeping), 'a connection that is ended in use')
  t.ok(isUnavailable(await failure(client.query('select 1'))), 'a connection that has ended')
  client.release()

  const nobody = createDatabase({ url: `postgresql://parley@127.0.0.1:${await closedPort()}/parley`, maxConnections: 1, log: silentLog })
  t.ok(isUnavailable(await failure(nobody.db.execute(sql`select 1`))), 'nobody listens, seen through Drizzle')
  t.equal(await nobody.ping(), false)
  await t.rejects(migrate(nobody), { name: 'StartError', message: /^The database cannot be reached: .*ECONNREFUSED/ })
  await nobody.close()
  t.ok(isUnavailable(await failure(nobody.pool.query('select 1'))), 'a pool that has been closed')
})

t.test('a statement, a lock or a transaction that takes too long counts as out of reach', async (t) => {
  const { database, url } = await open(t, 2)
  await database.pool.query('create table things (id int)')
  const within = (setting: string, statement: string) =>
    failure(
      database.db.transaction(async (tx) => {
        await tx.execute(sql.raw(`set local ${setting} = '50ms'`))
        await tx.execute(sql.raw(statement))
      }),
    )
  await withClient(url, async (client) => {
    await client.query('begin; lock table things')
    t.ok(isUnavailable(await within('lock_timeout', 'select * from things')), 'a lock')
    t.ok(isUnavailable(await within('statement_timeout', 'select * from things')), 'a statement')
  })
  const idle = await database.pool.connect()
  const broken = once(idle, 'error')
  await idle.query("set idle_in_transaction_session_timeout = '50ms'; begin")
  t.ok(isUnavailable((await broken)[0]), 'a transaction in which nothing happens')
  idle.release(true)
})

t.test('a unique violation is recognised, by its constraint if asked, also through Drizzle', async (t) => {
  const { database } = await open(t, 1)
  await database.pool.query('create table things (id int constraint things_id_key unique)')
  const insert = () => database.db.execute(sql`insert into things values (1)`)
  await insert()
  const error = await insert().catch((error: unknown) => error)
  t.ok(isUniqueViolation(error))
  t.ok(isUniqueViolation(error, 'things_id_key'))
  t.notOk(isUniqueViolation(error, 'another_key'))
  t.notOk(isUniqueViolation(new Error('unrelated')))
  t.notOk(isUnavailable(error))
})

t.test('counters are numbers, and times in JSON that PostgreSQL builds are UTC', async (t) => {
  const { database, url } = await open(t, 1)
  await withClient(url, (client) => client.query(`alter database ${new URL(url).pathname.slice(1)} set timezone to 'Asia/Tokyo'`))
  const { rows } = await database.pool.query(`select 9007199254740991::int8 as seq, json_build_object('at', '2026-01-01T00:00:00Z'::timestamptz) as json`)
  t.strictSame(rows, [{ seq: Number.MAX_SAFE_INTEGER, json: { at: '2026-01-01T00:00:00+00:00' } }])
})

t.test('two migrations at once apply each change once, and a later one only what is new', async (t) => {
  const { database, url } = await open(t, 2)
  const other = createDatabase({ url, maxConnections: 1, log: silentLog })
  t.after(() => other.close())
  const folder = await mkdtemp(join(tmpdir(), 'parley-migrations-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeMigrations(folder, ['create table first_change (id int)'])
  await Promise.all([migrate(database, folder), migrate(other, folder), migrate(database, folder)])
  await writeMigrations(folder, ['create table first_change (id int)', 'alter table first_change add column added int'])
  await migrate(other, folder)
  t.same((await database.pool.query('select id, added from first_change')).rows, [])
})

t.test('a migration that fails leaves nothing of itself and can be repeated', async (t) => {
  const { database } = await open(t, 2)
  const folder = await mkdtemp(join(tmpdir(), 'parley-migrations-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeMigrations(folder, ['create table half_done (id int)', 'create nonsense'])
  await t.rejects(migrate(database, folder))
  await writeMigrations(folder, ['create table half_done (id int)', 'alter table half_done add column added int'])
  await migrate(database, folder)
  t.same((await database.pool.query('select id, added from half_done')).rows, [])
})

async function open(t: Test, maxConnections: number): Promise<{ database: Database; url: string }> {
  const { url, drop } = await createTestDatabase()
  const database = createDatabase({ url, maxConnections, log: silentLog })
  t.after(async () => {
    await database.close()
    await drop()
  })
  return { database, url }
}

const failure = (query: Promise<unknown>) =>
  query.then(
    () => undefined,
    (error: unknown) => error,
  )

async function withClient(url: string, act: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await act(client).finally(() => client.end())
}

/** The pool finds out about each idle connection that has ended at its own time. */
async function untilPing(database: Database): Promise<boolean> {
  for (const deadline = performance.now() + 5_000; performance.now() < deadline; ) {
    if (await database.ping()) return true
  }
  return false
}

async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(address !== null && typeof address === 'object' ? address.port : 0)
    })
  })
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** In drizzle-kit's layout, later than any migration that the template has. */
async function writeMigrations(folder: string, statements: string[]): Promise<void> {
  await mkdir(join(folder, 'meta'), { recursive: true })
  const entries = statements.map((_, index) => ({
    idx: index,
    version: '7',
    when: Date.UTC(2100, 0, 1) + index,
    tag: `000${index}_test`,
    breakpoints: true,
  }))
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
  for (const [index, statement] of statements.entries()) await writeFile(join(folder, `000${index}_test.sql`), statement)
}
