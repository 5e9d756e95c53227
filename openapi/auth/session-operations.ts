import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { SessionId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { aliceExample } from '../users/examples.ts'
import { tokenPairExample } from './examples.ts'
import { CookieSession, RevokeAllRequest, RevokeAllResult, Session, StartCookieSessionRequest } from './schemas.ts'

export const revokeAll = defineOperation({
  operationId: 'auth.revokeAll',
  method: 'POST',
  path: '/v1/auth/revoke-all',
  summary: 'End all of your sessions',
  description: 'Their refresh tokens, access tokens, cookies and sockets end at once. API keys stay.',
  access: 'session',
  rateLimit: 'default',
  repeatable: true,
  body: ref(RevokeAllRequest),
  examples: { others: { exceptCurrent: true }, all: {} },
  responses: { 200: { description: 'They have ended', body: ref(RevokeAllResult), example: { revokedCount: 5 } } },
  errors: [],
})

export const listSessions = defineOperation({
  operationId: 'auth.listSessions',
  method: 'GET',
  path: '/v1/auth/sessions',
  summary: 'List your sessions',
  description: 'Those that go on, the newest first.',
  access: 'session',
  rateLimit: 'default',
  query: Type.Object({ limit: limit(100, 50), cursor: Type.Optional(Cursor) }),
  responses: {
    200: {
      description: 'A page of sessions',
      body: page(ref(Session)),
      example: {
        items: [
          {
            id: '01890a5d-ac96-774b-bcce-b302099a8062',
            current: true,
            kind: 'token',
            device: 'Firefox on Linux',
            ip: '192.0.2.7',
            createdAt: '2026-11-20T10:00:00.000Z',
            lastSeen: '2026-11-20T10:00:00.000Z',
            expiresAt: '2026-11-27T10:00:00.000Z',
          },
        ],
        nextCursor: null,
        hasMore: false,
      },
    },
  },
  errors: [],
})

export const revokeSession = defineOperation({
  operationId: 'auth.revokeSession',
  method: 'DELETE',
  path: '/v1/auth/sessions/{sessionId}',
  summary: 'End one of your sessions',
  access: 'session',
  rateLimit: 'default',
  params: Type.Object({ sessionId: SessionId }),
  responses: { 204: { description: 'It has ended' } },
  errors: ['not_found'],
})

export const startCookieSession = defineOperation({
  operationId: 'auth.startCookieSession',
  method: 'POST',
  path: '/v1/auth/cookie',
  summary: 'Go on by a cookie instead of tokens',
  description:
    'For browsers: turns the session of a fresh sign-in into one that goes on by an HTTP-only cookie, which scripts cannot read. The tokens end, and so does the session of a cookie that the browser had before. Changes that are signed in by cookie need the header `X-Requested-With`, with any value, and come from this origin or one of `CORS_ORIGINS`; so does this call, but for the header. With `rememberMe` the cookie holds for 30 days, otherwise until the browser is closed, and on the server for 24 hours without use, where an open socket is use, 7 days at most; both are counted from the sign-in.',
  access: 'public',
  rateLimit: 'public',
  body: ref(StartCookieSessionRequest),
  examples: { any: { refreshToken: tokenPairExample.refreshToken, rememberMe: true } },
  responses: {
    200: { description: 'The cookie is set', body: ref(CookieSession), example: { user: aliceExample, expiresAt: '2026-12-20T10:00:00.000Z' } },
  },
  errors: ['unauthorized', 'token_family_compromised', 'csrf_rejected'],
})
