import { type Change, ConnectionError, Parley, UnauthorizedError } from '@parley/sdk'
import { connect, type RealtimeOptions, type RealtimeState } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { type Answer, failure, tokenPair } from './http-server.ts'
import { type Behaviour, startSockets } from './socket-server.ts'
import { createTestRuntime, type TestRuntime } from './test-runtime.ts'

const tokens = { accessToken: 'access-0', refreshToken: 'refresh-0' }

t.test('the token goes as a subprotocol, and never into the address', async (t) => {
  const { server } = await start(t)
  const peer = await server.connection()
  t.same(peer.protocols, ['parley.v1', 'bearer.access-0'])
  t.equal(peer.path, '/v1/ws')
})

t.test('another WebSocket than the platform’s can be used', async (t) => {
  const { server, realtime } = await start(t, { WebSocket })
  const peer = await server.connection()
  peer.hello({})
  await t.resolves(realtime.ready())
})

t.test('changes', async (t) => {
  t.test('a change reaches the listeners of its type and those of every change, until they stop listening', async (t) => {
    const { server, realtime } = await start(t)
    const heard: unknown[] = []
    realtime.on('change', ({ type, changeSeq }) => heard.push([type, changeSeq]))
    const stop = realtime.on('message.created', ({ data }) => heard.push(data.message.content))
    const peer = await server.connection()
    peer.hello({ c1: 4 })
    await realtime.ready()
    peer.send(change('c1', 5))
    peer.send({ type: 'something.new', conversationId: 'c1', changeSeq: 6, data: {} })
    await emitted(realtime, 'c1', 6)
    stop()
    peer.send(change('c1', 7))
    await emitted(realtime, 'c1', 7)
    t.same(heard, [['message.created', 5], 'c1/5', ['something.new', 6], ['message.created', 7]])
  })

  t.test('a listener that throws disturbs nobody', async (t) => {
    const { server, realtime, log } = await start(t)
    const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve))
    realtime.on('message.created', ({ changeSeq }) => {
      if (changeSeq === 1) throw new Error('Mine')
    })
    const peer = await server.connection()
    peer.hello({ c1: 0 })
    peer.send(change('c1', 1))
    peer.send(change('c1', 2))
    t.match(await uncaught, { message: 'Mine' })
    await emitted(realtime, 'c1', 2)
    t.same(log, ['c1/1', 'c1/2'])
  })

  t.test('a change that comes twice is emitted once', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 4 })
    for (const seq of [4, 5, 5, 3, 6, 5]) peer.send(change('c1', seq))
    await emitted(realtime, 'c1', 6)
    t.same(log, ['c1/5', 'c1/6'])
  })

  t.test('a hole is filled before what follows it', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 4, c2: 9 })
    peer.send(change('c1', 7))
    t.same((await peer.next('resume')).data, { cursors: { c1: 4 } })
    t.equal(realtime.state, 'resuming')
    peer.send(change('c2', 10))
    peer.send(change('c1', 8))
    for (const seq of [5, 6, 7, 8]) peer.send(change('c1', seq))
    peer.send({ type: 'ready', data: { cursors: { c1: 8 } } })
    await realtime.ready()
    t.same(log, ['c2/10', 'c1/5', 'c1/6', 'c1/7', 'c1/8'])
    t.equal(peer.waiting.length, 0, 'and asked for once')
  })

  t.test('a change that was dropped while a resume was under way is asked for afterwards', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 4 })
    peer.send(change('c1', 6))
    await peer.next('resume')
    peer.send(change('c1', 7))
    peer.send(change('c1', 5))
    peer.send(change('c1', 6))
    peer.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    t.same((await peer.next('resume')).data, { cursors: { c1: 6 } })
    peer.send(change('c1', 7))
    peer.send({ type: 'ready', data: { cursors: { c1: 7 } } })
    await realtime.ready()
    t.same(log, ['c1/5', 'c1/6', 'c1/7'])
  })

  t.test('a change that got lost at the end of a resume is asked for again', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 4 } })
    const peer = await server.connection()
    peer.hello({ c1: 6 })
    await peer.next('resume')
    peer.send(change('c1', 5))
    peer.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    t.same((await peer.next('resume')).data, { cursors: { c1: 5 } })
    peer.send(change('c1', 6))
    peer.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    await realtime.ready()
    t.same(log, ['c1/5', 'c1/6'])
  })

  t.test('numbers of which nothing is left are passed over', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 4, c2: 1 } })
    const peer = await server.connection()
    peer.hello({ c1: 9, c2: 7 })
    await peer.next('resume')
    peer.send(change('c1', 9, 4))
    peer.send({ type: 'ready', data: { cursors: { c1: 9, c2: 7 } } })
    await realtime.ready()
    t.same(log, ['c1/9'])
    t.same(realtime.cursors, { c1: 9, c2: 7 })
  })

  t.test('a conversation that appears begins with its first change', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({})
    peer.send(change('new', 41))
    peer.send(change('new', 42))
    await emitted(realtime, 'new', 42)
    t.same(log, ['new/41', 'new/42'])
  })

  t.test('what comes before hello is not emitted ahead of what came before it', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 4 } })
    const peer = await server.connection()
    peer.send(change('c1', 5))
    peer.hello({ c1: 5 })
    t.same((await peer.next('resume')).data, { cursors: { c1: 4 } })
    peer.send(change('c1', 5))
    peer.send({ type: 'ready', data: { cursors: { c1: 5 } } })
    await realtime.ready()
    t.same(log, ['c1/5'])
  })

  t.test('what is of the moment is passed on', async (t) => {
    const { server, realtime } = await start(t)
    const typing = new Promise((resolve) => realtime.on('typing', ({ data }) => resolve(data)))
    const peer = await server.connection()
    peer.hello({})
    peer.socket.send('no frame')
    peer.socket.send('null')
    peer.send({ type: 'typing', data: { conversationId: 'c1', userId: 'u1', typing: true, expiresInSeconds: 6 } })
    t.match(await typing, { userId: 'u1' })
  })
})

t.test('resume', async (t) => {
  t.test('after a reconnection only what is behind is asked for', async (t) => {
    const { server, realtime, log } = await start(t)
    const first = await server.connection()
    first.hello({ c1: 4, c2: 9 })
    first.send(change('c1', 5))
    await emitted(realtime, 'c1', 5)
    first.socket.terminate()
    const second = await server.connection()
    second.hello({ c1: 6, c2: 9, joined: 3 })
    t.same((await second.next('resume')).data, { cursors: { c1: 5, joined: 0 } })
    second.send(change('c1', 6))
    second.send(change('joined', 3, 0))
    second.send({ type: 'ready', data: { cursors: { c1: 6, joined: 3 } } })
    await realtime.ready()
    t.same(log, ['c1/5', 'c1/6', 'joined/3'])
  })

  t.test('the states tell where the connection is', async (t) => {
    const states: RealtimeState[] = []
    const { server, realtime } = await start(t, { cursors: { c1: 4 } })
    realtime.on('state', ({ state }) => states.push(state))
    const first = await server.connection()
    first.hello({ c1: 5 })
    await first.next('resume')
    first.send(change('c1', 5))
    first.send({ type: 'ready', data: { cursors: { c1: 5 } } })
    await realtime.ready()
    first.socket.terminate()
    const second = await server.connection()
    second.hello({ c1: 5 })
    await until(() => states.length === 6)
    realtime.close()
    t.same(states, ['open', 'resuming', 'ready', 'connecting', 'open', 'ready', 'closed'])
  })

  t.test('cursors of an earlier run are continued, and told when they change', async (t) => {
    const told: Record<string, number>[] = []
    const { server, realtime, log, runtime } = await start(t, { cursors: { c1: 4 }, onCursors: (cursors) => told.push(cursors) })
    const peer = await server.connection()
    peer.hello({ c1: 5 })
    await peer.next('resume')
    peer.send(change('c1', 5))
    peer.send({ type: 'ready', data: { cursors: { c1: 5 } } })
    await realtime.ready()
    await runtime.expire(100)
    t.same(told, [{ c1: 5 }])
    t.same(log, ['c1/5'])
    peer.send(change('c1', 6))
    await emitted(realtime, 'c1', 6)
    realtime.close()
    t.same(told.at(-1), { c1: 6 })
    t.equal(told.length, 2)
  })

  t.test('many conversations are asked for in turns of 500, each after the one before is ready', async (t) => {
    const positions = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`c${index}`, 1]))
    const { server, realtime } = await start(t, { cursors: {} })
    const peer = await server.connection()
    peer.hello(positions)
    const sizes: number[] = []
    for (const _ of [1, 2, 3]) {
      const { data } = await peer.next('resume')
      t.equal(peer.waiting.length, 0)
      const ids = Object.keys(data.cursors as object)
      sizes.push(ids.length)
      for (const id of ids) peer.send(change(id, 1))
      peer.send({ type: 'ready', data: { cursors: Object.fromEntries(ids.map((id) => [id, 1])) } })
    }
    await realtime.ready()
    t.same(sizes, [500, 500, 100])
    t.same(realtime.cursors, positions)
  })

  t.test('what is too much for the socket is pulled, page by page, and nothing newer is emitted before', async (t) => {
    const pulls: unknown[] = []
    const { server, realtime, log } = await start(t, { cursors: { c1: 1, c2: 1 } }, (path, body) => {
      if (path !== '/v1/sync') return failure(404, 'not_found')
      if (pulls.push(body.cursors) === 1) return failure(500, 'internal_error')
      const from = Object.entries(body.cursors as Record<string, number>)[0]?.[1] ?? 0
      const changes = [change('c1', from + 1), change('c1', from + 2)]
      return { body: { changes, cursors: { c1: from + 2 }, positions: { c1: 5, c2: 2 }, gone: [], hasMore: from + 2 < 5 } }
    })
    const peer = await server.connection()
    peer.hello({ c1: 5, c2: 2 })
    await peer.next('resume')
    peer.send({ type: 'gap', data: { conversationId: 'c1', fromChangeSeq: 1, changeSeq: 5, missed: 4 } })
    peer.send(change('c2', 2))
    peer.send({ type: 'ready', data: { cursors: { c1: 5, c2: 2 } } })
    peer.send(change('c1', 6))
    await until(() => log.includes('c1/5'))
    const again = await peer.next('resume')
    t.same(again.data, { cursors: { c1: 5 } })
    peer.send(change('c1', 6))
    peer.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    await realtime.ready()
    t.same(log, ['c2/2', 'c1/2', 'c1/3', 'c1/4', 'c1/5', 'c1/6'])
    t.same(pulls, [{ c1: 1 }, { c1: 1 }, { c1: 3 }])
  })

  t.test('what comes over the socket during a pull is emitted once', async (t) => {
    const answer = Promise.withResolvers<Answer>()
    const { server, realtime, log } = await start(t, { cursors: { c1: 1 } }, () => answer.promise)
    const peer = await server.connection()
    peer.hello({ c1: 3 })
    await peer.next('resume')
    peer.send({ type: 'gap', data: { conversationId: 'c1', fromChangeSeq: 1, changeSeq: 3, missed: 2 } })
    peer.send({ type: 'ready', data: { cursors: { c1: 3 } } })
    peer.send(change('c1', 2))
    await emitted(realtime, 'c1', 2)
    answer.resolve({ body: { changes: [change('c1', 2), change('c1', 3)], cursors: { c1: 3 }, positions: { c1: 3 }, gone: [], hasMore: false } })
    await realtime.ready()
    t.same(log, ['c1/2', 'c1/3'])
  })

  t.test('a conversation that is not ours any more is told once', async (t) => {
    const gone: string[] = []
    const { server, realtime } = await start(t, { cursors: { c1: 4, c2: 4, c3: 4 } }, () => ({
      body: { changes: [change('c3', 5)], cursors: {}, positions: {}, gone: ['c3'], hasMore: false },
    }))
    realtime.on('gone', ({ data }) => gone.push(data.conversationId))
    const peer = await server.connection()
    peer.hello({ c2: 5, c3: 5 })
    await peer.next('resume')
    peer.send({ type: 'gone', data: { conversationId: 'c2' } })
    peer.send({ type: 'gap', data: { conversationId: 'c3', fromChangeSeq: 4, changeSeq: 5, missed: 1 } })
    peer.send({ type: 'ready', data: { cursors: { c3: 5 } } })
    await until(() => gone.length === 3)
    t.same(gone, ['c1', 'c2', 'c3'])
    t.same(realtime.cursors, {})
  })

  t.test('after the server was restored from a backup what is new is not taken for known, and what was lost is told', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 40, c2: 9 } })
    const rewound: unknown[] = []
    realtime.on('rewound', ({ data }) => rewound.push(data))
    const first = await server.connection()
    first.hello({ c1: 30, c2: 9 })
    await realtime.ready()
    t.same(rewound, [{ conversationId: 'c1', from: 40, to: 30 }])
    t.same(realtime.cursors, { c1: 30, c2: 9 })
    first.send(change('c1', 31))
    first.send(change('c2', 10))
    await emitted(realtime, 'c2', 10)
    first.socket.terminate()
    const second = await server.connection()
    second.hello({ c1: 31, c2: 8 })
    second.send(change('c2', 9))
    await emitted(realtime, 'c2', 9)
    t.same(rewound.slice(1), [{ conversationId: 'c2', from: 10, to: 8 }])
    t.same(log, ['c1/31', 'c2/10', 'c2/9'])
  })

  t.test('what was pulled while the connection was made again is not emitted twice', async (t) => {
    const answer = Promise.withResolvers<Answer>()
    const { server, realtime, log } = await start(t, { cursors: { c1: 1 } }, () => answer.promise)
    realtime.on('rewound', () => t.fail('nothing was restored'))
    const first = await server.connection()
    first.hello({ c1: 2 })
    await first.next('resume')
    first.send({ type: 'gap', data: { conversationId: 'c1', fromChangeSeq: 1, changeSeq: 2, missed: 1 } })
    await until(() => server.requests.length === 1)
    first.socket.terminate()
    const second = await server.connection()
    answer.resolve({ body: { changes: [change('c1', 2), change('c1', 3)], cursors: { c1: 3 }, positions: { c1: 3 }, gone: [], hasMore: false } })
    await emitted(realtime, 'c1', 3)
    second.hello({ c1: 2 })
    second.send(change('c1', 3))
    second.send(change('c1', 4))
    await emitted(realtime, 'c1', 4)
    t.same(log, ['c1/2', 'c1/3', 'c1/4'])
  })

  t.test('a resume that the server refuses for the moment is tried again', async (t) => {
    const { server, realtime } = await start(t, { cursors: { c1: 4 } })
    const peer = await server.connection()
    peer.hello({ c1: 5 })
    const { id } = await peer.next('resume')
    peer.send({ type: 'error', id, error: { code: 'unavailable', message: 'Later', requestId: null, timestamp: '' } })
    await peer.next('resume')
    peer.send(change('c1', 5))
    peer.send({ type: 'ready', data: { cursors: { c1: 5 } } })
    await t.resolves(realtime.ready())
  })

  t.test('a server that cannot bring what it announced, or does not answer, is asked on another connection', async (t) => {
    const { server, runtime } = await start(t, { cursors: { c1: 4 } })
    const first = await server.connection()
    first.hello({ c1: 5 })
    await first.next('resume')
    first.send({ type: 'ready', data: { cursors: { c1: 4 } } })
    const second = await server.connection()
    second.hello({ c1: 5 })
    await second.next('resume')
    await runtime.expire(30_000)
    const third = await server.connection()
    third.hello({ c1: 5 })
    t.same((await third.next('resume')).data, { cursors: { c1: 4 } })
  })
})

t.test('what is subscribed', async (t) => {
  t.test('a change right behind the answer is emitted', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 4, c2: 9, c3: 2 })
    await realtime.ready()
    for (const [id, position] of [
      ['c1', 4],
      ['c2', 9],
    ] as const) {
      const done = realtime.subscribe([id])
      const { id: command } = await peer.next('subscribe')
      peer.send({ type: 'ack', id: command, data: { positions: { [id]: position } } })
      peer.send(change(id, position + 1))
      await done
      await emitted(realtime, id, position + 1)
    }
    t.same(log, ['c1/5', 'c2/10'])
    t.equal(peer.waiting.length, 0, 'and not asked for again')
  })

  t.test('of calls that do not wait for each other the last one counts', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 4, c2: 9, c3: 2 })
    const done = Promise.all([realtime.unsubscribe(['c2', 'c3']), realtime.subscribeAll()])
    peer.send({ type: 'ack', id: (await peer.next('unsubscribe')).id })
    const { id } = await peer.next('subscribe')
    peer.send({ type: 'positions', data: { positions: { c3: 3 }, hasMore: true } })
    peer.send({ type: 'ack', id, data: { positions: { c1: 4, c2: 9 } } })
    peer.send(change('c2', 10))
    peer.send(change('c1', 5))
    await done
    await emitted(realtime, 'c1', 5)
    t.same(log, ['c2/10', 'c1/5'])
    t.equal(realtime.state, 'resuming', 'what was told ahead of the answer is gone after as well')
    t.same((await peer.next('resume')).data, { cursors: { c3: 2 } })
  })

  t.test('when the answer does not come, a new connection is told what is wanted', async (t) => {
    const { server, realtime, runtime } = await start(t)
    const first = await server.connection()
    first.hello({ c1: 4, c2: 9 })
    await realtime.ready()
    const named = realtime.subscribe(['c1'])
    const { id } = await first.next('subscribe')
    first.send({ type: 'ack', id, data: { positions: { c1: 4 } } })
    await named
    const failing = realtime.subscribe(['c2'])
    await first.next('subscribe')
    await Promise.all([t.rejects(failing, { code: 'timeout' }), runtime.expire(15_000)])
    const second = await server.connection()
    t.equal(second.path, '/v1/ws?subscribe=none')
    second.hello({})
    t.same((await second.next('subscribe')).data, { conversationIds: ['c1'] })
  })

  t.test('is told to a connection that begins with nothing, and what was missed of it is emitted before it is ready', async (t) => {
    const pulled = { changes: [], cursors: {}, positions: { c1: 6, c3: 2 }, gone: [], hasMore: false }
    const { server, realtime, log } = await start(t, {}, (path) => (path === '/v1/sync' ? { body: pulled } : failure(404, 'not_found')))
    const first = await server.connection()
    first.hello({ c1: 4, c2: 9, c3: 2 })
    await realtime.ready()
    const named = realtime.subscribe(['c1', 'c2'])
    first.send({ type: 'ack', id: (await first.next('subscribe')).id ?? 0, data: { positions: { c1: 4, c2: 9 } } })
    await named
    const gone: string[] = []
    realtime.on('gone', ({ data }) => gone.push(data.conversationId))
    first.socket.terminate()
    const second = await server.connection()
    t.equal(second.path, '/v1/ws?subscribe=none')
    second.hello({})
    const { id, data } = await second.next('subscribe')
    t.same(data, { conversationIds: ['c1', 'c2'] })
    t.equal(realtime.state, 'resuming')
    second.send({ type: 'error', id, error: { code: 'not_found', message: 'There is no such thing.', requestId: null, timestamp: '2026-11-20T10:00:00.000Z' } })
    const again = await second.next('subscribe')
    t.same(again.data, { conversationIds: ['c1'] })
    t.same(gone, ['c2'])
    second.send({ type: 'ack', id: again.id, data: { positions: { c1: 6 } } })
    t.same((await second.next('resume')).data, { cursors: { c1: 4 } })
    second.send(change('c1', 6, 4))
    second.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    await realtime.ready()
    t.same(log, ['c1/6'])
    t.same(realtime.cursors, { c1: 6, c3: 2 }, 'what is known of the others is kept')
    second.socket.terminate()
    const third = await server.connection()
    third.hello({})
    t.same((await third.next('subscribe')).data, { conversationIds: ['c1'] }, 'and what is gone is not asked for again')
  })

  t.test('what a resume brings of others is dropped, and comes when they are subscribed', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 5, c2: 1, c3: 5 } })
    const named = realtime.subscribe(['c2'])
    const peer = await server.connection()
    peer.hello({ c1: 7, c2: 1, c3: 9 })
    const { id } = await peer.next('subscribe')
    t.same((await peer.next('resume')).data, { cursors: { c1: 5, c3: 5 } })
    peer.send({ type: 'ack', id, data: { positions: { c2: 1 } } })
    peer.send(change('c1', 6))
    peer.send(change('c1', 7))
    peer.send({ type: 'gap', data: { conversationId: 'c3', fromChangeSeq: 5, changeSeq: 9, missed: 4 } })
    peer.send({ type: 'ready', data: { cursors: { c1: 7, c3: 9 } } })
    peer.send(change('c2', 2))
    await named
    await emitted(realtime, 'c2', 2)
    t.same(realtime.cursors, { c1: 5, c2: 2, c3: 5 }, 'cursors stay where they were')
    t.same([realtime.state, peer.waiting, server.requests], ['ready', [], []], 'nobody asks for it')
    const more = realtime.subscribe(['c1'])
    peer.send({ type: 'ack', id: (await peer.next('subscribe')).id, data: { positions: { c1: 7 } } })
    await more
    t.same((await peer.next('resume')).data, { cursors: { c1: 5 } })
    peer.send(change('c1', 6))
    peer.send(change('c1', 7))
    peer.send({ type: 'ready', data: { cursors: { c1: 7 } } })
    await realtime.ready()
    t.same(log, ['c2/2', 'c1/6', 'c1/7'])
  })

  t.test('what is subscribed again while a resume that was dropped goes on is asked for after it', async (t) => {
    const { server, realtime, log } = await start(t, { cursors: { c1: 5, c2: 1, c3: 5 } })
    const named = realtime.subscribe(['c2'])
    const peer = await server.connection()
    peer.hello({ c1: 6, c2: 1, c3: 6 })
    const { id } = await peer.next('subscribe')
    await peer.next('resume')
    peer.send({ type: 'ack', id, data: { positions: { c2: 1 } } })
    peer.send(change('c1', 6))
    await named
    const more = realtime.subscribe(['c1'])
    peer.send({ type: 'ack', id: (await peer.next('subscribe')).id, data: { positions: { c1: 6 } } })
    await more
    peer.send({ type: 'ready', data: { cursors: { c1: 6, c3: 6 } } })
    t.same((await peer.next('resume')).data, { cursors: { c1: 5 } })
    peer.send(change('c1', 6))
    peer.send({ type: 'ready', data: { cursors: { c1: 6 } } })
    await realtime.ready()
    t.same(log, ['c1/6'])
  })

  t.test('what is gone comes again on the same connection, which the server has not been told to leave out, and is given up on the next', async (t) => {
    const pulled = { changes: [], cursors: {}, positions: {}, gone: [], hasMore: false }
    const { server, realtime, log } = await start(t, { cursors: { c1: 4, c2: 4 } }, () => ({ body: pulled }))
    const gone: string[] = []
    realtime.on('gone', ({ data }) => gone.push(data.conversationId))
    const first = await server.connection()
    first.hello({ c1: 4, c2: 4 })
    const named = realtime.subscribe(['c1'])
    first.send({ type: 'ack', id: (await first.next('subscribe')).id, data: { positions: { c1: 5 } } })
    await named
    await first.next('resume')
    first.send({ type: 'gone', data: { conversationId: 'c1' } })
    first.send({ type: 'ready', data: { cursors: {} } })
    first.send(change('c1', 8))
    await emitted(realtime, 'c1', 8)
    t.same([gone, log], [['c1'], ['c1/8']])
    first.socket.terminate()
    const second = await server.connection()
    second.hello({})
    const { id } = await second.next('subscribe')
    second.send({ type: 'error', id, error: { code: 'not_found', message: 'There is no such thing.', requestId: null, timestamp: '2026-11-20T10:00:00.000Z' } })
    await until(() => gone.length === 2)
    second.socket.terminate()
    const third = await server.connection()
    third.hello({})
    realtime.subscribe(['c2']).catch(() => {})
    t.same((await third.next('subscribe')).data, { conversationIds: ['c2'] })
  })

  t.test('going back to all tells which conversations are not ours any more, and not of those that came meanwhile', async (t) => {
    const { server, realtime } = await start(t)
    const gone: string[] = []
    realtime.on('gone', ({ data }) => gone.push(data.conversationId))
    const peer = await server.connection()
    peer.hello({ c1: 4, c2: 9, c3: 2, c4: 1 })
    const named = realtime.subscribe(['c1'])
    peer.send({ type: 'ack', id: (await peer.next('subscribe')).id, data: { positions: { c1: 4 } } })
    await named
    const all = Promise.all([realtime.subscribeAll(), realtime.subscribeAll()])
    for (const { id } of [await peer.next('subscribe'), await peer.next('subscribe')]) {
      peer.send(change('new', 41))
      peer.send(change('c4', 3))
      peer.send({ type: 'positions', data: { positions: { c1: 4 }, hasMore: true } })
      peer.send({ type: 'ack', id, data: { positions: { c3: 2 } } })
    }
    await all
    t.same(gone, ['c2'])
    t.same(realtime.cursors, { c1: 4, c3: 2, c4: 1, new: 41 })
  })
})

t.test('connection', async (t) => {
  t.test('silence is questioned, and a dead connection replaced', async (t) => {
    const { server, realtime, runtime } = await start(t)
    const first = await server.connection()
    first.hello({ c1: 1 })
    await realtime.ready()
    await runtime.expire(25_000)
    await first.next('ping')
    first.send({ type: 'pong', data: {} })
    first.send(change('c1', 2))
    await emitted(realtime, 'c1', 2)
    await runtime.expire(10_000)
    await runtime.expire(25_000)
    await first.next('ping')
    t.equal(server.attempts, 1)
    await runtime.expire(10_000)
    await t.resolves(server.connection())
  })

  t.test('frames count as signs of life', async (t) => {
    const { server, realtime, runtime } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 1 })
    peer.send(change('c1', 2))
    await emitted(realtime, 'c1', 2)
    await runtime.expire(25_000)
    await runtime.expire(25_000)
    await peer.next('ping')
    t.equal(server.attempts, 1)
  })

  t.test('a server that does not say hello is left', async (t) => {
    const { server, runtime } = await start(t)
    await server.connection()
    await runtime.expire(15_000)
    await t.resolves(server.connection())
  })

  t.test('waits grow, and are short again after a connection that lasted', async (t) => {
    const runtime = createTestRuntime(0.5)
    const { server } = await start(t, { runtime })
    for (const wait of [250, 500, 1000]) {
      const peer = await server.connection()
      peer.hello({})
      peer.socket.terminate()
      await runtime.expire(wait)
    }
    const peer = await server.connection()
    peer.hello({})
    await runtime.expire(20_000)
    peer.socket.terminate()
    await runtime.expire(250)
    await t.resolves(server.connection())
  })

  t.test('when a server goes away its clients spread over more time', async (t) => {
    const runtime = createTestRuntime(0.5)
    const { server } = await start(t, { runtime })
    const peer = await server.connection()
    peer.hello({})
    peer.socket.close(1001)
    await runtime.expire(1000)
    await t.resolves(server.connection())
  })

  t.test('a wait can be cut short', async (t) => {
    const { server, realtime } = await start(t, { runtime: createTestRuntime(0.5) })
    const peer = await server.connection()
    peer.hello({})
    await realtime.ready()
    peer.socket.terminate()
    await until(() => realtime.state === 'connecting')
    realtime.reconnect()
    await t.resolves(server.connection())
  })

  t.test('an expired token is renewed and the connection made again', async (t) => {
    const { server, realtime } = await start(t, {}, () => ({ body: tokenPair('1') }))
    const first = await server.connection()
    first.hello({})
    first.socket.close(4401)
    const second = await server.connection()
    t.same(second.protocols, ['parley.v1', 'bearer.access-1'])
    second.hello({})
    await realtime.ready()
  })

  t.test('a revoked session closes the connection for good, and fails what waits', async (t) => {
    const { server, realtime, api } = await start(t, {}, () => failure(401, 'unauthorized'))
    const signedOut = new Promise((resolve) => realtime.on('signedOut', ({ error }) => resolve(error)))
    const peer = await server.connection()
    peer.hello({})
    const sends = [realtime.sendMessage('c1', { content: 'a' }), realtime.sendMessage('c1', { content: 'b' })]
    await peer.next()
    peer.socket.close(4401)
    for (const outcome of await Promise.allSettled(sends)) t.match(outcome, { status: 'rejected', reason: { code: 'unauthorized' } })
    t.ok((await signedOut) instanceof UnauthorizedError)
    t.equal(realtime.state, 'closed')
    t.equal(api.tokens, null)
    await t.rejects(realtime.ready(), { code: 'unauthorized' })
  })

  t.test('an API key that the socket is closed for is tried on the API: it goes on if it is still good, and ends if not', async (t) => {
    const server = await startSockets(t, { rest: () => (server.requests.length < 2 ? { body: {} } : failure(401, 'unauthorized')) })
    const realtime = connect(new Parley({ baseUrl: server.baseUrl, apiKey: 'pk_key', runtime: createTestRuntime() }))
    t.teardown(() => realtime.close())
    const first = await server.connection()
    first.hello({})
    first.socket.close(4401)
    const second = await server.connection()
    t.same(second.protocols, ['parley.v1', 'bearer.pk_key'])
    second.hello({})
    const signedOut = new Promise<string>((resolve) => realtime.on('signedOut', ({ error }) => resolve(error.code)))
    second.socket.close(4401)
    t.equal(await signedOut, 'unauthorized')
    t.equal(realtime.state, 'closed')
    t.same(server.requests, ['/v1/auth/me', '/v1/auth/me'])
  })

  t.test('when renewal is impossible for the moment it is tried again', async (t) => {
    let renewals = 0
    const { server } = await start(t, {}, () => (renewals++ < 3 ? failure(500, 'internal_error') : { body: tokenPair('1') }))
    const first = await server.connection()
    first.hello({})
    first.socket.close(4401)
    const second = await server.connection()
    t.same(second.protocols, ['parley.v1', 'bearer.access-1'])
  })

  t.test('a connection that is refused twice has its token checked and renewed', async (t) => {
    const rest = (path: string) => (path === '/v1/auth/refresh' ? { body: tokenPair('1') } : failure(401, 'unauthorized'))
    const server = await startSockets(t, { rest: (path) => (server.requests.length > 2 ? { body: {} } : rest(path)), accepts: (attempt) => attempt > 2 })
    const api = new Parley({ baseUrl: server.baseUrl, ...tokens, runtime: createTestRuntime() })
    const realtime = connect(api)
    t.teardown(() => realtime.close())
    const peer = await server.connection()
    t.same(peer.protocols, ['parley.v1', 'bearer.access-1'])
    t.same(server.requests, ['/v1/auth/me', '/v1/auth/refresh', '/v1/auth/me'])
  })

  t.test('without anybody signed in it is closed at once', async (t) => {
    const server = await startSockets(t)
    const realtime = connect(new Parley({ baseUrl: server.baseUrl }))
    await t.rejects(realtime.ready(), { code: 'unauthorized' })
    t.equal(server.attempts, 0)
  })

  t.test('after close nothing is emitted, sent or connected any more', async (t) => {
    const { server, realtime, log } = await start(t)
    const peer = await server.connection()
    peer.hello({ c1: 1 })
    await realtime.ready()
    realtime.close()
    peer.send(change('c1', 2))
    await new Promise((resolve) => peer.socket.once('close', resolve))
    realtime.close()
    realtime.reconnect()
    const error = await realtime.sendMessage('c1', { content: 'a' }).catch((reason: unknown) => reason)
    t.ok(error instanceof ConnectionError)
    t.match(error, { code: 'closed' })
    t.same(log, [])
    t.equal(server.attempts, 1)
  })
})

t.test('confirmDelivery tells up to where messages of others have arrived, once in two seconds for a conversation', async (t) => {
  const runtime = createTestRuntime()
  const { server, realtime } = await start(t, { confirmDelivery: true, runtime }, () => ({ body: { id: 'me' } }))
  const peer = await server.connection()
  peer.hello({ c1: 0, c2: 0 })
  await realtime.ready()
  const own = change('c1', 3)
  if (own.type === 'message.created') own.data.message.senderId = 'me'
  for (const one of [change('c1', 1), change('c1', 2), change('c2', 1), own]) peer.send(one)
  await emitted(realtime, 'c1', 3)
  await runtime.expire(2_000)
  await runtime.expire(2_000)
  const said = [await peer.next('conversations.markDelivered'), await peer.next('conversations.markDelivered')]
  t.same(
    said.map(({ data }) => data),
    [
      { conversationId: 'c1', seq: 2 },
      { conversationId: 'c2', seq: 1 },
    ],
  )
})

t.test('what arrived before the connection broke is confirmed on the next one, however long that takes', async (t) => {
  const { server, realtime, runtime } = await start(t, { confirmDelivery: true }, () => ({ body: { id: 'me' } }))
  const first = await server.connection()
  first.hello({ c1: 0 })
  first.send(change('c1', 1))
  await emitted(realtime, 'c1', 1)
  first.socket.terminate()
  const second = await server.connection()
  await runtime.expire(2_000)
  runtime.pass(12_000)
  second.hello({ c1: 1 })
  await realtime.ready()
  realtime.markRead('c1', 1).catch(() => {})
  t.same((await second.next('conversations.markDelivered')).data, { conversationId: 'c1', seq: 1 })
})

t.test('while the server refuses, one confirmation waits for each conversation, and lets messages go first', async (t) => {
  const { server, realtime, runtime } = await start(t, { confirmDelivery: true }, () => ({ body: { id: 'me' } }))
  const peer = await server.connection()
  const arrive = async (seq: number) => {
    for (const id of ['c1', 'c2']) peer.send(change(id, seq))
    await emitted(realtime, 'c2', seq)
  }
  const refuse = ({ id }: { id?: string | number }) =>
    peer.send({ type: 'error', id, error: { code: 'rate_limit_exceeded', message: 'Later', requestId: null, timestamp: '2026-11-20T10:00:00.000Z' } })
  peer.hello({ c1: 0, c2: 0 })
  await arrive(1)
  for (const _ of ['c1', 'c2']) await runtime.expire(2_000)
  for (const _ of ['c1', 'c2']) refuse(await peer.next('conversations.markDelivered'))
  for (let seq = 2; seq <= 30; seq++) {
    await arrive(seq)
    runtime.pass(2_000)
    refuse(await peer.next('conversations.markDelivered'))
  }
  const sent = realtime.sendMessage('c1', { content: 'Hello' })
  const { id, data } = await peer.next('conversations.sendMessage')
  peer.send({ type: 'ack', id, data: { message: data } })
  await sent
  const confirmed: unknown[] = []
  const confirm = async () => {
    const { id, data } = await peer.next('conversations.markDelivered')
    confirmed.push([data.conversationId, data.seq])
    peer.send({ type: 'ack', id })
  }
  for (const _ of ['c1', 'c2']) await confirm()
  for (const _ of ['c1', 'c2']) await runtime.expire(2_000)
  for (const _ of ['c1', 'c2']) await confirm()
  t.same(confirmed, [
    ['c1', 1],
    ['c2', 1],
    ['c1', 30],
    ['c2', 30],
  ])
})

t.test('what is of the moment is passed on as it is', async (t) => {
  const { server, realtime } = await start(t)
  const peer = await server.connection()
  peer.hello({})
  await realtime.ready()
  const frames = [
    { type: 'message.mentioned', data: { message: { id: 'm1' } } },
    { type: 'presence.changed', data: { userId: 'u1' } },
    { type: 'conversation.joined', data: { conversationId: 'c9' } },
  ] as const
  for (const frame of frames) {
    const heard = new Promise((resolve) => {
      realtime.on(frame.type, resolve)
    })
    peer.send(frame)
    t.same(await heard, frame)
  }
})

async function start(t: Test, options: RealtimeOptions & { runtime?: TestRuntime } = {}, rest?: Behaviour['rest']) {
  const runtime = options.runtime ?? createTestRuntime()
  const server = await startSockets(t, rest ? { rest } : {})
  const api = new Parley({ baseUrl: server.baseUrl, ...tokens, runtime, retries: 0 })
  const realtime = connect(api, options)
  t.teardown(() => realtime.close())
  const log: string[] = []
  realtime.on('change', ({ conversationId, changeSeq }) => log.push(`${conversationId}/${changeSeq}`))
  return { server, api, realtime, runtime, log }
}

function change(conversationId: string, changeSeq: number, previousChangeSeq?: number): Change {
  const message = {
    id: `m${changeSeq}`,
    conversationId,
    seq: changeSeq,
    changeSeq,
    senderId: 'u1',
    type: 'text' as const,
    content: `${conversationId}/${changeSeq}`,
  }
  const data = {
    message: {
      ...message,
      clientId: null,
      metadata: {},
      replyTo: null,
      mentions: [],
      attachments: [],
      reactions: [],
      createdAt: '2026-11-20T10:00:00.000Z',
      editedAt: null,
      deletedAt: null,
    },
  }
  return { type: 'message.created', conversationId, changeSeq, ...(previousChangeSeq !== undefined && { previousChangeSeq }), data }
}

const emitted = (realtime: { cursors: Record<string, number> }, id: string, changeSeq: number) => until(() => realtime.cursors[id] === changeSeq)

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}
