/** The cookie of a browser's session: scripts cannot read it, and other sites cannot send it with their forms. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { isByHeader } from './authenticate.ts'

export type SessionCookie = ReturnType<typeof createSessionCookie>

interface Options {
  /** Whether browsers reach the server over https. */
  isSecure: boolean
  clock: Clock
}

export function createSessionCookie({ isSecure, clock }: Options) {
  const name = cookieName(isSecure)
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure } as const
  const read = (request: FastifyRequest): string | undefined => request.cookies[name]

  return {
    /** As the browser sent it, good or not. */
    read,

    /** @param until undefined for when the browser is closed */
    set(reply: FastifyReply, value: string, until: Date | undefined): void {
      const maxAge = until && Math.floor((until.getTime() - clock.now().getTime()) / 1000)
      reply.setCookie(name, value, { ...attributes, ...(maxAge !== undefined && { maxAge }) })
    },

    /** Where it was what the request is signed in by. */
    clear(request: FastifyRequest, reply: FastifyReply): void {
      if (read(request) !== undefined && !isByHeader(request)) reply.setCookie(name, '', { ...attributes, maxAge: 0 })
    },
  }
}

/** With the prefix a browser takes it over https only, from this very host, for all paths (RFC 6265bis, section 4.1.3.2). */
const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-parley' : 'parley')
