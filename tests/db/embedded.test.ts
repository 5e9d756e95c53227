import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createDatabase, isUnavailable } from '../../src/db/client.ts'
import { findAccount } from '../../src/db/embedded/account.ts'
import { chooseBinaries, findInstalled } from '../../src/db/embedded/binaries.ts'
import { isServing, readPidFile } from '../../src/db/embedded/pid-file.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded.ts'
import { StartError } from '../../src/start-error.ts'
import { silentLog } from '../helpers/database.ts'

const isRoot = process.getuid?.() === 0
const start = (dataDir: string) => startEmbeddedPostgres({ dataDir, log: silentLog })

t.test('the second start is faster, keeps the data and clears up a first one that broke off', async (t) => {
  const dataDir = await makeFolder(t)
  await mkdir(join(dataDir, 'postgres.new-999999999'))
  const first = await timed(() => start(dataDir))
  await query(first.value.url, 'create table kept as select 42 as answer')
  await first.value.stop()
  t.notOk(await isServed(dataDir), 'stopping leaves no server behind')

  const second = await timed(() => start(dataDir))
  t.after(() => second.value.stop())
  t.same(await query(second.value.url, 'select answer from kept'), [{ answer: 42 }])
  t.ok(second.milliseconds < first.milliseconds, `${second.milliseconds} ms after ${first.milliseconds} ms`)
  t.strictSame((await readdir(dataDir)).sort(), ['postgres', 'postgres-password', 'postgres.log'])
})

t.test('a server left over from a killed Parley is taken over, and looked after like an own one', async (t) => {
  const dataDir = await makeFolder(t)
  const owner = await startOwner(dataDir)
  await query(owner.url, 'create table kept as select 42 as answer')
  await owner.killGroup()

  const taken = await start(dataDir)
  t.after(() => taken.stop())
  t.equal(taken.url, owner.url, 'the server outlived the process group that started it')
  await killServer(dataDir)
  t.same(await untilAvailable(taken.url, 'select answer from kept'), [{ answer: 42 }])
})

t.test('of two Parleys that start at once on a new folder one runs and the other is refused', async (t) => {
  const dataDir = await makeFolder(t)
  const outcomes = await Promise.allSettled([startOwner(dataDir), startOwner(dataDir)])
  const running = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  t.equal(running.length, 1)
  const refusal = outcomes.find((outcome) => outcome.status === 'rejected')
  t.match(String(refusal?.reason), `Another Parley is already running on ${dataDir}.`)
  const owner = running[0]?.value
  t.same(owner && (await query(owner.url, 'select 1 as one')), [{ one: 1 }], 'the refused one has not stopped the server')
  await owner?.killGroup()
  await (await start(dataDir)).stop()
})

t.test('a data folder that PostgreSQL may not enter is named, with what to do', async (t) => {
  const closed = join(await makeFolder(t), 'closed')
  await mkdir(closed, { mode: 0o700 })
  if (isRoot) {
    const sentence = await refused(start(join(closed, 'data')))
    t.match(sentence, `cannot enter ${closed}, which is on the way to the data folder ${join(closed, 'data')}.`)
    t.match(sentence, `chmod o+x ${closed}`)
    t.match(await refused(start(closed)), `cannot enter ${closed}. Allow it`)
  } else {
    const server = await start(join(closed, 'data'))
    t.same(await query(server.url, 'select 1 as one'), [{ one: 1 }], 'it runs as the user whose folder it is')
    await server.stop()
  }
})

t.test('binaries that PostgreSQL may not reach are copied once, whole, to where it can', async (t) => {
  const folder = await makeFolder(t)
  const closed = join(folder, 'closed')
  const cache = join(folder, 'cache')
  await mkdir(closed, { mode: 0o700 })
  const installed = await findInstalled()
  const source = { folder: join(closed, 'native'), version: installed.version }
  await cp(installed.folder, source.folder, { recursive: true, verbatimSymlinks: true })

  const account = await findAccount()
  const { postgres } = await chooseBinaries(source, account, cache)
  t.equal(postgres, join(isRoot ? join(cache, `postgresql-${source.version}`) : source.folder, 'bin', 'postgres'))
  t.equal((await chooseBinaries(source, account, cache)).postgres, postgres)
  t.strictSame(await readdir(cache).catch(() => []), isRoot ? [`postgresql-${source.version}`] : [])
})

t.test('when PostgreSQL is killed it comes back by itself at the same address, and still belongs to this Parley', async (t) => {
  const dataDir = await makeFolder(t)
  const server = await start(dataDir)
  t.after(() => server.stop())
  await query(server.url, 'create table kept as select 42 as answer')
  for (const _ of [1, 2]) {
    await killServer(dataDir)
    t.same(await untilAvailable(server.url, 'select answer from kept'), [{ answer: 42 }])
  }
  const owners = `select application_name from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory'`
  t.same(await untilAvailable(server.url, owners, (rows) => rows.length > 0), [{ application_name: 'parley-owner' }])
})

t.test('stopping while PostgreSQL is coming back leaves no server behind', async (t) => {
  const dataDir = await makeFolder(t)
  const server = await start(dataDir)
  await killServer(dataDir)
  await server.stop()
  t.notOk(await isServed(dataDir))
})

t.test('after a crash of everything at once the next start has the data, even if the old process number is in use', async (t) => {
  const dataDir = await makeFolder(t)
  const owner = await startOwner(dataDir)
  await query(owner.url, 'create table kept as select 42 as answer')
  await owner.killGroup()
  await killServer(dataDir)
  const stranger = spawn('sleep', ['60'], { ...(await findAccount()), stdio: 'ignore' })
  t.after(() => stranger.kill())
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
  await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(stranger.pid)))

  const server = await start(dataDir)
  t.after(() => server.stop())
  t.same(await query(server.url, 'select answer from kept'), [{ answer: 42 }])
})

t.test('data that PostgreSQL cannot use are refused with its own words and the place of its log', async (t) => {
  const dataDir = await makeFolder(t)
  await (await start(dataDir)).stop()
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '9.6\n')
  const sentence = await refused(start(dataDir))
  t.match(sentence, 'database files are incompatible with server')
  t.match(sentence, join(dataDir, 'postgres.log'))
})

/** A folder that any user may enter, as a data folder has to be. */
async function makeFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-embedded-'))
  await chmod(folder, 0o755)
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function timed<T>(act: () => Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const began = performance.now()
  const value = await act()
  return { value, milliseconds: Math.round(performance.now() - began) }
}

/** The sentence a start is refused with. */
async function refused(starting: Promise<{ stop(): Promise<void> }>): Promise<string> {
  try {
    await (await starting).stop()
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  throw new Error('It started')
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return client
    .query(text)
    .then(({ rows }) => rows)
    .finally(() => client.end())
}

/** Asks through one pool again and again; until the answer comes, every failure has to be one of availability. */
async function untilAvailable(url: string, text: string, isAnswer = (_rows: unknown[]) => true): Promise<unknown[]> {
  const database = createDatabase({ url, maxConnections: 4, log: silentLog })
  try {
    for (const deadline = performance.now() + 30_000; ; await setImmediate()) {
      const outcome = await database.pool.query(text).catch((error: Error) => error)
      if (performance.now() > deadline) throw new Error(`Still no answer to ${text}`)
      if (outcome instanceof Error && !isUnavailable(outcome)) throw outcome
      if (!(outcome instanceof Error) && isAnswer(outcome.rows)) return outcome.rows
    }
  } finally {
    await database.close()
  }
}

const servingPid = async (dataDir: string) => (await readPidFile(join(dataDir, 'postgres')))?.pid

async function isServed(dataDir: string): Promise<boolean> {
  const pid = await servingPid(dataDir)
  return pid !== undefined && isServing(pid, join(dataDir, 'postgres'))
}

async function killServer(dataDir: string): Promise<void> {
  const pid = await servingPid(dataDir)
  if (pid === undefined) throw new Error('There is no server')
  process.kill(pid, 'SIGKILL')
}

/** A Parley in a process group of its own. */
async function startOwner(dataDir: string): Promise<{ url: string; killGroup(): Promise<void> }> {
  const script = fileURLToPath(new URL('embedded-owner.ts', import.meta.url))
  const child = spawn(process.execPath, [script, dataDir], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const { value: url, done } = await lines.next()
  if (done) {
    await exited
    throw new Error(complaint)
  }
  return {
    url,
    async killGroup() {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      await exited
    },
  }
}
