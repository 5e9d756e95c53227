/**
 * Whether a request may have been made by a page of somebody else, in the name of whoever has the browser (CSRF). Such a page can send
 * cookies with forms and simple requests, but no header of its own choice without being asked by the browser first (CORS preflight),
 * and no other `Origin` than its own. Both are demanded.
 */
import type { FastifyRequest } from 'fastify'

export type RequestCheck = (request: FastifyRequest) => boolean

interface Options {
  /** Those of `CORS_ORIGINS`; `*` allows nobody here, for it is no decision about whom to trust. */
  corsOrigins: readonly string[]
  /** Where clients see the server, when that is known. */
  publicUrl: string | undefined
  /** Whether browsers reach it over https: a page that came without could be anybody's. */
  isSecure: boolean
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @returns whether the page that asks may use the cookies of the server. Programs that are no browsers send no `Origin`. */
export function createOriginCheck({ corsOrigins, publicUrl, isSecure }: Options): RequestCheck {
  const allowed = new Set([...corsOrigins, ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])])
  const isSame = ({ protocol, host }: URL, request: FastifyRequest): boolean => host === request.host && (protocol === 'https:' || !isSecure)

  return (request) => {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none'
    return allowed.has(origin) || (URL.canParse(origin) && isSame(new URL(origin), request))
  }
}

/** @returns whether it would be wrong to believe a cookie, for what the request wants to do */
export const createCsrfCheck =
  (isOfAllowedOrigin: RequestCheck): RequestCheck =>
  (request) => {
    const { method, headers } = request
    // No CORS protects sockets, and pages cannot add headers to their handshake: there the origin is all there is.
    if (safeMethods.has(method)) return headers.upgrade !== undefined && !isOfAllowedOrigin(request)
    return headers['x-requested-with'] === undefined || !isOfAllowedOrigin(request)
  }
