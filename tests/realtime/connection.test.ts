/** What one socket may do and what ends it, also in the hands of a client that means no good. */
import { connect, type Socket as RawSocket } from 'node:net'
import pino from 'pino'
import t from 'tap'
import WebSocket from 'ws'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { type ReceivedFrame, startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>
type Socket = Awaited<ReturnType<TestServer['socket']>>

const server = await startServer(t)

async function createGroup(owner: Person, ...members: Person[]): Promise<ConversationId> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id) })
  return conversation.id as ConversationId
}

const sendCommand = (conversationId: string, content: string, id?: string | number) => ({
  type: 'conversations.sendMessage',
  ...(id !== undefined && { id }),
  data: { conversationId, content },
})

const answerTo = (socket: Socket, id: string | number): Promise<ReceivedFrame> => socket.frame((frame) => frame.id === id)

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The stream below a client's socket, for a client that stops reading. */
function rawOf({ socket }: Socket): RawSocket {
  if (!('_socket' in socket)) throw new Error('The package ws keeps the stream elsewhere now')
  return socket._socket as RawSocket
}

t.test('a socket is opened with a good token', async (t) => {
  const alice = await server.signUp()
  const url = `${server.url.replace('http', 'ws')}/v1/ws`
  const attempt = (path: string, protocols: string[], headers = {}) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(path, protocols, { headers })
      socket.on('unexpected-response', (_request, { statusCode, headers }) => resolve(`${statusCode} ${headers['content-type']}`))
      socket.on('message', (data) => {
        resolve(`${JSON.parse(String(data)).type} ${socket.protocol}`)
        socket.close()
      })
      socket.on('error', () => undefined)
    })
  const token = alice.accessToken
  t.equal(await attempt(`${url}?token=${token}`, []), 'hello ')
  t.equal(await attempt(url, [], { authorization: `Bearer ${token}` }), 'hello ')
  t.equal(await attempt(url, ['parley.v1', `bearer.${token}`]), 'hello parley.v1')
  const refused = '401 application/json; charset=utf-8'
  t.equal(await attempt(url, []), refused)
  t.equal(await attempt(`${url}?token=${token}x`, []), refused)
  t.equal(await attempt(url, ['parley.v1', `bearer.${token.slice(0, -4)}`]), refused)
  t.equal(await attempt(`${url}?subscribe=none`, ['parley.v1', `bearer.${token}`]), 'hello parley.v1')
  t.equal(await attempt(`${url}?subscribe=xyz`, ['parley.v1', `bearer.${token}`]), '400 application/json; charset=utf-8')
  t.equal((await server.request('GET', '/v1/ws', { token })).status, 426)
})

t.test('commands', async (t) => {
  t.test('that bear an id are answered under it, those without are answered only when they fail', async (t) => {
    const [alice, bob] = [await server.signUp(), await server.signUp()]
    const [id, others] = [await createGroup(alice), await createGroup(bob)]
    const socket = await server.socket(alice.accessToken)
    socket.send(sendCommand(id, 'quiet'))
    socket.send({ type: 'conversations.setTyping', data: { conversationId: id, typing: true } })
    socket.send(sendCommand(id, 'text', 'a word'))
    socket.send(sendCommand(id, 'number', 7))
    socket.send(sendCommand(others, 'stranger', 'not mine'))
    socket.send(sendCommand(others, 'stranger'))
    socket.send({ type: 'conversations.markRead', id: 'mark', data: { conversationId: others, seq: 1 } })
    socket.send({ type: 'conversations.setTyping', id: 'type', data: { conversationId: others, typing: true } })
    socket.send({ type: 'resume', id: 'resume', data: { cursors: {} } })
    socket.send({ type: 'ping', id: 'ping', data: {} })
    t.match(await answerTo(socket, 'a word'), { type: 'ack', data: { message: { seq: 2, content: 'text' } } })
    t.match(await answerTo(socket, 7), { type: 'ack', data: { message: { seq: 3, content: 'number' } } })
    for (const command of ['not mine', 'mark', 'type'])
      t.match(await answerTo(socket, command), { type: 'error', error: { code: 'not_found', requestId: /^[\w-]{8,}$/ } })
    for (const command of ['resume', 'ping']) t.same(await answerTo(socket, command), { type: 'ack', id: command })
    // Commands are carried out beside each other, so this one may be answered last.
    t.match(await socket.frame(({ type, id }) => type === 'error' && id === undefined), { error: { code: 'not_found' } })
    t.equal(socket.frames.filter(({ type, id }) => type === 'error' && id === undefined).length, 1)
    t.equal(socket.frames.filter(({ type }) => type === 'ack').length, 4)
  })

  t.test('more than may be under way at once are all carried out and answered, in the order of arrival', async (t) => {
    const alice = await server.signUp()
    const id = await createGroup(alice)
    const socket = await server.socket(alice.accessToken)
    for (const number of range(1, 2_000)) socket.send(sendCommand(id, String(number), number))
    await answerTo(socket, 2_000)
    const acks = socket.frames.filter(({ type }) => type === 'ack')
    t.same(
      acks.map(({ id, data }) => [id, data.message.seq, data.message.content]),
      range(1, 2_000).map((number) => [number, number, String(number)]),
    )
  })

  t.test('that are none are refused with what is wrong, and under their id where it can be read', async (t) => {
    const alice = await server.signUp()
    const id = await createGroup(alice)
    const socket = await server.socket(alice.accessToken)
    const refusals: [unknown, string, (string | number)?][] = [
      ['', 'malformed_json'],
      ['{', 'malformed_json'],
      ['\u0000', 'malformed_json'],
      ['null', 'validation_error'],
      ['[]', 'validation_error'],
      ['"ping"', 'validation_error'],
      [`${'['.repeat(30_000)}${']'.repeat(30_000)}`, 'validation_error'],
      [{ type: 'ping', id: 'a' }, 'validation_error', 'a'],
      [{ type: 'ping', id: 'b', data: {}, more: 1 }, 'validation_error', 'b'],
      [{ type: 'ping', id: 'x'.repeat(65), data: {} }, 'validation_error'],
      [{ type: 'ping', id: 1.5, data: {} }, 'validation_error'],
      [{ type: 'hello', id: 'c', data: {} }, 'validation_error', 'c'],
      [{ type: { toString: null }, id: 'd', data: {} }, 'validation_error', 'd'],
      [{ type: ['ping'], id: 'e', data: {} }, 'validation_error', 'e'],
      [{ type: '__proto__', id: 'f', data: {} }, 'validation_error', 'f'],
      [{ type: 'conversations.sendMessage', id: 'g', data: { conversationId: id, content: '' } }, 'validation_error', 'g'],
      [{ type: 'conversations.sendMessage', id: 'h', data: { conversationId: 'x', content: 'a' } }, 'validation_error', 'h'],
      [{ type: 'conversations.sendMessage', id: 'i', data: { conversationId: id.toUpperCase(), content: 'a' } }, 'validation_error', 'i'],
      [{ type: 'conversations.markRead', id: 'j', data: { conversationId: id, seq: -1 } }, 'validation_error', 'j'],
      [{ type: 'resume', id: 'k', data: { cursors: { [id]: '3' } } }, 'validation_error', 'k'],
      [`{"type":"resume","id":"l","data":{"cursors":{"__proto__":1}}}`, 'malformed_json', 'l'],
      [`{"type":"ping","id":"m","data":{"constructor":{"prototype":1}}}`, 'malformed_json', 'm'],
    ]
    for (const [frame, code, commandId] of refusals) {
      const from = socket.frames.length
      socket.send(frame)
      const { error, ...answer } = await socket.frame(({ type }) => type === 'error', from)
      t.same([answer, error?.code], [{ type: 'error', ...(commandId !== undefined && { id: commandId }) }, code], JSON.stringify(frame).slice(0, 80))
      socket.send({ type: 'ping', data: {} })
    }
    const from = socket.frames.length
    socket.socket.send(Buffer.from(JSON.stringify(sendCommand(id, 'binary', 'binary'))), { binary: true })
    t.match(await socket.frame(({ type }) => type === 'error', from), { error: { code: 'malformed_json', message: /text frame/ } }, 'binary frames are none')
    t.equal((await alice.api.conversations.get(id)).conversation.lastSeq, 0)
  })
})

t.test('keys that reach for a prototype are refused as over REST, words like them are not', async (t) => {
  const alice = await server.signUp()
  const id = await createGroup(alice)
  const socket = await server.socket(alice.accessToken)
  for (const metadata of ['{"__proto__":"x"}', '{"\\u005f_proto__":"x"}', '{"constructor":{"prototype":1}}']) {
    const data = `{"content":"hi","metadata":${metadata}}`
    const headers = { 'content-type': 'application/json' }
    const { json } = await server.request('POST', `/v1/conversations/${id}/messages`, { token: alice.accessToken, body: data, headers })
    socket.send(`{"type":"conversations.sendMessage","id":${JSON.stringify(metadata)},"data":{"conversationId":"${id}",${data.slice(1)}}`)
    t.match(await answerTo(socket, metadata), { type: 'error', error: { code: 'malformed_json' } })
    t.equal(json.error.code, 'malformed_json')
  }
  const kept = { content: '"__proto__": and constructor', metadata: { constructor: 'x', prototype: 1 } }
  socket.send({ type: 'conversations.sendMessage', id: 'words', data: { conversationId: id, ...kept } })
  t.match((await answerTo(socket, 'words')).data, { message: kept })
})

t.test('a command that fails is found in the log by what its answer says', async (t) => {
  const lines: string[] = []
  const logged = await startServer(t, { log: pino({ level: 'warn' }, { write: (line) => void lines.push(line) }) })
  const alice = await logged.signUp()
  const id = await createGroup(alice)
  const socket = await logged.socket(alice.accessToken)
  await logged.database.pool.query('alter table members rename column read_seq to elsewhere')
  socket.send({ type: 'conversations.markRead', id: 1, data: { conversationId: id, seq: 1 } })
  const { error } = await answerTo(socket, 1)
  t.match(error, { code: 'internal_error', requestId: /^[\w-]{8,}$/ })
  const found = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'A command failed unexpectedly')
  t.match(found, [{ ...(error && 'requestId' in error && { requestId: error.requestId }), userId: alice.id, command: 'conversations.markRead' }])
})

t.test('what ends a socket', async (t) => {
  t.test('frames that are no commands, unless as many that are commands make up for them: 4400', async (t) => {
    const alice = await server.signUp()
    const socket = await server.socket(alice.accessToken)
    for (const _ of range(1, 60)) {
      socket.send('nonsense')
      socket.send({ type: 'ping', data: {} })
    }
    for (const _ of range(1, 49)) socket.send('nonsense')
    socket.send({ type: 'ping', id: 'borne', data: {} })
    t.match(await answerTo(socket, 'borne'), { type: 'ack' })
    for (const _ of range(1, 3)) socket.send('nonsense')
    t.same(await socket.closed, { code: 4400, reason: 'bad_frames' }, 'a command now and then does not make up for many that are none')
  })

  t.test('frames that are no commands count as well', async (t) => {
    const limited = await startServer(t, { env: { RATE_LIMIT_DEFAULT: '5/1m' } })
    const alice = await limited.signUp()
    const socket = await limited.socket(alice.accessToken)
    for (const frame of ['{', 'nonsense', { type: 'hello', data: {} }, { type: 'ping', data: 1 }, []]) socket.send(frame)
    socket.send({ type: 'ping', id: 'sixth', data: {} })
    t.match(await answerTo(socket, 'sixth'), { type: 'error', error: { code: 'rate_limit_exceeded' } })
  })

  t.test('a frame longer than hello allows: 1009; just as long it is read', async (t) => {
    const alice = await server.signUp()
    const socket = await server.socket(alice.accessToken)
    const { maxFrameBytes } = socket.frames[0]?.data ?? {}
    socket.send('x'.repeat(maxFrameBytes))
    t.match(await socket.frame(({ type }) => type === 'error'), { error: { code: 'malformed_json' } })
    socket.send('x'.repeat(maxFrameBytes + 1))
    t.equal((await socket.closed).code, 1009)
  })

  t.test('commands beyond the limit are refused, those over REST counted with them, and too many end it: 4429', async (t) => {
    const limited = await startServer(t, { env: { RATE_LIMIT_MESSAGES: '3/1m', RATE_LIMIT_DEFAULT: '60/1m' } })
    const alice = await limited.signUp()
    const id = await createGroup(alice)
    const [socket, other] = [await limited.socket(alice.accessToken), await limited.socket(alice.accessToken)]
    await alice.api.conversations.sendMessage(id, { content: 'over REST' })
    socket.send(sendCommand(id, 'one socket', 'first'))
    other.send(sendCommand(id, 'another socket', 'second'))
    t.equal((await Promise.all([answerTo(socket, 'first'), answerTo(other, 'second')])).filter(({ type }) => type === 'ack').length, 2)
    socket.send(sendCommand(id, 'too many', 'third'))
    t.match(await answerTo(socket, 'third'), { type: 'error', error: { code: 'rate_limit_exceeded' } })
    const { status } = await limited.request('POST', `/v1/conversations/${id}/messages`, { token: alice.accessToken, body: { content: 'too many' } })
    t.equal(status, 429)
    socket.send({ type: 'conversations.markRead', id: 'mark', data: { conversationId: id, seq: 3 } })
    t.match(await answerTo(socket, 'mark'), { type: 'ack' }, 'another class has its own limit')
    for (const _ of range(1, 60)) socket.send(sendCommand(id, 'flood'))
    t.same(await socket.closed, { code: 4429, reason: 'rate_limit_exceeded' })
    t.equal((await alice.api.conversations.get(id)).conversation.lastSeq, 3)
  })

  t.test('a session that is revoked: 4401 at once, for its sockets alone, and what they still say is not heard', async (t) => {
    const alice = await server.signUp()
    const phone = server.client()
    await phone.auth.requestCode({ email: alice.email })
    const { accessToken } = await phone.auth.verifyEmail({ email: alice.email, code: '000000' })
    const id = await createGroup(alice)
    const [own, deaf, other] = [await server.socket(accessToken), await server.socket(accessToken), await server.socket(alice.accessToken)]
    rawOf(deaf).pause()
    await phone.auth.logout()
    t.same(await own.closed, { code: 4401, reason: 'unauthorized' })
    deaf.send(sendCommand(id, 'I am still here'))
    other.send(sendCommand(id, 'so am I', 'other'))
    t.match(await answerTo(other, 'other'), { type: 'ack', data: { message: { seq: 1 } } })
    rawOf(deaf).resume()
    t.equal((await deaf.closed).code, 4401)
    t.equal((await alice.api.conversations.get(id)).conversation.lastSeq, 1)
  })

  t.test('a token that expires: 4401', async (t) => {
    let ahead = 0
    const dated = await startServer(t, { clock: { now: () => new Date(Date.now() + ahead) } })
    const alice = await dated.signUp()
    const socket = await dated.socket(alice.accessToken)
    ahead = 14 * 60_000
    const bob = await dated.signUp()
    const younger = await dated.socket(bob.accessToken)
    ahead = 16 * 60_000
    t.same(await socket.closed, { code: 4401, reason: 'unauthorized' })
    younger.send({ type: 'ping', id: 1, data: {} })
    t.match(await answerTo(younger, 1), { type: 'ack' })
  })

  t.test('a ping that is not answered; one that is keeps it open', async (t) => {
    const brisk = await startServer(t, { heartbeatSeconds: 1 })
    const alice = await brisk.signUp()
    const socket = await brisk.socket(alice.accessToken)
    const { hostname, port } = new URL(brisk.url)
    const silent = connect(Number(port), hostname)
    const ended = new Promise((resolve) => silent.on('close', resolve))
    let received = Buffer.alloc(0)
    silent.on('data', (data) => {
      received = Buffer.concat([received, data])
    })
    silent.on('error', () => undefined)
    silent.write(
      `GET /v1/ws?token=${alice.accessToken} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    await ended
    t.match(received.toString('latin1'), /101 Switching Protocols[\s\S]*hello/)
    t.ok(received.includes(Buffer.from([0x89, 0x00])), 'it was pinged')
    socket.send({ type: 'ping', id: 1, data: {} })
    t.match(await answerTo(socket, 1), { type: 'ack' })
  })

  t.test('not reading: 4408, while others are served and little is kept', async (t) => {
    const [alice, bob] = [await server.signUp(), await server.signUp()]
    const id = await createGroup(alice, bob)
    const writer = await server.socket(alice.accessToken)
    const [slow, reader] = [await server.socket(bob.accessToken), await server.socket(bob.accessToken)]
    rawOf(slow).pause()
    const content = '🙂'.repeat(10_000)
    const memory = process.memoryUsage.rss()
    for (const number of range(1, 400)) {
      writer.send(sendCommand(id, content, number))
      if (number % 25 === 0) await answerTo(writer, number)
    }
    await reader.frame(({ changeSeq }) => changeSeq === 403)
    t.same(
      reader.frames.map(({ changeSeq }) => changeSeq).filter((number) => number !== undefined),
      range(4, 403),
    )
    t.comment(`${Math.round((process.memoryUsage.rss() - memory) / 1e6)} MB more in use, for server and clients together`)
    rawOf(slow).resume()
    const { code } = await slow.closed
    t.ok([4408, 1006].includes(code), `${code}: the close frame, or its absence when nobody read it in time`)
    t.ok(slow.frames.length < 400)

    const again = await server.socket(bob.accessToken)
    const last = slow.frames.at(-1)?.changeSeq ?? 3
    again.send({ type: 'resume', data: { cursors: { [id]: last } } })
    await again.frame(({ type }) => type === 'ready')
    t.same(
      again.frames.map(({ changeSeq }) => changeSeq).filter((number) => number !== undefined),
      range(last + 1, 403),
      'a resume brings the rest',
    )
  })
})

t.test('a server that closes answers what it has read, then sends everybody away with 1001', async (t) => {
  const database = await createTestDatabase()
  t.teardown(() => database.drop())
  const [closing, staying] = [await startServer(t, { databaseUrl: database.url }), await startServer(t, { databaseUrl: database.url })]
  const [alice, bob] = [await closing.signUp(), await closing.signUp()]
  const id = await createGroup(alice, bob)
  const [socket, listener] = [await closing.socket(alice.accessToken), await closing.socket(bob.accessToken)]
  const lock = await staying.database.pool.connect()
  await lock.query('begin')
  await lock.query('select from conversations where id = $1 for update', [id])
  for (const number of range(1, 30)) socket.send(sendCommand(id, String(number), number))
  for (let waiting = false; !waiting; ) {
    waiting = (await staying.database.pool.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rowCount === 1
  }
  const stopped = closing.stop()
  await lock.query('commit')
  lock.release()
  t.same(await Promise.all([socket.closed, listener.closed]), Array(2).fill({ code: 1001, reason: 'going_away' }))
  await stopped
  t.same(
    socket.frames.filter(({ type }) => type === 'ack').map((frame) => frame.id),
    range(1, 30),
  )
  const { json } = await staying.request('GET', `/v1/conversations/${id}`, { token: bob.accessToken })
  t.equal(json.conversation.lastSeq, 30)
})
