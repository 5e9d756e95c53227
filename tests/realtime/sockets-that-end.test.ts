/** Sockets that end, or whose session does, in the moments between two steps of the server. */
// Validation knows the components that are defined before it.
import '../../openapi/document.ts'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import Fastify from 'fastify'
import pino from 'pino'
import t, { type Test } from 'tap'
import WebSocket, { WebSocketServer } from 'ws'
import type { SessionId, UserId } from '../../openapi/shared/ids.ts'
import type { Actor } from '../../src/actor.ts'
import { systemClock } from '../../src/clock.ts'
import { createCredentialEnds } from '../../src/credential-ends.ts'
import { createRateCounters } from '../../src/rate-counters.ts'
import { type CommandHandlers, createCommands } from '../../src/realtime/commands.ts'
import { Connection } from '../../src/realtime/connection.ts'
import { createGateway } from '../../src/realtime/gateway.ts'
import { serveSockets, socketPath } from '../../src/realtime/serve-sockets.ts'
import { createTopics } from '../../src/topics.ts'
import { startServer } from '../helpers/server.ts'

const { topics, services } = (await startServer(t)).app
const log = pino({ level: 'silent' })
const noLimits = { auth: undefined, default: undefined, messages: undefined, uploads: undefined, public: undefined, sockets: undefined }

const actorUntil = (expiresAt: number): Actor => ({
  userId: crypto.randomUUID() as UserId,
  kind: 'session',
  credentialId: crypto.randomUUID() as SessionId,
  role: 'user',
  expiresAt,
})
const actor = actorUntil(Date.now() + 60_000)

function startGateway() {
  const clock = systemClock
  const commands = createCommands({ ...services, counters: createRateCounters({ limits: noLimits, clock }) })
  const presence = { opened() {}, closed() {} }
  return createGateway({
    topics,
    onCredentialEnd: createCredentialEnds({ topics, clock, log, checkCredentials: services.checkCredentials }).onEnd,
    sync: services.sync,
    commands,
    presence,
    clock,
    log,
    heartbeatSeconds: 25,
  })
}

/** Both ends of a socket whose handshake is done. */
async function openPair(t: Test) {
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const sockets = new WebSocketServer({ server: http })
  t.teardown(() => http.close())
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  const [[socket, request]] = await Promise.all([once(sockets, 'connection'), once(client, 'open')])
  return { client, socket: socket as WebSocket, raw: request.socket as Socket }
}

t.test('waiting for the end of a socket that has ended is over at once', async (t) => {
  const { client, socket, raw } = await openPair(t)
  const connection = new Connection(socket, { raw, actor, requestId: 'one' }, new Date())
  client.terminate()
  await once(socket, 'close')
  await connection.closeAndWait('going_away')
  t.notOk(connection.isOpen)
})

t.test('a socket whose handshake ends while the server closes is sent away, and nonsense that it says then harms nobody', async (t) => {
  const gateway = startGateway()
  const [early, late] = [await openPair(t), await openPair(t)]
  gateway.accept(early.socket, { raw: early.raw, actor, requestId: 'early' })
  let closed = false
  const closing = gateway.close().then(() => {
    closed = true
  })
  gateway.accept(late.socket, { raw: late.raw, actor, requestId: 'late' })
  t.equal(gateway.size, 2)
  // Not `once`, which would listen for errors too.
  const ended = new Promise((resolve) => late.socket.on('close', resolve))
  const told = once(late.client, 'close')
  Reflect.get(late.client, '_socket').write(Buffer.from([0xff, 0xff, 0xff]))
  await ended
  t.equal((await told)[0], 1001)
  await closing
  t.same([closed, gateway.size], [true, 0])
})

t.test('a session that is revoked during the handshake has no socket', async (t) => {
  const gateway = startGateway()
  let revoked = false
  const app = Fastify()
  app.decorateRequest('actor', undefined)
  await serveSockets(app, {
    upgrades: app.server,
    gateway,
    identify: () => actor,
    isRevoked: () => revoked,
    rateLimit: () => [
      async () => {
        revoked = true
      },
    ],
  })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const client = new WebSocket(`ws://127.0.0.1:${port}${socketPath}?token=good`)
  const [code, reason] = await once(client, 'close')
  t.same([code, String(reason)], [4401, 'unauthorized'])
  t.equal(gateway.size, 0)
})

t.test('the end of a session is told once: when it is revoked or when the token expires, unless nobody waits any more', async (t) => {
  let ahead = 0
  const own = createTopics({ log })
  const clock = { now: () => new Date(Date.now() + ahead) }
  const { onEnd: onCredentialEnd } = createCredentialEnds({ topics: own, clock, log, checkCredentials: services.checkCredentials })
  const heard: string[] = []
  const [revoked, expired, gone] = [actorUntil(Date.now() + 60_000), actorUntil(Date.now() + 90_000), actorUntil(Date.now() + 60_000)]
  const revoke = ({ credentialId }: Actor) => own.publish('credential', credentialId, { type: 'credential.revoked', credentialId })
  onCredentialEnd(revoked, () => heard.push('revoked'))
  const expiry = new Promise<void>((resolve) => {
    onCredentialEnd(expired, () => {
      heard.push('expired')
      resolve()
    })
  })
  onCredentialEnd(gone, () => heard.push('gone'))()
  for (const one of [revoked, gone, revoked]) revoke(one)
  t.same(heard, ['revoked'])
  ahead = 120_000
  const alive = setTimeout(() => undefined, 10_000)
  await expiry
  clearTimeout(alive)
  revoke(expired)
  t.same(heard, ['revoked', 'expired'])
})

t.test('a command of the contract without a handler, or with one for other data, does not compile', async (t) => {
  const handler = async () => undefined
  // @ts-expect-error `conversations.setTyping` is missing
  const missing: CommandHandlers = { 'conversations.sendMessage': handler, 'conversations.markRead': handler }
  const mistyped: Pick<CommandHandlers, 'conversations.markRead'> = {
    // @ts-expect-error `seq` is a number
    'conversations.markRead': async (_actor, { seq }: { seq: string }) => seq,
  }
  t.ok(missing && mistyped)
})
