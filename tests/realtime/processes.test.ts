/**
 * Several processes act as one: what happens on one reaches the sockets of the others, over PostgreSQL and over Redis, in order and once,
 * and what is lost on the way is noticed.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { until as eventually } from '../helpers/process.ts'
import { startServer } from '../helpers/server.ts'
import { arriveTwice, buses, cutListeners, query, reached, stopAll } from './buses.ts'
import { startDatabaseProxy } from './database-proxy.ts'
import { startLossyProxy } from './lossy-proxy.ts'
import { createGroup, numbers, range, type Socket, send, times, until } from './people.ts'

/** Every change from here on, once and in order, holes of the numbers linked. */
function sameAsRange(t: Test, socket: Socket, id: string, from: number, to: number): void {
  t.same(numbers(socket, id), range(from, to))
}

for (const { name, skip, prepare } of buses) {
  t.test(`two processes over ${name}`, { skip }, async (t) => {
    const bus = await prepare(t)
    const database = await createTestDatabase()
    const start = () => startServer(t, { databaseUrl: database.url, env: bus.env })
    const [here, there] = [await start(), await start()] as const
    t.teardown(() => stopAll(database, here, there))
    const [alice, bob] = [await here.signUp(), await here.signUp()]

    t.test('a message arrives', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      await send(alice, id)
      await until(socket, id, 4)
      const begun = performance.now()
      const { changeSeq } = await send(alice, id)
      await until(socket, id, changeSeq)
      t.comment(`${Math.round(performance.now() - begun)} ms`)
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

    t.test('whom it mentions is told once, also where it is too large', async (t) => {
      const id = await createGroup(alice, bob)
      const socket = await there.socket(bob.accessToken)
      for (const content of ['hello', 'ü'.repeat(9_000)]) {
        const { message } = await alice.api.conversations.sendMessage(id, { content, mentions: [bob.id] })
        const { data } = await socket.frame(({ type, data }) => type === 'message.mentioned' && data.message.id === message.id)
        t.equal(data.message.content, content)
        await until(socket, id, message.changeSeq)
      }
      t.equal(socket.frames.filter(({ type }) => type === 'message.mentioned').length, 2)
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

t.test('what gets lost on the way is noticed by its number', async (t) => {
  const database = await createTestDatabase()
  const proxy = await startLossyProxy(t, database.url)
  const here = await startServer(t, { databaseUrl: database.url })
  const there = await startServer(t, { databaseUrl: proxy.url })
  t.teardown(() => stopAll(database, here, there))
  const [alice, bob, carol] = [await here.signUp(), await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const [socket, ofCarol] = [await there.socket(bob.accessToken), await there.socket(carol.accessToken)]
  const { changeSeq } = await send(alice, id)
  await until(socket, id, changeSeq)

  proxy.lose(id)
  await times(3, () => send(alice, id))
  await until(socket, id, changeSeq + 3)
  t.ok(proxy.losses > 0)
  sameAsRange(t, socket, id, changeSeq, changeSeq + 3)

  await alice.api.conversations.addMembers(id, { userIds: [carol.id] })
  const { changeSeq: last } = await send(alice, id)
  await until(ofCarol, id, last)
  sameAsRange(t, ofCarol, id, last - 1, last)
})

t.test('what happens on others arrives where they cannot be heard over PostgreSQL, though it answers', async (t) => {
  const database = await createTestDatabase()
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const proxy = await startDatabaseProxy(t, database.url)
  const [here, there] = [await startServer(t, { databaseUrl: database.url }), await startServer(t, { databaseUrl: proxy.url, log })] as const
  t.teardown(() => stopAll(database, here, there))
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const socket = await there.socket(bob.accessToken)
  await eventually(() => lines.some((line) => line.includes('Another process is there')))
  proxy.refuse('listen parley')
  await query(database.url, cutListeners)
  await eventually(() => lines.some((line) => line.includes('Another process is silent')))
  await arriveTwice(t, alice, socket, id)
})

t.test('what others write to the bus is ignored', async (t) => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
  const database = await createTestDatabase()
  const [here, there] = [await startServer(t, { databaseUrl: database.url }), await startServer(t, { databaseUrl: database.url, log })] as const
  t.teardown(() => stopAll(database, here, there))
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const socket = await there.socket(bob.accessToken)
  const head = `parley1 ${randomUUID()} 1`
  const foreign = [
    '',
    'hello',
    '{}',
    head.replace('1 ', '2 '),
    `${head}\n`,
    `${head}\nconversation ${id} {`,
    `${head}\nconversation ${id} null`,
    `${head}\nconversation ${id} {"type":"message.praised","conversationId":"${id}","changeSeq":4}`,
    `${head}\nconversation ${id} {"type":"message.created","conversationId":"${id}","changeSeq":4}`,
    `${head}\nconversation ${id} {"type":"read","conversationId":"${id}","changeSeq":4,"userId":"${bob.id}"}`,
    `${head}\nconversation ${id} {"type":"delivered","conversationId":"${id}","changeSeq":4,"userId":"${bob.id}"}`,
    `${head}\nconversation ${id} {"type":"membership.updated","conversationId":"${id}","changeSeq":4,"userId":"${bob.id}"}`,
    `${head}\nconversation ${id} {"type":"advanced","conversationId":"${id}","changeSeq":"many"}`,
    `${head}\nuser ${bob.id} 7`,
  ]
  for (const payload of foreign) await query(database.url, `notify parley_live, '${payload}'`)
  const { changeSeq } = await send(alice, id)
  t.equal((await until(socket, id, changeSeq)).type, 'message.created')
  sameAsRange(t, socket, id, changeSeq, changeSeq)
  t.same(lines, [])
})

t.test('what another process says and this one does not understand is read', async (t) => {
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void lines.push(line) })
  const database = await createTestDatabase()
  const [here, there] = [await startServer(t, { databaseUrl: database.url, log }), await startServer(t, { databaseUrl: database.url, log })] as const
  t.teardown(() => stopAll(database, here, there))
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const id = await createGroup(alice, bob)
  const socket = await there.socket(bob.accessToken)
  await eventually(() => lines.filter((line) => line.includes('Another process is there')).length === 2)
  let compared = 0
  there.app.topics.onStale(() => void compared++)
  await here.database.pool.query("update conversations set title = 'Praised', last_change_seq = 103, change_seq = 103 where id = $1", [id])
  for (const changeSeq of range(4, 103)) {
    here.app.topics.publish('conversation', id as ConversationId, { type: 'message.praised', conversationId: id, changeSeq } as never)
  }
  t.match(await until(socket, id, 103), { type: 'conversation.updated', data: { conversation: { title: 'Praised' } } })
  t.ok(compared > 0 && compared < 20, `all of it together: ${compared}`)
})

t.test('a process that is alone says nothing but that it is there', async (t) => {
  const database = await createTestDatabase()
  const here = await startServer(t, { databaseUrl: database.url })
  t.teardown(() => stopAll(database, here))
  const [alice, bob] = [await here.signUp(), await here.signUp()]
  const listener = new pg.Client({ connectionString: database.url })
  await listener.connect()
  const heard: string[] = []
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''))
  await listener.query('listen parley_live')
  await eventually(() => heard.length > 0)
  const id = await createGroup(alice, bob)
  await times(5, () => send(alice, id))
  const before = heard.length
  await eventually(() => heard.length > before)
  for (const payload of heard) t.match(payload, /^parley1 [0-9a-f-]{36} \d+$/)
  const [first, last] = [heard[0], heard.at(-1)].map((payload) => Number(payload?.split(' ')[2]))
  t.ok(Number(last) - Number(first) >= 5, 'and how much it did')
  await listener.end()
})
