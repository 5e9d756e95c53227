import type { FastifyReply, FastifyRequest } from 'fastify'
import type * as operations from '../../../openapi/auth/oauth-operations.ts'
import type { OAuthProvider as OAuthProviderBody } from '../../../openapi/auth/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { OAuthProvider } from '../../integrations/oauth-provider.ts'
import { newSecret } from '../../secret.ts'
import { flowSeconds, type OAuthService } from './oauth-service.ts'
import { serializeTokenPair } from './serialize.ts'

interface Options {
  oauth: OAuthService
  /** Whether browsers reach the server over https. */
  isSecure: boolean
}

export const oauthRoutes = ({ oauth, isSecure }: Options): Handlers<typeof operations> => {
  const cookie = createBrowserCookie(isSecure)

  return {
    'auth.listOAuthProviders': async () => ({ providers: oauth.list().map(serializeProvider) }),

    'auth.startOAuth': async ({ params, query, request, reply }) => {
      const browser = cookie.read(request) ?? newSecret()
      const url = await oauth.start(params.provider, { ...query, browser })
      cookie.write(reply, browser)
      sendOn(reply, url)
    },

    'auth.finishOAuth': async ({ params, query, caller, request, reply }) => {
      const { state, code, error, error_description, iss } = query
      const answer = { state, ...(code && { code }), ...(error && { error }), ...(error_description && { error_description }), ...(iss && { iss }) }
      sendOn(reply, await oauth.finish(params.provider, answer, cookie.read(request) ?? '', caller))
    },

    'auth.exchangeOAuth': async ({ body, caller }) => serializeTokenPair(await oauth.exchange(body.code, body.codeVerifier, caller)),
  }
}

/** One secret for all the flows of a browser, so that two tabs do not put each other out. */
function createBrowserCookie(isSecure: boolean) {
  const name = isSecure ? '__Host-parley-oauth' : 'parley-oauth'
  return {
    read: ({ cookies }: FastifyRequest): string | undefined => (/^[\w-]{43}$/.test(cookies[name] ?? '') ? cookies[name] : undefined),

    write(reply: FastifyReply, browser: string): void {
      // `lax`: it comes back from another site, by a link.
      reply.setCookie(name, browser, { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure, maxAge: flowSeconds })
    },
  }
}

function sendOn(reply: FastifyReply, url: string): void {
  reply.headers({ location: url, 'referrer-policy': 'no-referrer' })
}

const serializeProvider = ({ id, name }: OAuthProvider): OAuthProviderBody => ({ id, name, startUrl: `/v1/auth/oauth/${id}` })
