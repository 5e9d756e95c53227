import { ConflictError, ConnectionError, NotFoundError, Parley, ParleyError, TimeoutError } from '@parley/sdk'
import { connect, type RealtimeOptions } from '@parley/sdk/realtime'
import t, { type Test } from 'tap'
import { tokenPair } from './http-server.ts'
import { type ClientFrame, type Peer, startSockets } from './socket-server.ts'
import { createTestRuntime, type TestRuntime } from './test-runtime.ts'

t.test('a message is sent with a clientId, and answered as it is stored', async (t) => {
  const { peer, realtime } = await start(t)
  const sent = realtime.sendMessage('c1', { content: 'Hello', metadata: { mood: 'good' } })
  const frame = await peer.next('conversations.sendMessage')
  t.match(frame.data, { conversationId: 'c1', content: 'Hello', metadata: { mood: 'good' }, clientId: /^[0-9a-f]{32}$/ })
  acknowledge(peer, frame)
  t.match(await sent, { content: 'Hello', clientId: frame.data.clientId })
})

t.test('within a conversation the next message goes when the one before is stored, between conversations they go together', async (t) => {
  const { peer, realtime } = await start(t)
  const sends = [realtime.sendMessage('c1', { content: '1' }), realtime.sendMessage('c1', { content: '2' }), realtime.sendMessage('c2', { content: '3' })]
  const [first, other] = [await peer.next(), await peer.next()]
  t.same([first.data.content, other.data.content], ['1', '3'])
  t.equal(peer.waiting.length, 0)
  acknowledge(peer, first)
  const second = await peer.next()
  t.equal(second.data.content, '2')
  acknowledge(peer, other)
  acknowledge(peer, second)
  t.match(await Promise.all(sends), [{ content: '1' }, { content: '2' }, { content: '3' }])
})

t.test('after a reconnection what is not answered is sent again, in order and with the same clientId', async (t) => {
  const { server, peer, realtime } = await start(t)
  const sends = ['1', '2', '3'].map((content) => realtime.sendMessage('c1', { content }))
  const first = await peer.next()
  peer.socket.terminate()
  const second = await server.connection()
  second.hello({})
  const repeated = await second.next()
  t.same(repeated.data, first.data)
  acknowledge(second, repeated)
  for (const _ of [2, 3]) acknowledge(second, await second.next())
  t.same(
    (await Promise.all(sends)).map(({ content }) => content),
    ['1', '2', '3'],
  )
})

t.test('what is sent without a connection goes when there is one', async (t) => {
  const server = await startSockets(t)
  const realtime = connect(new Parley({ baseUrl: server.baseUrl, accessToken: 'token' }))
  t.teardown(() => realtime.close())
  const sent = realtime.sendMessage('c1', { content: 'Hello' })
  const mark = realtime.markRead('c1', 7)
  const peer = await server.connection()
  t.equal(peer.waiting.length, 0, 'and not before hello')
  peer.hello({})
  for (const _ of [1, 2]) acknowledge(peer, await peer.next())
  t.match(await sent, { content: 'Hello' })
  t.match(await mark, { readSeq: 7 })
})

t.test('an outbox that is full refuses, and takes again when there is room', async (t) => {
  const { peer, realtime } = await start(t, { outboxLimit: 2 })
  const sends = [realtime.sendMessage('c1', { content: '1' }), realtime.sendMessage('c1', { content: '2' })]
  t.match(await rejection(realtime.sendMessage('c1', { content: '3' })), { code: 'outbox_full' })
  for (const _ of sends) acknowledge(peer, await peer.next())
  await Promise.all(sends)
  const fourth = realtime.sendMessage('c1', { content: '4' })
  acknowledge(peer, await peer.next())
  t.match(await fourth, { content: '4' })
})

t.test('a message that is refused for good fails alone', async (t) => {
  const { peer, realtime } = await start(t)
  const sends = Promise.allSettled(['1', '2'].map((content) => realtime.sendMessage('c1', { content })))
  refuse(peer, await peer.next(), 'not_found')
  acknowledge(peer, await peer.next())
  const [failed, stored] = await sends
  t.ok(failed?.status === 'rejected' && failed.reason instanceof NotFoundError)
  t.match(failed, { reason: { code: 'not_found', status: 404, requestId: 'r-1' } })
  t.match(stored, { value: { content: '2' } })
  const conflict = rejection(realtime.sendMessage('c1', { content: '3' }))
  refuse(peer, await peer.next(), 'conflict')
  t.ok((await conflict) instanceof ConflictError)
})

t.test('a refusal for the moment is waited out, then one command at a time is tried until the server answers again', async (t) => {
  const runtime = createTestRuntime(0.5)
  const { peer, realtime } = await start(t, { runtime })
  const sends = ['c1', 'c2', 'c3', 'c4'].map((id) => realtime.sendMessage(id, { content: id }))
  for (const code of ['rate_limit_exceeded', 'unavailable', 'rate_limit_exceeded', 'rate_limit_exceeded']) refuse(peer, await peer.next(), code)
  await runtime.expire(250)
  const first = await peer.next()
  t.equal(peer.waiting.length, 0)
  refuse(peer, first, 'rate_limit_exceeded')
  await runtime.expire(500)
  acknowledge(peer, await peer.next())
  const [second, third] = [await peer.next(), await peer.next()]
  t.equal(peer.waiting.length, 0)
  acknowledge(peer, second)
  acknowledge(peer, third)
  acknowledge(peer, await peer.next())
  t.same(
    (await Promise.all(sends)).map(({ content }) => content),
    ['c1', 'c2', 'c3', 'c4'],
  )
})

t.test('a message at which the server fails is given up after three times', async (t) => {
  const { peer, realtime } = await start(t)
  const sent = rejection(realtime.sendMessage('c1', { content: '1' }))
  for (const _ of [1, 2, 3]) refuse(peer, await peer.next(), 'internal_error')
  t.match(await sent, { code: 'internal_error', status: 500 })
})

t.test('a message that the server does not answer is sent again', async (t) => {
  const { peer, realtime, runtime } = await start(t)
  const sent = realtime.sendMessage('c1', { content: '1' })
  const first = await peer.next()
  await runtime.expire(15_000)
  const second = await peer.next()
  t.same(second, first)
  acknowledge(peer, second)
  acknowledge(peer, second)
  t.match(await sent, { content: '1' })
})

t.test('a message that does not fit into a frame is refused before it breaks the connection', async (t) => {
  const { peer, realtime } = await start(t)
  t.match(await rejection(realtime.sendMessage('c1', { content: '€'.repeat(30_000) })), { code: 'payload_too_large', status: 413 })
  const next = realtime.sendMessage('c1', { content: 'short' })
  acknowledge(peer, await peer.next())
  await next
})

t.test('what is not sent when the connection is closed fails', async (t) => {
  const { realtime } = await start(t)
  const sends = ['1', '2'].map((content) => rejection(realtime.sendMessage('c1', { content })))
  realtime.close()
  for (const error of await Promise.all(sends)) {
    t.ok(error instanceof ConnectionError)
    t.match(error, { code: 'closed' })
  }
})

t.test('a read mark that is not answered in time fails', async (t) => {
  const { peer, realtime, runtime } = await start(t)
  const mark = rejection(realtime.markRead('c1', 7))
  t.match(await peer.next(), { type: 'conversations.markRead', data: { conversationId: 'c1', seq: 7 } })
  await runtime.expire(15_000)
  t.ok((await mark) instanceof TimeoutError)
})

t.test('typing is told while there is a connection, and not kept for later', async (t) => {
  const { server, peer, realtime, runtime } = await start(t)
  const told = realtime.setTyping('c1', true)
  const frame = await peer.next('conversations.setTyping')
  t.same(frame.data, { conversationId: 'c1', typing: true })
  peer.send({ type: 'ack', id: frame.id })
  t.equal(await told, true)

  const unanswered = realtime.setTyping('c1', true)
  await runtime.expire(5_000)
  t.equal(await unanswered, false)
  await peer.next()

  const foreign = rejection(realtime.setTyping('c9', true))
  refuse(peer, await peer.next(), 'not_found')
  t.ok((await foreign) instanceof NotFoundError)

  peer.socket.terminate()
  while (realtime.state === 'ready') await new Promise(setImmediate)
  t.equal(await realtime.setTyping('c1', true), false)
  const second = await server.connection()
  second.hello({})
  await realtime.ready()
  t.equal(second.waiting.length, 0)
})

t.test('an answer that makes no sense fails its command', async (t) => {
  const { peer, realtime } = await start(t)
  const sent = rejection(realtime.sendMessage('c1', { content: '1' }))
  const { id } = await peer.next()
  peer.send({ type: 'ack', id, data: 7 })
  const error = await sent
  t.ok(error instanceof ParleyError)
  t.match(error, { code: 'unexpected_answer' })
})

async function start(t: Test, options: RealtimeOptions & { runtime?: TestRuntime } = {}) {
  const runtime = options.runtime ?? createTestRuntime()
  const server = await startSockets(t, { rest: () => ({ body: tokenPair('1') }) })
  const realtime = connect(new Parley({ baseUrl: server.baseUrl, accessToken: 'token', runtime }), options)
  t.teardown(() => realtime.close())
  const peer = await server.connection()
  peer.hello({})
  await realtime.ready()
  return { server, peer, realtime, runtime }
}

/** Answers a send with the message, a mark with the mark. */
function acknowledge(peer: Peer, { id, type, data }: ClientFrame): void {
  peer.send({ type: 'ack', id, data: type === 'conversations.markRead' ? { readSeq: data.seq, unreadCount: 0 } : { message: data } })
}

function refuse(peer: Peer, { id }: ClientFrame, code: string): void {
  peer.send({ type: 'error', id, error: { code, message: code, requestId: 'r-1', timestamp: '2026-11-20T10:00:00.000Z' } })
}

const rejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => {
      throw new Error('The call succeeded')
    },
    (error: unknown) => error,
  )
