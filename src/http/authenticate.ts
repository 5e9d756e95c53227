import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Access } from '../../openapi/contract.ts'
import type { Actor } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'

type VerifyToken = (token: string) => Actor | undefined

/** Sets `request.actor` where the token is good. Whoever needs one is refused later, after the limits. */
export const createIdentify =
  (verifyToken: VerifyToken, readToken: (request: FastifyRequest) => string | undefined = bearerToken): onRequestHookHandler =>
  (request, _reply, done) => {
    const token = readToken(request)
    request.actor = token === undefined ? undefined : verifyToken(token)
    done()
  }

/** `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme in any letter case). */
export function bearerToken(request: FastifyRequest): string | undefined {
  return /^bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

export const requireAccess =
  (access: Access): onRequestHookHandler =>
  ({ actor }, _reply, done) => {
    if (access !== 'public' && actor === undefined) done(new AppError('unauthorized'))
    else if (access === 'admin' && actor?.role !== 'admin') done(new AppError('forbidden'))
    else done()
  }

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | undefined
  }
}
