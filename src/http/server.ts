/** The bare Fastify instance as the house wants it: parsers, headers, request ids, the one log line per request. Routes come later, in app.ts. */
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import helmet from 'helmet'
import { contentHeaders } from '../../openapi/shared/content.ts'
import { paginationHeaders } from '../../openapi/shared/pagination.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { AppError } from '../errors/app-error.ts'
import { refusalOfEncoding } from './content-encoding.ts'
import { badRequestBytes, sendError } from './error-handler.ts'
import { acceptForms } from './multipart.ts'
import { endUnread } from './unread-bodies.ts'

const bodyLimitBytes = 1_048_576

export async function createServer({ config, clock, log }: { config: Config; clock: Clock; log: FastifyBaseLogger }): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: log,
    // One line per request is ours, below.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    requestIdHeader: false,
    genReqId: (request) => acceptedRequestId(request.headers['x-request-id']) ?? randomUUID(),
    bodyLimit: bodyLimitBytes,
    // What an emoji of the contract's length takes: its characters may be of two units each.
    routerOptions: { maxParamLength: 128 },
    // Clients that offer HTTP/2 this way (Java's, curl's) are content with an answer in HTTP/1.1. Node 22 before 22.21 does not ask.
    http: { shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket' },
    // Hop 0 is the peer itself.
    trustProxy: (_address, hop) => hop < config.trustProxy,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply, clock)
    },
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(badRequestBytes(error, clock.now()))
      else socket.destroy()
    },
  })

  acceptJsonOnly(app)
  await acceptForms(app)
  app.decorateRequest('actor', undefined)
  app.decorateRequest('csrfRejected', false)
  const sameForAll = securityHeaders()
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(sameForAll).header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply)
    endUnread(request.raw)
    done()
  })
  await app.register(cookie)
  await app.register(cors, {
    origin: config.corsOrigins.includes('*') ? '*' : config.corsOrigins,
    // Cookies go to origins that are named: browsers take none with `*`.
    credentials: !config.corsOrigins.includes('*') && config.corsOrigins.length > 0,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'X-Request-Id',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'Retry-After',
      ...Object.keys(contentHeaders),
      ...Object.keys(paginationHeaders),
    ],
    maxAge: 600,
    // An OPTIONS that no browser sent gets the same answer, and not an error of another shape.
    strictPreflight: false,
  })
  return app
}

/** What every answer bears; that of helmet is made once: put together anew for each they cost more than the rest of the headers. */
function securityHeaders(): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  const contentSecurityPolicy = { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }, useDefaults: false }
  helmet({ contentSecurityPolicy })(request, response, () => undefined)
  // What is for one reader only is kept by nobody on the way (RFC 6749, section 5.1); what may be kept says so itself.
  return { ...(response.getHeaders() as Record<string, string>), 'cache-control': 'no-store' }
}

/** Clients may bring an id of their own; what could break a log line or a header is replaced. */
function acceptedRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
}

function acceptJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const refusal = refusalOfEncoding(request)
    // Many clients name the type also where they send nothing.
    if (body.length === 0) done(null, undefined)
    else if (refusal !== undefined) done(refusal, undefined)
    // JSON is UTF-8 (RFC 8259, section 8.1): what is not would be stored as something else than was sent.
    else if (!isUtf8(body as Buffer)) done(new AppError('malformed_json', 'The body is not UTF-8.'), undefined)
    else void parseJson(request, body.toString(), done)
  })
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  request.log.info(
    {
      method: request.method,
      // The pattern, not the URL: a query may hold a token.
      route: request.routeOptions.url ?? null,
      status: reply.statusCode,
      durationMilliseconds: Math.round(reply.elapsedTime * 10) / 10,
      ...(request.actor && { userId: request.actor.userId }),
    },
    'request',
  )
}
