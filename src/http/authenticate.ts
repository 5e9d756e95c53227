import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { Access } from '../../openapi/contract.ts'
import type { Actor } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'

type VerifyToken = (token: string) => Actor | undefined

/** Sets `request.actor` where the token is good. Whoever needs one is refused later, after the limits. */
export const createIdentify =
  (verifyToken: VerifyToken, readToken: (request: FastifyRequest) => string | undefined = bearerToken): onRequestAsyncHookHandler =>
  async (request) => {
    const token = readToken(request)
    request.actor = token === undefined ? undefined : verifyToken(token)
  }

/** `Authorization: Bearer …` (RFC 6750, section 2.1; the scheme in any letter case). */
export function bearerToken(request: FastifyRequest): string | undefined {
  return /^bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

export const requireAccess =
  (access: Access): onRequestAsyncHookHandler =>
  async (request) => {
    if (access === 'public') return
    if (request.actor === undefined) throw new AppError('unauthorized')
    if (access === 'admin' && request.actor.role !== 'admin') throw new AppError('forbidden')
  }

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | undefined
  }
}
