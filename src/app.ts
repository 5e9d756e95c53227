/** The whole server, composed in order; `composition/` has the parts of it that are many. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { allOperations } from '../openapi/document.ts'
import * as systemOperations from '../openapi/system/operations.ts'
import { type Clock, systemClock } from './clock.ts'
import { layFoundation } from './composition/foundation.ts'
import { bindServices } from './composition/routes.ts'
import { composeServices } from './composition/services.ts'
import type { Config } from './config.ts'
import { createCredentialEnds } from './credential-ends.ts'
import type { Database } from './db/client.ts'
import { type PresenceTimes, usualPresenceTimes } from './features/presence/attendance.ts'
import { systemRoutes } from './features/system/routes.ts'
import { createIdentify, identifyHook } from './http/authenticate.ts'
import { addComponents, bindOperations } from './http/bind-operations.ts'
import { createSendContent, type DownloadLimits, usualDownloadLimits } from './http/content.ts'
import { createCsrfCheck, createOriginCheck } from './http/csrf.ts'
import { createPublicDocuments, serveDocs } from './http/docs.ts'
import { handleErrors } from './http/error-handler.ts'
import { type FormTimes, usualFormTimes } from './http/multipart.ts'
import { createRateLimit } from './http/rate-limit.ts'
import { createServer } from './http/server.ts'
import { createSessionCookie } from './http/session-cookie.ts'
import { routeUpgrades } from './http/upgrades.ts'
import { createMetrics } from './metrics.ts'
import { isLoopbackHost } from './oauth-config.ts'
import { createRateCounters } from './rate-counters.ts'
import { createCommands } from './realtime/commands.ts'
import { createGateway } from './realtime/gateway.ts'
import { serveSockets, socketPath } from './realtime/serve-sockets.ts'

interface Options {
  config: Config & { jwtSecret: string }
  database: Database
  log: FastifyBaseLogger
  clock?: Clock
  heartbeatSeconds?: number
  presenceTimes?: PresenceTimes
  formTimes?: FormTimes
  downloadLimits?: DownloadLimits
}

/** Everything but listening. `server.close()` answers what is under way, sends the sockets away and ends the jobs; the database stays open. */
export async function buildApp(options: Options) {
  const { config, database, log, clock = systemClock, heartbeatSeconds = 25, presenceTimes = usualPresenceTimes } = options
  const { formTimes = usualFormTimes, downloadLimits = usualDownloadLimits } = options
  const foundation = await layFoundation({ config, database, log, clock })
  const { topics, bus, liveBus, jobs } = foundation
  const counters = createRateCounters({ limits: config.rateLimits, clock })
  const server = await createServer({ config, clock, log })
  const publicUrl = () => config.publicUrl ?? `http://localhost:${portOf(server) ?? config.port}`

  const metrics = createMetrics({ pool: database.pool, socketCount: () => gateway.size })
  const services = await composeServices(foundation, { presenceTimes, publicUrl, onMessage: metrics.countMessage })
  const { accessTokens, apiKeys, cookieSessions, passwords, revocations, checkCredentials, attendance, erasure, messages, conversations, receipts, sync } =
    services
  const credentialEnds = createCredentialEnds({ topics, clock, log, checkCredentials })
  const commands = createCommands({ messages, conversations, receipts, counters })
  const gateway = createGateway({ topics, onCredentialEnd: credentialEnds.onEnd, sync, commands, presence: attendance, clock, log, heartbeatSeconds })
  database.onRecovered(topics.publishStale)
  database.onRecovered(credentialEnds.reload)
  bus.onGap(credentialEnds.reload)

  const isSecure = isReachedSecurely(config)
  const cookie = createSessionCookie({ isSecure, clock })
  const isOfAllowedOrigin = createOriginCheck({ ...config, isSecure })
  const credentials = { accessToken: accessTokens.verify, apiKey: apiKeys.verify, cookie: cookieSessions.verify }
  const identify = createIdentify({ credentials, cookie, isForgeable: createCsrfCheck(isOfAllowedOrigin) })
  const rateLimit = await createRateLimit(server, { counters, clock })
  const hooks = { uploadMaxBytes: config.uploadMaxBytes, formTimes, identify: identifyHook(identify), rateLimit }
  const documents = await createPublicDocuments(publicUrl)
  const checks = { database: database.ping, jobs: jobs.isUp, bus: () => liveBus.isUp() && bus.isUp(), storage: foundation.objects.ping }
  handleErrors(server, { clock, operations: allOperations })
  addComponents(server)
  bindServices(server, { services, hooks, sendContent: createSendContent(downloadLimits), cookie, isSecure, isOfAllowedOrigin })
  bindOperations(server, hooks, systemOperations, systemRoutes({ environment: config.environment, clock, documents, metricsText: metrics.text, checks }))
  await serveDocs(server, documents)

  const upgrades = routeUpgrades(server.server)
  await serveSockets(server, { upgrades: upgrades.at(socketPath), gateway, identify, isRevoked: revocations.has, rateLimit: hooks.rateLimit })
  server.addHook('onResponse', (request, reply, done) => {
    metrics.countRequest(request.method, request.routeOptions.url, reply)
    done()
  })
  const ends = [
    attendance.stop,
    erasure.start(),
    services.retention.start(),
    jobs.stop,
    liveBus.close,
    bus.close,
    passwords.close,
    async () => revocations.close(),
    async () => credentialEnds.close(),
  ]
  for (const end of ends) server.addHook('onClose', end)
  return { server, topics, services }
}

/** Undefined until it listens. */
function portOf(server: FastifyInstance): number | undefined {
  const [address] = server.addresses()
  return typeof address === 'object' ? address.port : undefined
}

/** Whether browsers reach it over https: in production they must, but on this very machine. */
function isReachedSecurely({ publicUrl, environment }: Config): boolean {
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  if (environment === 'production') return url === undefined || url.protocol === 'https:' || !isLoopbackHost(url.hostname)
  return url?.protocol === 'https:'
}
