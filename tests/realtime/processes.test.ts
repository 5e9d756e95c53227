/**
 * Several processes act as one: what happens on one reaches the sockets of the others, over PostgreSQL and over Redis, in order and once;
 * and whatever becomes of what carries it, nothing is missed.
 */
import pg from 'pg'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../helpers/database.ts'
import { prepareRedis, redisIsMissing } from '../helpers/redis.ts'
import { type ReceivedFrame, startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>
type Socket = Awaited<ReturnType<TestServer['socket']>>

const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)))
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

const send = async ({ api }: Person, id: string, content = 'hello') => (await api.conversations.sendMessage(id, { content })).message

async function createGroup(owner: Person, ...members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id), title: 'Lunch' })
  return conversation.id
}

const numbers = ({ frames }: Socket, id: string) => frames.flatMap(({ conversationId, changeSeq }) => (conversationId === id ? [changeSeq] : []))
const until = ({ frame }: Socket, id: string, changeSeq: number): Promise<ReceivedFrame> =>
  frame((one) => one.conversationId === id && (one.changeSeq ?? 0) >= changeSeq)

/** Every change from here on, once and in order, holes of the numbers linked. */
function sameAsRange(t: Test, socket: Socket, id: string, from: number, to: number): void {
  t.same(numbers(socket, id), range(from, to))
}

interface Bus {
  env: Record<string, string>
  /** Breaks what carries it, for a moment. */
  cut(databaseUrl: string): Promise<void>
}

async function query(databaseUrl: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  return client.query(text).finally(() => client.end())
}

const cutListeners =
  "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and (query like 'listen parley_live%' or query like '%pg_notify%unnest%') and pid <> pg_backend_pid()"

const buses: { name: string; skip: string | false; prepare(t: Test): Promise<Bus> }[] = [
  {
    name: 'PostgreSQL',
    skip: false,
    prepare: async () => ({ env: {}, cut: async (databaseUrl) => void (await query(databaseUrl, cutListeners)) }),
  },
  {
    name: 'Redis',
    skip: redisIsMissing,
    prepare: async (t) => {
      const redis = await prepareRedis(t)
      await redis.start()
      return { env: { REDIS_URL: redis.url }, cut: redis.cutAll }
    },
  },
]

for (const { name, skip, prepare } of buses) {
  t.test(`two processes over ${name}`, { skip }, async (t) => {
    const bus = await prepare(t)
    const database = await createTestDatabase()
    const start = () => startServer(t, { databaseUrl: database.url, env: bus.env })
    const [here, there] = [await start(), await start()] as const
    t.teardown(async () => {
      await Promise.all([here.stop(), there.stop()])
      await database.drop()
    })
    const [alice, bob] = [await here.signUp(), await here.signUp()]

    t.test('a message arrives within moments', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      await send(alice, id)
      await until(socket, id, 4)
      const begun = performance.now()
      const { changeSeq } = await send(alice, id)
      await until(socket, id, changeSeq)
      t.ok(performance.now() - begun < 500, `${performance.now() - begun} ms`)
    })

    t.test('many arrive in order and once, sent on both sides at the same time', async (t) => {
      const id = await createGroup(alice, bob)
      const sockets = [await here.socket(bob.accessToken), await there.socket(bob.accessToken)]
      const bobThere = { ...bob, api: there.client({ accessToken: bob.accessToken }) }
      await times(150, (index) => send(index % 2 === 0 ? alice : bobThere, id))
      for (const socket of sockets) {
        await until(socket, id, 153)
        sameAsRange(t, socket, id, 4, 153)
      }
    })

    t.test('typing and the title too', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      const speaker = await here.socket(alice.accessToken)
      speaker.send({ type: 'conversations.setTyping', data: { conversationId: id, typing: true } })
      t.equal((await socket.frame(({ type }) => type === 'typing')).data.userId, alice.id)
      await alice.api.conversations.update(id, { title: 'Dinner' })
      const { data } = await socket.frame(({ type, conversationId }) => type === 'conversation.updated' && conversationId === id)
      t.equal(data.conversation.title, 'Dinner')
    })

    t.test('joining on one reaches the socket on the other, and what comes then', async (t) => {
      const socket = await there.socket(bob.accessToken)
      const id = await createGroup(alice)
      await send(alice, id, 'before')
      await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
      const { changeSeq } = await send(alice, id, 'after')
      await until(socket, id, changeSeq)
      sameAsRange(t, socket, id, changeSeq - 1, changeSeq)
      await alice.api.conversations.removeMember(id, bob.id)
      t.equal((await socket.frame(({ type, conversationId }) => type === 'member.left' && conversationId === id)).data.userId, bob.id)
    })

    t.test('a message that is larger than a payload arrives whole', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      const content = 'ü'.repeat(9_000)
      const { changeSeq } = await send(alice, id, content)
      t.equal((await until(socket, id, changeSeq)).data.message.content, content)
    })

    t.test('nothing is missed when the connections of the bus are cut again and again', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      let stop = false
      let last = 0
      const storm = times(4, async () => {
        while (!stop) last = Math.max(last, (await send(alice, id)).changeSeq)
      })
      for (let cuts = 0; cuts < 5; cuts++) {
        await bus.cut(database.url)
        await until(socket, id, last + 20)
      }
      stop = true
      await storm
      await until(socket, id, last)
      t.same(reached(socket, id, 3), { last, doubles: 0, holes: 0 })
    })
  })
}

/** What a client that stood at a number has applied, by the rule. */
function reached({ frames }: Socket, id: string, cursor: number) {
  let last = cursor
  let doubles = 0
  let holes = 0
  for (const { conversationId, changeSeq = 0, previousChangeSeq = changeSeq - 1 } of frames) {
    if (conversationId !== id || changeSeq === 0) continue
    if (changeSeq <= last) doubles += 1
    else if (previousChangeSeq > last) holes += 1
    else last = changeSeq
  }
  return { last, doubles, holes }
}
