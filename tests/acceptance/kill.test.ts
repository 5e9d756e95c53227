/**
 * The first promise: no acknowledged message is lost, doubled or reordered, whatever is killed. Several people write over REST and
 * sockets without a pause while the server, and then PostgreSQL below it, is killed at random moments.
 * KILLS=50 kills longer; SEED repeats the moments.
 */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ParleyError, ServerError } from '@parley/sdk'
import { connect } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import { auditReceived, auditStored, readAll, recordMessages } from '../helpers/ledger.ts'
import { type Installation, install, type ServerProcess, until } from '../helpers/process.ts'
import { createRandom } from '../helpers/random.ts'
import { restLane, socketLane, startTraffic } from '../helpers/traffic.ts'

const kills = Number(process.env.KILLS ?? 5)
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
const random = createRandom(seed)

t.setTimeout(60_000 + kills * 10_000)

/** Four people in two groups: three write over REST, one over a socket, and two only listen. */
async function gather(t: Test, installation: Installation) {
  const [owner, ...others] = await Promise.all(['ann', 'ben', 'cem', 'dot', 'eve', 'flo'].map(installation.signUp))
  if (owner === undefined) throw new Error('Nobody is there')
  const memberIds = others.map(({ id }) => id)
  const groups = await Promise.all(['First', 'Second'].map((title) => owner.api.conversations.create({ type: 'group', title, memberIds })))
  const conversationIds = groups.map(({ conversation }) => conversation.id)

  const failures: ParleyError[] = []
  const writers = [owner, ...others.slice(0, 2)]
  const [dot, eve, flo] = others.slice(2).map(({ api }) => connect(api))
  if (dot === undefined || eve === undefined || flo === undefined) throw new Error('Nobody listens')
  const sockets = { dot, eve, flo }
  t.teardown(() => {
    for (const socket of Object.values(sockets)) socket.close()
  })
  const recorded = Object.entries(sockets).map(([name, socket]) => ({ name, messages: recordMessages(socket) }))
  await Promise.all(Object.values(sockets).map((socket) => socket.ready()))

  const traffic = startTraffic(
    conversationIds.flatMap((conversationId) => [
      ...writers.map(({ name, api }) => restLane(name, api, conversationId, (failure) => failures.push(failure))),
      socketLane('dot', dot, conversationId),
    ]),
  )

  return {
    owner,
    traffic,
    failures,
    /** The waits between tries grow with every kill: two do not wait, as in a browser that is told of its network, the third does. */
    hurry(): void {
      dot.reconnect()
      eve.reconnect()
    },

    /** Ends the traffic and looks at everything. */
    async audit(t: Test): Promise<void> {
      await traffic.stop()
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
        for (const { name, messages } of recorded) {
          await until(() => {
            flo.reconnect()
            return messages.of(id).length >= stored.length
          })
          t.same(auditReceived(messages.of(id), stored), [], `${name} was told of each of them once and in order`)
        }
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

function report(t: Test, { traffic, failures }: Scene, what: string): void {
  const { acknowledged } = traffic
  const again = acknowledged.filter(({ attempts }) => attempts > 1).length
  const lost = acknowledged.filter(({ wasStored }) => wasStored).length
  t.comment(
    `${what}: ${acknowledged.length} messages acknowledged, ${failures.length} attempts failed, ${again} messages sent again, ${lost} of them had been stored already`,
  )
}

t.test(`${kills} times kill -9 of the server loses, doubles and reorders nothing`, async (t) => {
  const installation = await install(t)
  let server: ServerProcess = await installation.start()
  const scene = await gather(t, installation)
  const postgresPid = await installation.postgresPid()

  const starts: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    await atRandom(scene)
    await server.kill()
    if (kill % 3 === 0) await killWhileStarting(installation.run())
    server = installation.run()
    starts.push((await server.ready()).milliseconds)
    scene.hurry()
  }
  await scene.traffic.progress(100)
  await scene.audit(t)

  report(t, scene, `${kills} kills, seed ${seed}`)
  t.comment(`ready again ${starts.map((milliseconds) => Math.round(milliseconds)).join(', ')} ms after the start`)
  t.ok(scene.failures.length >= kills, 'every kill hit somebody')
  t.ok(
    scene.failures.every(({ status }) => status === undefined),
    'a killed server says nothing, rather than anything wrong',
  )
  t.equal(await installation.postgresPid(), postgresPid, 'PostgreSQL was found running and taken over each time')
})

t.test('kill -9 of PostgreSQL: 503 with Retry-After until it is back, which needs nobody, and nothing is lost', async (t) => {
  const installation = await install(t)
  const server = await installation.start()
  const scene = await gather(t, installation)
  const { api } = scene.owner
  const killPostgres = async (): Promise<number> => {
    const pid = await installation.postgresPid()
    if (pid === undefined) throw new Error('PostgreSQL does not run')
    process.kill(pid, 'SIGKILL')
    return pid
  }

  for (let kill = 1; kill <= 2; kill++) {
    await atRandom(scene)
    const killed = await killPostgres()
    await until(async () => (await api.system.ready()).status === 'ready' && (await installation.postgresPid()) !== killed)
    await scene.traffic.progress(100)
  }

  // As long as its folder is out of the way, it cannot come back: time to look around.
  await atRandom(scene)
  const folder = join(installation.dataDir, 'postgres')
  const killedAt = performance.now()
  const killed = await killPostgres()
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
