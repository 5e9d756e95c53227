/** Processes that are killed, and a Redis that is away, is stopped and comes back: nothing is missed, and all goes on by itself. */
import { connect } from '@parley/sdk/realtime'
import pino from 'pino'
import t from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually, install } from '../helpers/process.ts'
import { prepareRedis, redisIsMissing } from '../helpers/redis.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { arriveTwice, buses, cutListeners, reached, stopAll } from './buses.ts'
import { createGroup, range, send, times, until } from './people.ts'

t.test('without its Redis', { skip: redisIsMissing }, async (t) => {
  const redis = await prepareRedis(t)
  const database = await createTestDatabase()
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
  const env = { REDIS_URL: redis.url }
  const [here, there] = [await startServer(t, { databaseUrl: database.url, env, log }), await startServer(t, { databaseUrl: database.url, env })] as const
  t.teardown(() => stopAll(database, here, there))
  const busOf = async (server: TestServer) => (await server.request('GET', '/ready')).json
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const socket = await there.socket(bob.accessToken)

  t.test('a process starts, says so, and what happens on others arrives somewhat later', async (t) => {
    t.match(await busOf(here), { status: 'ready', services: { bus: 'down' } })
    t.ok(lines.some((line) => line.includes('The live bus is out of reach')))
    const { changeSeq } = await send(alice, id)
    await until(socket, id, changeSeq)
  })

  t.test('and goes on by itself when it comes', async () => {
    await redis.start()
    await eventually(async () => (await busOf(here)).services.bus === 'up' && (await busOf(there)).services.bus === 'up')
    const { changeSeq } = await send(alice, id)
    await until(socket, id, changeSeq)
  })

  t.test('a process that cannot hear of revocations, blocks and presence says so too', async (t) => {
    const allow = (isAllowed: boolean) => here.database.pool.query('update pg_database set datallowconn = $1 where datname = current_database()', [isAllowed])
    await allow(false)
    await here.database.pool.query(cutListeners)
    await eventually(async () => (await busOf(here)).services.bus === 'down')
    t.match(await busOf(here), { status: 'ready', services: { database: 'up' } })
    await allow(true)
    await eventually(async () => (await busOf(here)).services.bus === 'up' && (await busOf(there)).services.bus === 'up')
  })

  t.test('nothing is missed when it is stopped and started under load', async (t) => {
    let stop = false
    let last = 0
    const storm = times(4, async () => {
      while (!stop) last = Math.max(last, (await send(alice, id)).changeSeq)
    })
    for (let stops = 0; stops < 2; stops++) {
      await redis.stop()
      await eventually(async () => (await busOf(there)).services.bus === 'down')
      await redis.start()
      await until(socket, id, last + 20)
    }
    stop = true
    await storm
    await until(socket, id, last)
    t.same(reached(socket, id, 3), { last, doubles: 0, holes: 0 })
  })
})

t.test('with a Redis that accepts connections and never answers', { skip: redisIsMissing }, async (t) => {
  const redis = await prepareRedis(t)
  await redis.start()
  const database = await createTestDatabase()
  const env = { REDIS_URL: redis.url }
  const [here, there] = [await startServer(t, { databaseUrl: database.url, env }), await startServer(t, { databaseUrl: database.url, env })] as const
  t.teardown(() => stopAll(database, here, there))
  const busOf = async (server: TestServer) => (await server.request('GET', '/ready')).json.services.bus
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const socket = await there.socket(bob.accessToken)

  t.test('what happens on others arrives again and again', async (t) => {
    redis.freeze()
    await eventually(async () => (await busOf(there)) === 'down')
    await arriveTwice(t, alice, socket, id)
  })

  t.test('a process starts all the same', async (t) => {
    const third = await startServer(t, { databaseUrl: database.url, env })
    t.equal(await busOf(third), 'down')
  })

  t.test('and all goes on when it answers again', async () => {
    redis.thaw()
    await eventually(async () => (await busOf(here)) === 'up' && (await busOf(there)) === 'up')
    const { changeSeq } = await send(alice, id)
    await until(socket, id, changeSeq)
  })
})

for (const { name, skip, prepare } of buses) {
  t.test(`two real processes over ${name}`, { skip }, async (t) => {
    const bus = await prepare(t)
    const database = await createTestDatabase()
    const [one, two] = [await install(t), await install(t)] as const
    const env = { DATABASE_URL: database.url, JWT_SECRET: 'a secret that both of them know, long enough', DATA_DIR: one.dataDir, ...bus.env }
    t.teardown(() => database.drop())
    const first = await one.start({ env })
    await two.start({ env })
    const [alice, bob] = [await one.signUp('alice'), await two.signUp('bob')]
    const { conversation } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id] })
    const live = connect(bob.api)
    t.teardown(() => live.close())
    const contents: string[] = []
    live.on('message.created', ({ data }) => contents.push(data.message.content))
    await live.ready()
    const sendOne = (content: string) => alice.api.conversations.sendMessage(conversation.id, { content })

    t.test('who is there is known to both', async () => {
      const heard = new Promise<void>((resolve) => {
        live.on('presence.changed', ({ data }) => data.userId === alice.id && data.status === 'online' && resolve())
      })
      const ofAlice = connect(alice.api)
      await ofAlice.ready()
      await heard
      ofAlice.close()
    })

    t.test('everything acknowledged by one that is killed reaches the sockets of the other, in order and once', async (t) => {
      const acknowledged: string[] = []
      let stop = false
      const senders = range(0, 3).map(async (sender) => {
        for (let number = 0; !stop; number++) {
          await sendOne(`${sender}/${number}`).then(({ message }) => acknowledged.push(message.content))
        }
      })
      const allEnded = Promise.allSettled(senders)
      await eventually(() => acknowledged.length > 200)
      await first.kill()
      stop = true
      await allEnded
      await eventually(() => acknowledged.every((content) => contents.includes(content)))
      t.equal(new Set(contents).size, contents.length)
      for (const sender of ['0', '1', '2', '3']) {
        const own = contents.filter((content) => content.startsWith(`${sender}/`)).map((content) => Number(content.split('/')[1]))
        t.same(own, range(0, own.length - 1))
      }
    })

    t.test('and so does what it says when it is back', async () => {
      await one.start({ env })
      await sendOne('back')
      await eventually(() => contents.includes('back'))
    })
  })
}
