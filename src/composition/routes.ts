/** Which handlers answer which operations. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as accountOperations from '../../openapi/accounts/operations.ts'
import * as auditOperations from '../../openapi/admin/audit-operations.ts'
import * as adminOperations from '../../openapi/admin/operations.ts'
import * as userAdministrationOperations from '../../openapi/admin/user-operations.ts'
import * as apiKeyOperations from '../../openapi/api-keys/operations.ts'
import * as oauthOperations from '../../openapi/auth/oauth-operations.ts'
import * as authOperations from '../../openapi/auth/operations.ts'
import * as passwordOperations from '../../openapi/auth/password-operations.ts'
import * as sessionOperations from '../../openapi/auth/session-operations.ts'
import * as avatarOperations from '../../openapi/avatars/operations.ts'
import * as blockOperations from '../../openapi/blocks/operations.ts'
import * as groupOperations from '../../openapi/conversations/group-operations.ts'
import * as conversationOperations from '../../openapi/conversations/operations.ts'
import * as fileOperations from '../../openapi/files/operations.ts'
import * as messageChangeOperations from '../../openapi/messages/change-operations.ts'
import * as messageOperations from '../../openapi/messages/operations.ts'
import * as reactionOperations from '../../openapi/messages/reaction-operations.ts'
import * as presenceOperations from '../../openapi/presence/operations.ts'
import * as messageReceiptOperations from '../../openapi/receipts/message-operations.ts'
import * as receiptOperations from '../../openapi/receipts/operations.ts'
import * as searchOperations from '../../openapi/search/operations.ts'
import * as securityOperations from '../../openapi/security/operations.ts'
import * as syncOperations from '../../openapi/sync/operations.ts'
import * as userOperations from '../../openapi/users/operations.ts'
import { accountRoutes } from '../features/accounts/routes.ts'
import { adminRoutes, userAdministrationRoutes } from '../features/admin/routes.ts'
import { apiKeyRoutes } from '../features/api-keys/routes.ts'
import { oauthRoutes } from '../features/auth/oauth-routes.ts'
import { passwordRoutes } from '../features/auth/password-routes.ts'
import { authRoutes } from '../features/auth/routes.ts'
import { sessionRoutes } from '../features/auth/session-routes.ts'
import { avatarRoutes } from '../features/avatars/routes.ts'
import { blockRoutes } from '../features/blocks/routes.ts'
import { conversationRoutes, groupRoutes } from '../features/conversations/routes.ts'
import { fileRoutes } from '../features/files/routes.ts'
import { messageChangeRoutes, messageRoutes, reactionRoutes } from '../features/messages/routes.ts'
import { presenceRoutes } from '../features/presence/routes.ts'
import { messageReceiptRoutes, receiptRoutes } from '../features/receipts/routes.ts'
import { searchRoutes } from '../features/search/routes.ts'
import { auditRoutes, securityRoutes } from '../features/security/routes.ts'
import { syncRoutes } from '../features/sync/routes.ts'
import { userRoutes } from '../features/users/routes.ts'
import { bindOperations, type RequestHooks } from '../http/bind-operations.ts'
import type { SendContent } from '../http/content.ts'
import type { SessionCookie } from '../http/session-cookie.ts'
import type { Services } from './services.ts'

interface Options {
  services: Services
  hooks: RequestHooks
  sendContent: SendContent
  cookie: SessionCookie
  isSecure: boolean
  isOfAllowedOrigin(request: FastifyRequest): boolean
}

export function bindServices(server: FastifyInstance, { services, hooks, sendContent, cookie, isSecure, isOfAllowedOrigin }: Options): void {
  const { auth, passwordService, oauth, sessionService, cookieSessions, apiKeys, users, directory, avatars, files, presence, blocks } = services
  const { accounts, admin, security, conversations, invites, publicGroups, messages, receipts, sync } = services
  bindOperations(server, hooks, authOperations, authRoutes({ auth, cookie }))
  bindOperations(server, hooks, passwordOperations, passwordRoutes(passwordService))
  bindOperations(server, hooks, oauthOperations, oauthRoutes({ oauth, isSecure }))
  bindOperations(server, hooks, sessionOperations, sessionRoutes({ sessions: sessionService, cookieSessions, cookie, isOfAllowedOrigin }))
  bindOperations(server, hooks, apiKeyOperations, apiKeyRoutes(apiKeys))
  bindOperations(server, hooks, userOperations, userRoutes({ users, directory }))
  bindOperations(server, hooks, avatarOperations, avatarRoutes({ avatars, sendContent }))
  bindOperations(server, hooks, fileOperations, fileRoutes({ files, sendContent }))
  bindOperations(server, hooks, presenceOperations, presenceRoutes(presence))
  bindOperations(server, hooks, blockOperations, blockRoutes(blocks))
  bindOperations(server, hooks, accountOperations, accountRoutes(accounts))
  bindOperations(server, hooks, adminOperations, adminRoutes(admin))
  bindOperations(server, hooks, userAdministrationOperations, userAdministrationRoutes(admin))
  bindOperations(server, hooks, conversationOperations, conversationRoutes(conversations))
  bindOperations(server, hooks, groupOperations, groupRoutes({ conversations, invites, publicGroups }))
  bindOperations(server, hooks, messageOperations, messageRoutes(messages))
  bindOperations(server, hooks, messageChangeOperations, messageChangeRoutes(messages))
  bindOperations(server, hooks, reactionOperations, reactionRoutes(messages))
  bindOperations(server, hooks, receiptOperations, receiptRoutes(receipts))
  bindOperations(server, hooks, messageReceiptOperations, messageReceiptRoutes(receipts))
  bindOperations(server, hooks, syncOperations, syncRoutes(sync))
  bindOperations(server, hooks, searchOperations, searchRoutes(services.search))
  bindOperations(server, hooks, securityOperations, securityRoutes(security))
  bindOperations(server, hooks, auditOperations, auditRoutes(security))
}
