/** The whole server, composed: the one file that knows every part. */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import * as accountOperations from '../openapi/accounts/operations.ts'
import * as auditOperations from '../openapi/admin/audit-operations.ts'
import * as adminOperations from '../openapi/admin/operations.ts'
import * as userAdministrationOperations from '../openapi/admin/user-operations.ts'
import * as apiKeyOperations from '../openapi/api-keys/operations.ts'
import * as oauthOperations from '../openapi/auth/oauth-operations.ts'
import * as authOperations from '../openapi/auth/operations.ts'
import * as passwordOperations from '../openapi/auth/password-operations.ts'
import * as sessionOperations from '../openapi/auth/session-operations.ts'
import * as avatarOperations from '../openapi/avatars/operations.ts'
import * as blockOperations from '../openapi/blocks/operations.ts'
import * as conversationOperations from '../openapi/conversations/operations.ts'
import { allOperations } from '../openapi/document.ts'
import * as messageOperations from '../openapi/messages/operations.ts'
import * as presenceOperations from '../openapi/presence/operations.ts'
import * as securityOperations from '../openapi/security/operations.ts'
import * as syncOperations from '../openapi/sync/operations.ts'
import * as systemOperations from '../openapi/system/operations.ts'
import * as userOperations from '../openapi/users/operations.ts'
import { type Clock, newId, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { createCredentialEnds } from './credential-ends.ts'
import type { Database } from './db/client.ts'
import type { UserRow } from './db/schema/users.ts'
import { createEventBus, type EventBus } from './event-bus.ts'
import { createAdmission } from './features/accounts/admission.ts'
import { createErasure } from './features/accounts/erasure.ts'
import { createExportRepository } from './features/accounts/export-repository.ts'
import { createNotices } from './features/accounts/notices.ts'
import { createAccountRepository } from './features/accounts/repository.ts'
import { accountRoutes } from './features/accounts/routes.ts'
import { type AccessEnds, createAccountService } from './features/accounts/service.ts'
import { createFirstAdmin } from './features/admin/first-admin.ts'
import { createAdminRepository } from './features/admin/repository.ts'
import { adminRoutes, userAdministrationRoutes } from './features/admin/routes.ts'
import { createAdminService } from './features/admin/service.ts'
import { createApiKeyRepository } from './features/api-keys/repository.ts'
import { apiKeyRoutes } from './features/api-keys/routes.ts'
import { createApiKeyService } from './features/api-keys/service.ts'
import { createAccessTokens } from './features/auth/access-tokens.ts'
import { createCodeRepository } from './features/auth/code-repository.ts'
import { createCodes } from './features/auth/codes.ts'
import { createCookieSessions } from './features/auth/cookie-sessions.ts'
import { createDeviceRepository } from './features/auth/device-repository.ts'
import { createDevices } from './features/auth/devices.ts'
import { codeGuess, createGuessing, currentPasswordGuess, type Guessing, type Subject } from './features/auth/guessing.ts'
import { createGuessingRepository } from './features/auth/guessing-repository.ts'
import { deriveKey, deriveKeys } from './features/auth/keys.ts'
import { createOAuthRepository } from './features/auth/oauth-repository.ts'
import { oauthRoutes } from './features/auth/oauth-routes.ts'
import { createOAuthService } from './features/auth/oauth-service.ts'
import { createPasswordNotices } from './features/auth/password-mail.ts'
import { createPasswordResetRepository } from './features/auth/password-reset-repository.ts'
import { createPasswordResets } from './features/auth/password-resets.ts'
import { passwordRoutes } from './features/auth/password-routes.ts'
import { requireGoodPassword } from './features/auth/password-rules.ts'
import { createPasswordService } from './features/auth/password-service.ts'
import { createPasswords, type Passwords } from './features/auth/passwords.ts'
import { createRevocations } from './features/auth/revocations.ts'
import { authRoutes } from './features/auth/routes.ts'
import { createAuthService } from './features/auth/service.ts'
import { createSessionRepository } from './features/auth/session-repository.ts'
import { sessionRoutes } from './features/auth/session-routes.ts'
import { createSessionService } from './features/auth/session-service.ts'
import { createSessions } from './features/auth/sessions.ts'
import { createSignIn } from './features/auth/sign-in.ts'
import { createPictures } from './features/avatars/pictures.ts'
import { avatarRoutes } from './features/avatars/routes.ts'
import { type AvatarService, createAvatarService } from './features/avatars/service.ts'
import { createBlockRepository } from './features/blocks/repository.ts'
import { blockRoutes } from './features/blocks/routes.ts'
import { createBlockService } from './features/blocks/service.ts'
import { createConversationRepository } from './features/conversations/repository.ts'
import { conversationRoutes } from './features/conversations/routes.ts'
import { type ConversationService, createConversationService } from './features/conversations/service.ts'
import { type Authorship, createAuthorship } from './features/messages/authorship.ts'
import { createMessageRepository } from './features/messages/repository.ts'
import { messageRoutes } from './features/messages/routes.ts'
import { createMessageService } from './features/messages/service.ts'
import { createAnnouncements } from './features/presence/announcements.ts'
import { createAttendance, type PresenceTimes, usualPresenceTimes } from './features/presence/attendance.ts'
import { createPresenceRepository } from './features/presence/repository.ts'
import { presenceRoutes } from './features/presence/routes.ts'
import { createPresenceService } from './features/presence/service.ts'
import { createSecurityRepository } from './features/security/repository.ts'
import { auditRoutes, securityRoutes } from './features/security/routes.ts'
import { createSecurityService, type SecurityService } from './features/security/service.ts'
import { createSyncRepository } from './features/sync/repository.ts'
import { syncRoutes } from './features/sync/routes.ts'
import { createSyncService } from './features/sync/service.ts'
import { systemRoutes } from './features/system/routes.ts'
import { createDirectoryRepository } from './features/users/directory-repository.ts'
import { createDirectoryService } from './features/users/directory-service.ts'
import { createUserRepository } from './features/users/repository.ts'
import { userRoutes } from './features/users/routes.ts'
import { createUserService, type UserService } from './features/users/service.ts'
import { createIdentify, identifyHook } from './http/authenticate.ts'
import { addComponents, bindOperations } from './http/bind-operations.ts'
import { createCsrfCheck, createOriginCheck } from './http/csrf.ts'
import { createPublicDocuments, serveDocs } from './http/docs.ts'
import { handleErrors } from './http/error-handler.ts'
import { createRateLimit } from './http/rate-limit.ts'
import { createServer } from './http/server.ts'
import { createSessionCookie } from './http/session-cookie.ts'
import { routeUpgrades } from './http/upgrades.ts'
import { createMailer, type Mailer } from './integrations/mailer.ts'
import { createOAuthProvider } from './integrations/oauth-provider.ts'
import { createDiskStorage } from './integrations/object-storage.ts'
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
  presenceTimes?: PresenceTimes
}

/** Everything but listening. `server.close()` answers what is under way, sends the sockets away and ends the jobs; the database stays open. */
export async function buildApp({ config, database, log, clock = systemClock, heartbeatSeconds = 25, presenceTimes = usualPresenceTimes }: Options) {
  const { db, pool } = database
  const topics = createTopics({ log })
  const counters = createRateCounters({ limits: config.rateLimits, clock })
  const bus = await createEventBus({ pool, log })
  const jobs = await createJobs({ pool, log })
  const server = await createServer({ config, clock, log })

  const metrics = createMetrics({ pool, socketCount: () => gateway.size })
  const userRepository = createUserRepository(db)
  const hideUnverified = config.registrationConflicts === 'hide'
  const users = createUserService({ users: userRepository, hideUnverified, clock })
  const avatars = await createAvatars({ dataDir: config.dataDir, db, users, jobs })
  const security = createSecurityService({ security: createSecurityRepository(db), clock, newId, log })
  const publicUrl = () => config.publicUrl ?? `http://localhost:${portOf(server) ?? config.port}`
  const { auth, passwords, oauth, sessions, cookieSessions, accessTokens, revocations, ...parts } = await createAuth({
    config,
    database,
    log,
    clock,
    topics,
    bus,
    jobs,
    users,
    security,
    publicUrl,
  })
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
  const { presence, attendance } = await createPresence({ database, topics, bus, clock, log, presenceTimes })
  const blocks = createBlockService({ db, blocks: createBlockRepository(db), users, conversations, presence, clock })
  const directory = createDirectoryService({ users: userRepository, directory: createDirectoryRepository(db), presence, hideUnverified })
  const authorship = createAuthorship({ database, topics, clock })
  const ends = { sessions: parts.sessionEnds, apiKeys }
  const { accounts, admin, erasure } = await createAccounts({
    config,
    database,
    log,
    clock,
    jobs,
    users,
    security,
    avatars,
    conversations,
    authorship,
    ends,
    ...parts,
  })
  const sync = createSyncService({ sync: createSyncRepository(database) })
  const commands = createCommands({ messages, conversations, counters })
  const gateway = createGateway({
    topics,
    onCredentialEnd: createCredentialEnds({ topics, clock }),
    sync,
    commands,
    presence: attendance,
    clock,
    log,
    heartbeatSeconds,
  })
  database.onRecovered(topics.publishStale)

  const documents = await createPublicDocuments(publicUrl)
  const checks = { database: database.ping, jobs: jobs.isUp }
  const cookie = createSessionCookie({ isSecure: isSecure(config), clock })
  const isOfAllowedOrigin = createOriginCheck({ ...config, isSecure: isSecure(config) })
  const identify = createIdentify({
    credentials: { accessToken: accessTokens.verify, apiKey: apiKeys.verify, cookie: cookieSessions.verify },
    cookie,
    isForgeable: createCsrfCheck(isOfAllowedOrigin),
  })
  const hooks = { identify: identifyHook(identify), rateLimit: await createRateLimit(server, { counters, clock }) }
  handleErrors(server, { clock, operations: allOperations })
  addComponents(server)
  bindOperations(server, hooks, authOperations, authRoutes({ auth, cookie }))
  bindOperations(server, hooks, passwordOperations, passwordRoutes(passwords))
  bindOperations(server, hooks, oauthOperations, oauthRoutes({ oauth, isSecure: isSecure(config) }))
  bindOperations(server, hooks, sessionOperations, sessionRoutes({ sessions, cookieSessions, cookie, isOfAllowedOrigin }))
  bindOperations(server, hooks, apiKeyOperations, apiKeyRoutes(apiKeys))
  bindOperations(server, hooks, userOperations, userRoutes({ users, directory }))
  bindOperations(server, hooks, avatarOperations, avatarRoutes(avatars))
  bindOperations(server, hooks, presenceOperations, presenceRoutes(presence))
  bindOperations(server, hooks, blockOperations, blockRoutes(blocks))
  bindOperations(server, hooks, accountOperations, accountRoutes(accounts))
  bindOperations(server, hooks, adminOperations, adminRoutes(admin))
  bindOperations(server, hooks, userAdministrationOperations, userAdministrationRoutes(admin))
  bindOperations(server, hooks, conversationOperations, conversationRoutes(conversations))
  bindOperations(server, hooks, messageOperations, messageRoutes(messages))
  bindOperations(server, hooks, securityOperations, securityRoutes(security))
  bindOperations(server, hooks, auditOperations, auditRoutes(security))
  bindOperations(server, hooks, syncOperations, syncRoutes(sync))
  bindOperations(server, hooks, systemOperations, systemRoutes({ environment: config.environment, clock, documents, metricsText: metrics.text, checks }))
  await serveDocs(server, documents)

  const upgrades = routeUpgrades(server.server)
  await serveSockets(server, { upgrades: upgrades.at(socketPath), gateway, identify, isRevoked: revocations.has, rateLimit: hooks.rateLimit })
  server.addHook('onResponse', (request, reply, done) => {
    metrics.countRequest(request.method, request.routeOptions.url, reply)
    done()
  })
  server.addHook('onClose', attendance.stop)
  server.addHook('onClose', erasure.start())
  server.addHook('onClose', jobs.stop)
  server.addHook('onClose', bus.close)
  server.addHook('onClose', async () => revocations.close())

  return { server, topics, services: { accounts, admin, apiKeys, erasure, auth, users, presence, security, conversations, messages, sync } }
}

/** Undefined until it listens. */
function portOf(server: FastifyInstance): number | undefined {
  const [address] = server.addresses()
  return typeof address === 'object' ? address.port : undefined
}

/** Whether browsers reach it over https: what is not known to be otherwise, is in production. */
const isSecure = ({ publicUrl, environment }: Config): boolean => publicUrl?.startsWith('https:') ?? environment === 'production'

async function createAvatars({ dataDir, db, users, jobs }: { dataDir: string; db: Database['db']; users: UserService; jobs: Jobs }) {
  const objects = createDiskStorage({ dataDir })
  await jobs.work('objects.delete', ({ key }) => objects.delete(key))
  return createAvatarService({ db, users, objects, makeAvatar: createPictures().makeAvatar, jobs })
}

interface PresenceParts extends Required<Pick<Options, 'database' | 'log' | 'presenceTimes'>> {
  topics: Topics
  bus: EventBus
  clock: Clock
}

async function createPresence({ database, topics, bus, clock, log, presenceTimes }: PresenceParts) {
  const { db } = database
  const repository = createPresenceRepository(database)
  const announcements = createAnnouncements({ presence: repository, connected: () => attendance.connected(), topics, log })
  const attendance = createAttendance({ db, presence: repository, bus, onChanged: announcements.announce, log, ...presenceTimes })
  await attendance.start()
  return { presence: createPresenceService({ db, presence: repository, announcements, bus, clock }), attendance }
}

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
  const revocations = createRevocations({
    listRevokedSince: [sessionRepository.listRevokedSince, createApiKeyRepository(db).listRevokedSince],
    topics,
    bus,
    clock,
    log,
  })
  await revocations.load()
  onRecovered(revocations.reload)
  const secrets = [jwtSecret, ...(jwtSecretPrevious ? [jwtSecretPrevious] : [])] as const
  const accessTokens = createAccessTokens({ secrets, revocations, clock })
  if (environment === 'production' && smtpUrl === undefined) log.warn('SMTP_URL is not set: mails are written to DATA_DIR/mail and reach nobody')
  const mailer = createMailer({ smtpUrl, from: mailFrom, dataDir, log })
  const fixedCode = environment === 'development' ? '000000' : undefined
  const codes = createCodes({ codes: createCodeRepository(db), users, mailer, security, keys: deriveKeys(secrets, 'email-codes'), clock, fixedCode })
  await jobs.work('auth.mailCode', codes.mail)
  const resets = createPasswordResets({ resets: createPasswordResetRepository(db), users, mailer, security, pageUrl: config.passwordResetUrl, clock })
  await jobs.work('auth.mailPasswordReset', resets.mail)
  await jobs.work('auth.mailPasswordNotice', createPasswordNotices({ users, mailer }))
  const guessing = createGuessing({ failures: createGuessingRepository(db), security, key: deriveKey(jwtSecret, 'sign-in-failures'), clock })
  const passwords = createPasswords()
  const sessions = createSessions({
    ...{ db, users, sessions: sessionRepository, revocations, bus, security, keys: deriveKeys(secrets, 'refresh-tokens'), clock, newId },
  })
  const cookieSessions = createCookieSessions({ db, sessions, repository: sessionRepository, revocations, clock, newId })
  const devices = createDevices({ devices: createDeviceRepository(), users, security, jobs, mailer, clock })
  await jobs.work('auth.mailNewDevice', devices.mail)
  const admit = createAdmission({ accounts: createAccountRepository(db), users, security, jobs, clock })
  const signIn = createSignIn({ admit, sessions, devices, accessTokens, security, clock })
  const auth = createAuthService({
    ...{ db, users, registrationConflicts: config.registrationConflicts, sessions, codes, passwords, guessing, signIn, security, jobs, clock, newId },
  })
  const passwordService = createPasswordService({ db, users, sessions, passwords, resets, guessing, security, jobs, clock, newId })
  const oauth = createOAuthService({
    ...{ db, flows: createOAuthRepository(db), providers: config.oauthProviders.map(createOAuthProvider), redirectUris: config, publicUrl },
    ...{ users, signIn, security, clock, newId, log },
  })
  const ownSessions = createSessionService({ db, repository: sessionRepository, sessions, security, clock })
  return {
    auth,
    passwords: passwordService,
    oauth,
    sessions: ownSessions,
    cookieSessions,
    accessTokens,
    revocations,
    sessionEnds: sessions,
    mailer,
    hashing: passwords,
    guessing,
  }
}

interface AccountParts extends Omit<AuthParts, 'topics' | 'bus' | 'publicUrl'> {
  ends: AccessEnds
  avatars: AvatarService
  conversations: ConversationService
  authorship: Authorship
  mailer: Mailer
  hashing: Passwords
  guessing: Guessing
}

async function createAccounts({ config, database: { db }, log, clock, jobs, users, security, ends, ...parts }: AccountParts) {
  const { avatars, conversations, authorship, mailer, hashing: passwords, guessing } = parts
  const repository = createAccountRepository(db)
  const exports = createExportRepository(db)
  const accounts = createAccountService({ db, accounts: repository, exports, ends, users, messages: authorship, security, jobs, clock })
  const erasure = createErasure({
    ...{ db, accounts: repository, users, ends, conversations, clock, log },
    eraseMessages: config.erasedUsersMessages === 'erase' ? authorship.erase : undefined,
    async discard(user, tx) {
      await avatars.discard(user, tx)
      await guessing.forget(guessesOf(user))
      await conversations.closeDirect(user.id, tx)
    },
  })
  await jobs.work('accounts.erase', ({ userId }) => erasure.erase(userId))
  await jobs.work('accounts.mailNotice', createNotices({ users, mailer }))
  const admin = createAdminService({ db, admin: createAdminRepository(db), users, accounts, security, jobs, clock, newId })
  const { adminEmail: email, adminPassword: password } = config
  const firstAdmin = createFirstAdmin({ db, users, requireGoodPassword, passwords, security, clock, newId, log })
  if (email !== undefined && password !== undefined) await firstAdmin.ensure({ email, password })
  return { accounts, admin, erasure }
}

/** What was counted of a user's, as far as it can be named. */
const guessesOf = ({ id, email, username }: UserRow): Subject[] => [
  ...currentPasswordGuess(id),
  ...codeGuess(email),
  ...[email, username?.toLowerCase()].filter((name) => name !== undefined).map((name) => ({ kind: 'account' as const, name })),
]
