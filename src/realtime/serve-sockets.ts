/** `GET /v1/ws`: who may open a socket, and by which of three ways the token comes. */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { CredentialId } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'
import { apiKeyPrefix, bearerToken, type Identify, identifyHook, requireAccess } from '../http/authenticate.ts'
import type { RequestHooks } from '../http/bind-operations.ts'
import { closeSocket } from './connection.ts'
import { type Gateway, maximumFrameBytes } from './gateway.ts'

interface Options {
  /** What emits the upgrades of this path. */
  upgrades: EventEmitter
  gateway: Gateway
  identify: Identify
  isRevoked(credentialId: CredentialId): boolean
  rateLimit: RequestHooks['rateLimit']
}

export const socketPath = '/v1/ws'
const subprotocol = 'parley.v1'

export async function serveSockets(app: FastifyInstance, { upgrades, gateway, identify, isRevoked, rateLimit }: Options): Promise<void> {
  await app.register(websocket, {
    options: {
      // The plugin listens for upgrades and nothing else, so an emitter of them is server enough.
      server: upgrades as unknown as Server,
      maxPayload: maximumFrameBytes,
      perMessageDeflate: false,
      clientTracking: false,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    },
    // Sockets are the gateway's; Fastify would wait for them after this.
    preClose: (done) => {
      gateway.close().then(() => done(), done)
    },
  })

  const responses = new WeakMap<IncomingMessage, ServerResponse>()
  app.route({
    method: 'GET',
    url: socketPath,
    onRequest: [identifyHook(identify, socketToken), ...rateLimit('sockets'), requireAccess({ access: 'user', method: 'GET' })],
    preHandler: (request, reply, done) => {
      requireKnownStart(request)
      responses.set(request.raw, reply.raw)
      done()
    },
    handler: async (_request, reply) => {
      reply.header('upgrade', 'websocket')
      throw new AppError('upgrade_required')
    },
    wsHandler: (socket, request) => {
      const { actor } = request
      // It may have been since the handshake began.
      if (actor === undefined || isRevoked(actor.credentialId)) return closeSocket(socket, 'unauthorized')
      request.log.info({ userId: actor.userId }, 'socket')
      // The stream holds the response, and the plugin's listener the request: left there they would live as long as the socket and be
      // half of its memory.
      responses.get(request.raw)?.detachSocket(request.socket)
      socket.removeAllListeners('error')
      gateway.accept(socket, { raw: request.socket, actor, requestId: request.id, startsEmpty: startOf(request) === 'none' })
    },
  })
}

const startOf = (request: FastifyRequest): unknown => (request.query as { subscribe?: unknown }).subscribe

/** @throws `validation_error` for what would be taken for all conversations. */
function requireKnownStart(request: FastifyRequest): void {
  const start = startOf(request)
  if (start === undefined || start === 'none') return
  throw new AppError('validation_error', undefined, { details: [{ field: 'query.subscribe', reason: "must be 'none', or left out" }] })
}

/** Browsers cannot set headers on a socket: they name the token among the subprotocols, or in the query, which is no place for an API key: addresses end up in logs. */
function socketToken(request: FastifyRequest): string | undefined {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? []
  const { token } = request.query as { token?: unknown }
  return (
    bearerToken(request) ??
    offered.find((protocol) => protocol.startsWith('bearer.'))?.slice('bearer.'.length) ??
    (typeof token === 'string' && !token.startsWith(apiKeyPrefix) ? token : undefined)
  )
}
