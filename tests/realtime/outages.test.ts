/** A Redis that is away, is stopped, does not answer and comes back: nothing is missed, and all goes on by itself. */
import pino from 'pino'
import t from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually } from '../helpers/process.ts'
import { prepareRedis, redisIsMissing } from '../helpers/redis.ts'
import { startServer, type TestServer } from '../helpers/server.ts'
import { arriveTwice, cutListeners, reached, stopAll } from './buses.ts'
import { createGroup, send, times, until } from './people.ts'

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
