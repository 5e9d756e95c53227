import type { FastifyRequest } from 'fastify'
import type { Session } from '../../../openapi/auth/schemas.ts'
import type * as operations from '../../../openapi/auth/session-operations.ts'
import type { SessionActor } from '../../actor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { SessionCookie } from '../../http/session-cookie.ts'
import { serializeUser } from '../users/serialize.ts'
import type { CookieSessions } from './cookie-sessions.ts'
import type { ListedSession, SessionService } from './session-service.ts'

interface Dependencies {
  sessions: SessionService
  cookieSessions: CookieSessions
  cookie: SessionCookie
  isOfAllowedOrigin(request: FastifyRequest): boolean
}

export const sessionRoutes = ({ sessions, cookieSessions, cookie, isOfAllowedOrigin }: Dependencies): Handlers<typeof operations> => ({
  'auth.listSessions': async ({ actor, query }) => {
    const { rows, nextCursor } = await sessions.list(actor, { limit: query.limit ?? 50, cursor: query.cursor })
    return { items: rows.map((session) => serializeSession(session, actor)), nextCursor, hasMore: nextCursor !== null }
  },

  'auth.revokeSession': async ({ actor, params, caller, request, reply }) => {
    await sessions.revoke(actor, params.sessionId, caller)
    if (params.sessionId === actor.credentialId) cookie.clear(request, reply)
  },

  'auth.revokeAll': async ({ actor, body, caller, request, reply }) => {
    const exceptCurrent = body.exceptCurrent ?? false
    const revokedCount = await sessions.revokeAll(actor, { exceptCurrent }, caller)
    if (!exceptCurrent) cookie.clear(request, reply)
    return { revokedCount }
  },

  'auth.startCookieSession': async ({ body, caller, request, reply }) => {
    // Otherwise a page of somebody else could sign the browser in as that somebody.
    if (!isOfAllowedOrigin(request)) throw new AppError('csrf_rejected')
    const { refreshToken, rememberMe = false } = body
    const started = await cookieSessions.start({ refreshToken, rememberMe, replaces: cookie.read(request) }, caller)
    cookie.set(reply, started.cookie, started.remembered ? started.endsAt : undefined)
    return { user: serializeUser(started.user), expiresAt: started.endsAt.toISOString() }
  },
})

const serializeSession = (row: ListedSession, { credentialId }: SessionActor): Session => ({
  id: row.id,
  current: row.id === credentialId,
  kind: row.cookieHash === null ? 'token' : 'cookie',
  device: row.device,
  ip: row.ip,
  createdAt: row.createdAt.toISOString(),
  lastSeen: row.lastUsedAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
})
