/** What a person meets who starts Parley and stops it: how long it takes, what is left behind, and what they are told when it cannot be. */
import { once } from 'node:events'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { Parley } from '@parley/sdk'
import pg from 'pg'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { createTestDatabase } from '../helpers/database.ts'
import { findFreePort, type Installation, install, type ServerProcess, until } from '../helpers/process.ts'

const npmStart = ['npm', 'start']
const production = { NODE_ENV: 'production', HOST: '127.0.0.1', JWT_SECRET: 'a secret of production, long enough to be one' }

t.setTimeout(300_000)

/** A send that waits for another transaction, so that it is certainly under way until `finish`. */
async function beginSend(installation: Installation) {
  const [alice, bob] = await Promise.all([installation.signUp(`alice-${Date.now()}`), installation.signUp(`bob-${Date.now()}`)])
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const blocker = new pg.Client({ connectionString: await installation.databaseUrl() })
  await blocker.connect()
  await blocker.query('begin')
  await blocker.query('select from conversations where id = $1 for update', [conversation.id])
  const answer = alice.api.conversations.sendMessage(conversation.id, { content: 'The last words' }, { retries: 0 }).withResponse()
  answer.catch(() => undefined)
  await until(async () => (await blocker.query('select from pg_locks where not granted')).rowCount === 1)
  return {
    alice,
    answer,
    async finish(): Promise<void> {
      await blocker.query('commit')
      await blocker.end()
    },
  }
}

/** Stops a server that has a send under way and a socket open, and looks at what becomes of them. */
async function stopsCleanly(t: Test, installation: Installation, server: ServerProcess, stop: () => void) {
  const { alice, answer, finish } = await beginSend(installation)
  const socket = new WebSocket(`${installation.url.replace('http', 'ws')}/v1/ws`, ['parley.v1', `bearer.${alice.api.tokens?.accessToken}`])
  await once(socket, 'message')
  const closed = once(socket, 'close')

  const toldAt = performance.now()
  stop()
  t.match(await closed, { 0: 1001 }, 'an open socket is told that the server is going away')
  await until(() => isRefused(installation.url))
  await finish()
  const { data, response } = await answer
  t.equal(response.status, 201, 'a send that was under way is answered')
  const { code, signal, stdout, stderr } = await server.ended
  const milliseconds = Math.round(performance.now() - toldAt)
  t.ok(milliseconds < 8_000, 'and then it waits for nobody: it ends before those who do not let go are cut off')
  t.comment(`ended ${milliseconds} ms after it was told`)
  t.notMatch(stdout, /"level":[4-6]0/, 'there is nothing to warn of')
  t.equal(await installation.postgresPid(), undefined, 'PostgreSQL has put its lock away')
  t.same(await installation.postgresCommands(), [], 'nothing is left running')
  return { alice, message: data.message, exit: { code, signal }, stderr }
}

const isRefused = (url: string): Promise<boolean> =>
  fetch(`${url}/health`).then(
    () => false,
    () => true,
  )

/** What others do on the machine is no part of a start: time spent waiting for a processor is not counted, and the best of a few starts is. */
async function startsWithin(t: Test, limitMilliseconds: number, start: () => ReturnType<ServerProcess['ready']>): Promise<void> {
  let best = Infinity
  for (let attempt = 1; best > limitMilliseconds && attempt <= 3; attempt++) {
    const { milliseconds, waitedMilliseconds } = await start()
    t.comment(`ready after ${Math.round(milliseconds)} ms, ${Math.round(waitedMilliseconds)} ms of them waiting for a processor`)
    best = Math.min(best, milliseconds - waitedMilliseconds)
  }
  t.ok(best <= limitMilliseconds, `within ${limitMilliseconds / 1000} s`)
}

t.test('npm start is ready within 10 seconds the first time', async (t) => {
  await startsWithin(t, 10_000, async () => {
    const installation = await install(t)
    const server = installation.run({ command: npmStart })
    const time = await server.ready()
    await server.kill()
    return time
  })
})

t.test(
  'Ctrl-C ends npm start cleanly, and the next time it is ready within 3 seconds with everything that was acknowledged and everybody signed in',
  async (t) => {
    const installation = await install(t)
    const first = installation.run({ command: npmStart })
    await first.ready()
    const { alice, message } = await stopsCleanly(t, installation, first, () => first.signalGroup('SIGINT'))

    // Without a refresh token, it is the access token itself that has to be good.
    const api = new Parley({ baseUrl: installation.url, accessToken: alice.api.tokens?.accessToken })
    await startsWithin(t, 3_000, async () => {
      const server = installation.run({ command: npmStart })
      const time = await server.ready()
      t.same((await api.messages.list(message.conversationId)).items, [message], 'the token is still good, and the message is there')
      server.signalGroup('SIGINT')
      await server.ended
      return time
    })
  },
)

t.test('SIGINT and SIGTERM end the server cleanly with exit code 0, whoever stays connected without asking anything', async (t) => {
  const installation = await install(t)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const server = await installation.start()
    const unused = createConnection(installation.port, '127.0.0.1')
    await once(unused, 'connect')
    const { exit, stderr } = await stopsCleanly(t, installation, server, () => server.signal(signal))
    t.same(exit, { code: 0, signal: null })
    t.equal(stderr, '')
    unused.destroy()
  }
})

t.test('a signal during the start stops it cleanly, and the next start is as good as any', async (t) => {
  /** Or it is set up already, where this test was held up for as long as that takes. */
  const isSettingUp = async ({ dataDir }: Installation): Promise<boolean> =>
    (await readdir(dataDir).catch(() => [])).some((name) => name.startsWith('postgres.new-') || name === 'postgres')
  const isLaunching = async (installation: Installation): Promise<boolean> => (await installation.postgresPid()) !== undefined
  const moments = [
    { name: 'Ctrl-C while PostgreSQL is set up', isThere: isSettingUp, stop: (server: ServerProcess) => server.signalGroup('SIGINT') },
    { name: 'SIGTERM to the server alone while PostgreSQL is set up', isThere: isSettingUp, stop: (server: ServerProcess) => server.signal('SIGTERM') },
    { name: 'Ctrl-C while PostgreSQL is launched', isThere: isLaunching, stop: (server: ServerProcess) => server.signalGroup('SIGINT') },
  ]
  for (const { name, isThere, stop } of moments) {
    await t.test(name, async (t) => {
      const installation = await install(t)
      const server = installation.run()
      await until(() => isThere(installation))
      stop(server)
      t.match(await server.ended, { code: 0, stderr: '' })
      t.same(await installation.postgresCommands(), [], 'nothing is left running')
      await t.resolves(installation.start())
    })
  }
})

t.test("a database of the operator's own is used, and no other is started", async (t) => {
  const installation = await install(t)
  const database = await createTestDatabase()
  const server = await installation.start({ env: { DATABASE_URL: database.url } })
  await installation.signUp('carol')
  t.same(await installation.postgresCommands(), [])
  t.notOk((await readdir(installation.dataDir)).includes('postgres'))
  server.signal('SIGTERM')
  t.match(await server.ended, { code: 0, stderr: '' })
  await database.drop()
})

t.test('a signal ends the server whatever it waits for, also a statement that waits for others', async (t) => {
  const installation = await install(t)
  const server = await installation.start()
  const blocker = new pg.Client({ connectionString: await installation.databaseUrl() })
  // It is still there when PostgreSQL is stopped.
  blocker.on('error', () => undefined)
  await blocker.connect()
  await blocker.query('begin; lock table users')
  const answer = installation.signUp('erin').catch(() => undefined)
  await until(async () => (await blocker.query('select from pg_locks where not granted')).rowCount !== 0)
  const toldAt = performance.now()
  server.signal('SIGTERM')
  await server.ended
  t.ok(performance.now() - toldAt < 25_000, 'before the statement would have given up by itself')
  t.same(await installation.postgresCommands(), [], 'nothing is left running')
  await answer
})

t.test('production refuses the code of development', async (t) => {
  const installation = await install(t)
  const database = await createTestDatabase()
  const server = await installation.start({ env: { ...production, DATABASE_URL: database.url } })
  const api = new Parley({ baseUrl: installation.url })
  await api.auth.register({ email: 'dave@example.com' })
  await t.rejects(api.auth.verifyEmail({ email: 'dave@example.com', code: '000000' }), { status: 401, code: 'invalid_code' })
  t.notMatch(server.output.stdout, '000000')
  await server.kill()
  await database.drop()
})

t.test('what keeps it from starting is one sentence that says what to do', async (t) => {
  const installation = await install(t)
  const { dataDir, home, port, url } = installation
  const refuses = async (expected: RegExp, env: Record<string, string>): Promise<void> => {
    const { code, stdout, stderr } = await installation.run({ env }).ended
    t.match(stderr, expected)
    t.match(stderr, /^[^\n]+\.\n$/, 'on one line')
    t.notMatch(stdout, /ready/)
    t.equal(code, 1)
  }

  await Promise.all([
    refuses(/^PORT must be a whole number from 0 to 65535\./, { PORT: 'http' }),
    refuses(/^RATE_LIMIT_AUTH must be like 100\/1m/, { RATE_LIMIT_AUTH: 'plenty' }),
    refuses(/^JWT_SECRET is required in production: /, { ...production, JWT_SECRET: '' }),
    refuses(/^The database cannot be reached: .*DATABASE_URL/, { DATABASE_URL: 'postgresql://127.0.0.1:1/parley' }),
  ])

  const closed = join(home, 'closed')
  await mkdir(join(closed, 'data'), { recursive: true })
  await chmod(closed, 0o600)
  // As root Parley itself gets in, and PostgreSQL does not.
  await refuses(/^PostgreSQL runs as the user `postgres` .*cannot enter .*closed|^The data folder .* cannot be used: EACCES/, {
    DATA_DIR: join(closed, 'data'),
  })
  await writeFile(join(home, 'file'), '')
  await refuses(/^The data folder .* cannot be used: /, { DATA_DIR: join(home, 'file') })

  const server = await installation.start()
  await refuses(new RegExp(`^Another Parley is already running on ${dataDir}\\.`), { PORT: String(await findFreePort()) })
  await refuses(new RegExp(`^Port ${port} is in use: `), { DATA_DIR: join(home, 'other') })
  t.equal((await installation.postgresCommands()).filter((command) => command.includes(join(home, 'other'))).length, 0, 'PostgreSQL is stopped again')
  t.ok((await fetch(`${url}/ready`)).ok, 'the server that runs does not mind')
  await server.kill()
})
