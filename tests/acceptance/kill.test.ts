/**
 * The first promise: no acknowledged message is lost, doubled or reordered, whatever is killed. Many people write and read over REST and
 * sockets without a pause while the server, PostgreSQL below it, or both are killed at random moments.
 * KILLS=100 kills longer; SEED repeats the moments.
 */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ParleyError, ServerError } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import { auditReceived, auditStored, auditUnread, readAll, recordMessages } from '../helpers/ledger.ts'
import { type Installation, install, type ServerProcess, until } from '../helpers/process.ts'
import { createRandom } from '../helpers/random.ts'
import { restLane, socketLane, startReading, startTraffic } from '../helpers/traffic.ts'

const kills = Number(process.env.KILLS ?? 20)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const random = createRandom(seed)

t.setTimeout(60_000 + kills * 10_000)

const restWriters = 8
const socketWriters = 4
const listeners = 4

/** Sixteen people in two groups: most write over REST, some over sockets, some only listen; half of them read what comes. */
async function gather(t: Test, installation: Installation) {
  const names = Array.from({ length: restWriters + socketWriters + listeners }, (_, index) => `person${index + 1}`)
  const people = await Promise.all(names.map(installation.signUp))
  const [owner, ...others] = people
  if (owner === undefined) throw new Error('Nobody is there')
  const memberIds = others.map(({ id }) => id)
  const groups = await Promise.all(['First', 'Second'].map((title) => owner.api.conversations.create({ type: 'group', title, memberIds })))
  const conversationIds = groups.map(({ conversation }) => conversation.id)

  const failures: ParleyError[] = []
  const onFailure = (failure: ParleyError) => failures.push(failure)
  const connected = people.slice(restWriters).map(({ name, api }) => ({ name, socket: connect(api) }))
  t.teardown(() => {
    for (const { socket } of connected) socket.close()
  })
  const recorded = connected.map(({ name, socket }) => ({ name, socket, messages: recordMessages(socket) }))
  await Promise.all(connected.map(({ socket }) => socket.ready()))

  const traffic = startTraffic(
    conversationIds.flatMap((conversationId) => [
      ...people.slice(0, restWriters).map(({ name, api }) => restLane(name, api, conversationId, onFailure)),
      ...connected.slice(0, socketWriters).map(({ name, socket }) => socketLane(name, socket, conversationId)),
    ]),
  )
  const reading = startReading(
    people.filter((_, index) => index % 2 === 0),
    conversationIds,
    { random, onFailure },
  )

  return {
    owner,
    people,
    traffic,
    reading,
    failures,
    /** The waits between tries grow with every kill: all but the last do not wait, as in a browser that is told of its network. */
    hurry(): void {
      for (const { socket } of connected.slice(0, -1)) socket.reconnect()
    },

    /** Ends the traffic and looks at everything. */
    async audit(t: Test): Promise<void> {
      await traffic.stop()
      await reading.stop()
      for (const id of conversationIds) {
        const stored = await readAll(owner.api, id)
        t.same(
          auditStored(
            stored,
            traffic.acknowledged.filter(({ message }) => message.conversationId === id),
          ),
          [],
          `${stored.length} messages are stored as they were acknowledged`,
        )
        const { conversation } = await owner.api.conversations.get(id)
        t.equal(conversation.lastSeq, stored.length, 'the counter is that of the last message')
        for (const { name, socket, messages } of recorded) {
          await until(() => {
            socket.reconnect()
            return messages.of(id).length >= stored.length
          })
          t.same(auditReceived(messages.of(id), stored), [], `${name} was told of each of them once and in order`)
        }
        t.same(await auditUnread(people, id, stored, reading.acknowledged), [], `what is unread is counted exactly for all ${people.length} members`)
      }
    },
  }
}

type Scene = Awaited<ReturnType<typeof gather>>

/** After some more messages, and then at no particular moment. */
async function atRandom({ traffic }: Scene): Promise<void> {
  await traffic.progress(20 + Math.floor(random() * 150))
  await pause(random() * 30)
}

async function killWhileStarting(server: ServerProcess): Promise<void> {
  await pause(random() * 1500)
  await server.kill()
}

async function killPostgres(installation: Installation): Promise<number> {
  const pid = await installation.postgresPid()
  if (pid === undefined) throw new Error('PostgreSQL does not run')
  process.kill(pid, 'SIGKILL')
  return pid
}

async function untilBack(installation: Installation, { owner }: Scene, killed: number): Promise<void> {
  await until(async () => (await owner.api.system.ready()).status === 'ready' && (await installation.postgresPid()) !== killed)
}

function report(t: Test, { people, traffic, reading, failures }: Scene, what: string): void {
  const { acknowledged } = traffic
  const again = acknowledged.filter(({ attempts }) => attempts > 1).length
  const lost = acknowledged.filter(({ wasStored }) => wasStored).length
  t.comment(
    `${what}: ${people.length} people, ${acknowledged.length} messages and ${reading.acknowledged.length} read marks acknowledged, ${failures.length} attempts failed, ${again} messages sent again, ${lost} of them had been stored already`,
  )
}

/** What a moment kills: mostly the server, often PostgreSQL, sometimes both. */
const victims = ['server', 'server', 'server', 'postgres', 'postgres', 'both'] as const

t.test(`${kills} times kill -9 of the server, of PostgreSQL or of both loses, doubles and reorders nothing`, async (t) => {
  const installation = await install(t)
  let server: ServerProcess = await installation.start()
  const scene = await gather(t, installation)

  const starts: number[] = []
  const restart = async (): Promise<void> => {
    server = installation.run()
    starts.push((await server.ready()).milliseconds)
  }
  const killed = { server: 0, postgres: 0, both: 0 }
  for (let kill = 1; kill <= kills; kill++) {
    const victim = victims[Math.floor(random() * victims.length)] ?? 'server'
    killed[victim] += 1
    await atRandom(scene)
    const postgresPid = await installation.postgresPid()
    if (victim !== 'server') await killPostgres(installation)
    if (victim !== 'postgres') {
      await server.kill()
      if (kill % 3 === 0) await killWhileStarting(installation.run())
      await restart()
    }
    if (victim === 'server') t.equal(await installation.postgresPid(), postgresPid, 'PostgreSQL was found running and taken over')
    else await untilBack(installation, scene, postgresPid ?? 0)
    scene.hurry()
  }
  await scene.traffic.progress(100)
  await scene.audit(t)

  report(t, scene, `${kills} kills (server ${killed.server}, PostgreSQL ${killed.postgres}, both ${killed.both}), seed ${seed}`)
  t.comment(`ready again ${starts.map((milliseconds) => Math.round(milliseconds)).join(', ')} ms after the start`)
  t.ok(scene.failures.length >= kills, 'every kill hit somebody')
  t.same(
    scene.failures.filter(({ status }) => status !== undefined && status !== 503),
    [],
    'a killed server says nothing, and one whose database was killed says 503, rather than anything wrong',
  )
})

t.test('kill -9 of PostgreSQL: 503 with Retry-After until it is back, which needs nobody, and nothing is lost', async (t) => {
  const installation = await install(t)
  const server = await installation.start()
  const scene = await gather(t, installation)
  const { api } = scene.owner

  for (let kill = 1; kill <= 2; kill++) {
    await atRandom(scene)
    await untilBack(installation, scene, await killPostgres(installation))
    await scene.traffic.progress(100)
  }

  // As long as its folder is out of the way, it cannot come back: time to look around.
  await atRandom(scene)
  const folder = join(installation.dataDir, 'postgres')
  const killedAt = performance.now()
  const killed = await killPostgres(installation)
  await rename(folder, `${folder}.away`)
  await until(() => fetch(`${installation.url}/ready`).then(({ status }) => status === 503))
  t.match(await api.system.ready(), { status: 'not_ready', services: { database: 'down' } }, 'it says what is missing')
  const refusal = await api.conversations.list({}, { retries: 0 }).catch((error: unknown) => error)
  t.ok(refusal instanceof ServerError)
  t.match(refusal, { status: 503, code: 'unavailable', retryAfterSeconds: Number }, 'a request is told when to come back')
  t.match(await api.system.health(), { status: 'healthy' }, 'the process itself is well')
  await rename(`${folder}.away`, folder)
  await until(async () => (await api.system.ready()).status === 'ready')
  t.comment(`the long outage took ${Math.round(performance.now() - killedAt)} ms`)
  t.not(await installation.postgresPid(), killed, 'the server has started PostgreSQL again')

  await scene.traffic.progress(100)
  await scene.audit(t)
  report(t, scene, '3 kills of PostgreSQL')
  t.ok(scene.failures.length > 0, 'somebody met the outage')
  t.same(
    scene.failures.filter(({ status, retryAfterSeconds }) => status !== 503 || retryAfterSeconds === undefined),
    [],
    'every request that met it was told when to come back',
  )
  server.signal('SIGTERM')
  t.match(await server.ended, { code: 0 }, 'the server lived through all of it, and stops as ever')
})
