/** The whole server, composed: the one file that knows every part. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import * as apiKeyOperations from '../openapi/api-keys/operations.ts'
import * as oauthOperations from '../openapi/auth/oauth-operations.ts'
import * as authOperations from '../openapi/auth/operations.ts'
import * as conversationOperations from '../openapi/conversations/operations.ts'
import { allOperations } from '../openapi/document.ts'
import * as messageOperations from '../openapi/messages/operations.ts'
import * as syncOperations from '../openapi/sync/operations.ts'
import * as systemOperations from '../openapi/system/operations.ts'
import { type Clock, newId, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createCredentialEnds } from './credential-ends.ts'
import type { Database } from './db/client.ts'
import { createEventBus, type EventBus } from './event-bus.ts'
import { createApiKeyRepository } from './features/api-keys/repository.ts'
import { apiKeyRoutes } from './features/api-keys/routes.ts'
import { createApiKeyService } from './features/api-keys/service.ts'
import { createAccessTokens } from './features/auth/access-tokens.ts'
import { createCodeRepository } from './features/auth/code-repository.ts'
import { createCodes } from './features/auth/codes.ts'
import { deriveKey } from './features/auth/keys.ts'
import { createOAuthRepository } from './features/auth/oauth-repository.ts'
import { oauthRoutes } from './features/auth/oauth-routes.ts'
import { createOAuthService } from './features/auth/oauth-service.ts'
import { createPasswords } from './features/auth/passwords.ts'
import { createRevocations } from './features/auth/revocations.ts'
import { authRoutes } from './features/auth/routes.ts'
import { createAuthService } from './features/auth/service.ts'
import { createSessionRepository } from './features/auth/session-repository.ts'
import { createSessions } from './features/auth/sessions.ts'
import { createSignIn } from './features/auth/sign-in.ts'
import { createConversationRepository } from './features/conversations/repository.ts'
import { conversationRoutes } from './features/conversations/routes.ts'
import { createConversationService } from './features/conversations/service.ts'
import { createMessageRepository } from './features/messages/repository.ts'
import { messageRoutes } from './features/messages/routes.ts'
import { createMessageService } from './features/messages/service.ts'
import { createSecurityRepository } from './features/security/repository.ts'
import { createSecurityService, type SecurityService } from './features/security/service.ts'
import { createSyncRepository } from './features/sync/repository.ts'
import { syncRoutes } from './features/sync/routes.ts'
import { createSyncService } from './features/sync/service.ts'
import { systemRoutes } from './features/system/routes.ts'
import { createUserRepository } from './features/users/repository.ts'
import { createUserService, type UserService } from './features/users/service.ts'
import { cookieName, createIdentify, identifyHook } from './http/authenticate.ts'
import { addComponents, bindOperations } from './http/bind-operations.ts'
import { createCsrfCheck } from './http/csrf.ts'
import { createPublicDocuments, serveDocs } from './http/docs.ts'
import { handleErrors } from './http/error-handler.ts'
import { createRateLimit } from './http/rate-limit.ts'
import { createServer } from './http/server.ts'
import { routeUpgrades } from './http/upgrades.ts'
import { createMailer } from './integrations/mailer.ts'
import { createOAuthProvider } from './integrations/oauth-provider.ts'
import { createJobs, type Jobs } from './jobs/queue.ts'
import { createMetrics } from './metrics.ts'
import { createRateCounters } from './rate-counters.ts'
import { createCommands } from './realtime/commands.ts'
import { createGateway } from './realtime/gateway.ts'
import { serveSockets, socketPath } from './realtime/serve-sockets.ts'
import { createTopics, type Topics } from './topics.ts'

interface Options {
  config: Config & { jwtSecret: string }
  database: Database
  log: FastifyBaseLogger
  clock?: Clock
  heartbeatSeconds?: number
}

/** Everything but listening. `server.close()` answers what is under way, sends the sockets away and ends the jobs; the database stays open. */
export async function buildApp({ config, database, log, clock = systemClock, heartbeatSeconds = 25 }: Options) {
  const { db, pool } = database
  const topics = createTopics({ log })
  const counters = createRateCounters({ limits: config.rateLimits, clock })
  const bus = await createEventBus({ pool, log })
  const jobs = await createJobs({ pool, log })
  const server = await createServer({ config, clock, log })

  const metrics = createMetrics({ pool, socketCount: () => gateway.size })
  const users = createUserService({ users: createUserRepository(db), hideUnverified: config.registrationConflicts === 'hide' })
  const security = createSecurityService({ security: createSecurityRepository(db), clock, newId })
  const publicUrl = () => config.publicUrl ?? `http://localhost:${portOf(server) ?? config.port}`
  const { auth, oauth, accessTokens, revocations } = await createAuth({ config, database, log, clock, topics, bus, jobs, users, security, publicUrl })
  const apiKeys = createApiKeyService({ db, apiKeys: createApiKeyRepository(db), users, revocations, topics, bus, security, clock, newId, log })
  database.onRecovered(apiKeys.reload)
  const conversations = createConversationService({ conversations: createConversationRepository(database), users, topics, clock, newId })
  const messageRepository = createMessageRepository(database, {
    onStored: ({ message, created }) => {
      if (created) metrics.countMessage()
      const { conversationId, changeSeq } = message
      topics.publish('conversation', conversationId, { type: 'message.created', conversationId, changeSeq, message })
    },
  })
  const messages = createMessageService({ messages: messageRepository, conversations, clock, newId })
  const sync = createSyncService({ sync: createSyncRepository(database) })
  const commands = createCommands({ messages, conversations, counters })
  const gateway = createGateway({ topics, onCredentialEnd: createCredentialEnds({ topics, clock }), sync, commands, clock, log, heartbeatSeconds })
  database.onRecovered(topics.publishStale)

  const documents = await createPublicDocuments(publicUrl)
  const checks = { database: database.ping, jobs: jobs.isUp }
  const identify = createIdentify({
    credentials: { accessToken: accessTokens.verify, apiKey: apiKeys.verify, cookie: async () => undefined },
    cookie: cookieName(isSecure(config)),
    isForgeable: createCsrfCheck(config.corsOrigins),
  })
  const hooks = { identify: identifyHook(identify), rateLimit: await createRateLimit(server, { counters, clock }) }
  handleErrors(server, { clock, operations: allOperations })
  addComponents(server)
  bindOperations(server, hooks, authOperations, authRoutes({ auth }))
  bindOperations(server, hooks, oauthOperations, oauthRoutes({ oauth, isSecure: isSecure(config) }))
  bindOperations(server, hooks, apiKeyOperations, apiKeyRoutes(apiKeys))
  bindOperations(server, hooks, conversationOperations, conversationRoutes(conversations))
  bindOperations(server, hooks, messageOperations, messageRoutes(messages))
  bindOperations(server, hooks, syncOperations, syncRoutes(sync))
  bindOperations(server, hooks, systemOperations, systemRoutes({ environment: config.environment, clock, documents, metricsText: metrics.text, checks }))
  await serveDocs(server, documents)

  const upgrades = routeUpgrades(server.server)
  await serveSockets(server, { upgrades: upgrades.at(socketPath), gateway, identify, isRevoked: revocations.has, rateLimit: hooks.rateLimit })
  server.addHook('onResponse', (request, reply, done) => {
    metrics.countRequest(request.method, request.routeOptions.url, reply)
    done()
  })
  server.addHook('onClose', jobs.stop)
  server.addHook('onClose', bus.close)
  server.addHook('onClose', async () => revocations.close())

  return { server, topics, services: { apiKeys, auth, users, conversations, messages, sync } }
}

/** Undefined until it listens. */
function portOf(server: FastifyInstance): number | undefined {
  const [address] = server.addresses()
  return typeof address === 'object' ? address.port : undefined
}

/** Whether browsers reach it over https: what is not known to be otherwise, is in production. */
const isSecure = ({ publicUrl, environment }: Config): boolean => publicUrl?.startsWith('https:') ?? environment === 'production'

interface AuthParts extends Pick<Options, 'config' | 'database' | 'log'> {
  clock: Clock
  topics: Topics
  bus: EventBus
  jobs: Jobs
  users: UserService
  security: SecurityService
  publicUrl(): string
}

async function createAuth({ config, database: { db, onRecovered }, log, clock, topics, bus, jobs, users, security, publicUrl }: AuthParts) {
  const { jwtSecret, jwtSecretPrevious, smtpUrl, mailFrom, dataDir, environment } = config
  const sessionRepository = createSessionRepository(db)
  const revocations = createRevocations({ listRevokedSince: [sessionRepository.listRevokedSince, createApiKeyRepository(db).listRevokedSince], topics, bus, clock, log })
  await revocations.load()
  onRecovered(revocations.reload)
  const secrets = [jwtSecret, ...(jwtSecretPrevious ? [jwtSecretPrevious] : [])] as const
  const accessTokens = createAccessTokens({ secrets, revocations, clock })
  if (environment === 'production' && smtpUrl === undefined) log.warn('SMTP_URL is not set: mails are written to DATA_DIR/mail and reach nobody')
  const mailer = createMailer({ smtpUrl, from: mailFrom, dataDir, log })
  const fixedCode = environment === 'development' ? '000000' : undefined
  const codes = createCodes({ codes: createCodeRepository(db), users, mailer, key: deriveKey(jwtSecret, 'email-codes'), clock, fixedCode })
  await jobs.work('auth.mailCode', codes.mail)
  const sessions = createSessions({ db, sessions: sessionRepository, revocations, bus, key: deriveKey(jwtSecret, 'refresh-tokens'), clock, newId })
  const signIn = createSignIn({ sessions, accessTokens, security, clock })
  const auth = createAuthService({ db, users, sessions, codes, passwords: createPasswords(), signIn, security, jobs, clock, newId })
  const oauth = createOAuthService({
    ...{ db, flows: createOAuthRepository(db), providers: config.oauthProviders.map(createOAuthProvider), redirectUris: config, publicUrl },
    ...{ users, signIn, security, clock, newId, log },
  })
  return { auth, oauth, accessTokens, revocations }
}
