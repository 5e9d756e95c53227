/**
 * Whether a request may have been made by a page of somebody else, in the name of whoever has the browser (CSRF). Such a page can send
 * cookies with forms and simple requests, but no header of its own choice without being asked by the browser first (CORS preflight),
 * and no other `Origin` than its own. Both are demanded.
 */
import type { FastifyRequest } from 'fastify'

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** @param origins those of `CORS_ORIGINS`; `*` allows nobody here, for it is no decision about whom to trust */
export const createCsrfCheck =
  (origins: readonly string[]) =>
  (request: FastifyRequest): boolean =>
    !safeMethods.has(request.method) && (request.headers['x-requested-with'] === undefined || !isOfAllowedOrigin(request, origins))

/** Also for sockets, whose handshake is a GET that no CORS protects. Programs that are no browsers send no `Origin`. */
export function isOfAllowedOrigin({ headers, host }: FastifyRequest, origins: readonly string[]): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none'
  return origins.includes(origin) || (URL.canParse(origin) && new URL(origin).host === host)
}
