/**
 * Who asks: an access token or an API key in `Authorization: Bearer`, an API key in `X-Api-Key`, or the cookie of a browser's session.
 * Whoever needs an actor is refused later, after the limits.
 */
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import { type Operation, scopeOf } from '../../openapi/contract.ts'
import { type Actor, type ApiKeyActor, type Caller, hasScope, type SessionActor } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What knows credentials, by kind. Each answers undefined for one that is not good. */
export interface Credentials {
  accessToken(token: string): SessionActor | undefined
  apiKey(key: string): Promise<ApiKeyActor | undefined>
  cookie(value: string, caller: Caller): Promise<SessionActor | undefined>
}

export type Identify = (request: FastifyRequest, token?: string) => Actor | undefined | Promise<Actor | undefined>

export const apiKeyPrefix = 'pk_'

interface Options {
  credentials: Credentials
  cookie: Pick<SessionCookie, 'read'>
  /** Whether a change that is signed in by cookie may have been made by a page of somebody else. */
  isForgeable(request: FastifyRequest): boolean
}

/** @returns the function that says who asks; a cookie counts only where no other credential is given */
export const createIdentify = ({ credentials, cookie, isForgeable }: Options): Identify => {
  const byToken = (token: string) => (token.startsWith(apiKeyPrefix) ? credentials.apiKey(token) : credentials.accessToken(token))

  return (request, token = bearerToken(request)) => {
    const { 'x-api-key': apiKey } = request.headers
    if (token !== undefined) return byToken(token)
    if (typeof apiKey === 'string') return credentials.apiKey(apiKey)
    const value = cookie.read(request)
    if (value === undefined) return undefined
    request.csrfRejected = isForgeable(request)
    return request.csrfRejected ? undefined : credentials.cookie(value, callerOf(request))
  }
}

/** Sets `request.actor` where the credentials are good; refuses nobody. An access token is known at once: no promise is made for it. */
export const identifyHook =
  (identify: Identify, readToken: (request: FastifyRequest) => string | undefined = bearerToken): onRequestHookHandler =>
  (request, _reply, done) => {
    const settle = (actor: Actor | undefined): void => {
      request.actor = actor
      done()
    }
    const actor = identify(request, readToken(request))
    if (actor instanceof Promise) actor.then(settle, done)
    else settle(actor)
  }

/** `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme in any letter case). */
export function bearerToken(request: FastifyRequest): string | undefined {
  return /^bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether it brings credentials that no browser adds by itself. */
export const isByHeader = (request: FastifyRequest): boolean => bearerToken(request) !== undefined || request.headers['x-api-key'] !== undefined

/** Beyond this a name of a program says nothing more. */
const userAgentCharacters = 300

export const callerOf = ({ ip, headers }: FastifyRequest): Caller => ({ ip, userAgent: headers['user-agent']?.slice(0, userAgentCharacters) })

export const requireAccess =
  (operation: Pick<Operation, 'access' | 'method' | 'readOnly'>): onRequestHookHandler =>
  ({ actor, csrfRejected }, _reply, done) => {
    done(operation.access === 'public' ? undefined : refusal(operation, actor, csrfRejected))
  }

function refusal(operation: Pick<Operation, 'access' | 'method' | 'readOnly'>, actor: Actor | undefined, csrfRejected: boolean): AppError | undefined {
  if (csrfRejected) return new AppError('csrf_rejected')
  if (actor === undefined) return new AppError('unauthorized')
  if (!hasScope(actor, scopeOf(operation))) return new AppError('insufficient_scope')
  return operation.access === 'admin' && actor.role !== 'admin' ? new AppError('forbidden') : undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | undefined
    /** The cookie was good for nothing, because the change may be a forged one. */
    csrfRejected: boolean
  }
}
