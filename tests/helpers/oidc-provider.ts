/** A real OpenID Connect provider on this machine, with pages to sign in and to consent. Whoever is in `people` can sign in, with any password. */
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import type { Test } from 'tap'

export const oidcClient = { id: 'parley', secret: 'a secret of this client, long enough' }

export async function startOidcProvider(t: Pick<Test, 'teardown'>) {
  const people = new Map<string, Record<string, unknown>>()
  const atUserinfo = new Map<string, Record<string, unknown>>()
  let listener: RequestListener = (_request, response) => void response.writeHead(503).end()
  const forgery: { change?: (path: string, body: string) => string } = {}
  const server = createServer((request, response) => {
    const end: (body: unknown) => ServerResponse = response.end.bind(response)
    const { change } = forgery
    if (change !== undefined) Object.assign(response, { end: (body: unknown) => end(typeof body === 'string' ? change(request.url ?? '', body) : body) })
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

  return {
    issuer,
    people,
    /** What its userinfo endpoint says otherwise than the ID token, of people by their login. */
    atUserinfo,
    /** Puts words of the same length into its mouth. */
    forgery,

    /** Until it is opened it answers 503 to all. */
    open(callbackUrl: string): void {
      const provider = quietly(
        () =>
          new Provider(issuer, {
            clients: [{ client_id: oidcClient.id, client_secret: oidcClient.secret, redirect_uris: [callbackUrl] }],
            // Clients may read who somebody is in either place.
            conformIdTokenClaims: false,
            claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
            cookies: { keys: ['a key of these tests'] },
            jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' }] },
            async findAccount(_context, id) {
              const claims = people.get(id)
              return claims && { accountId: id, claims: (use: string) => ({ sub: id, ...claims, ...(use === 'userinfo' && atUserinfo.get(id)) }) }
            },
          }),
      )
      listener = provider.callback()
    },
  }
}

/** It warns of what is for development only, as this is. */
function quietly<T>(make: () => T): T {
  const { warn } = console
  console.warn = () => undefined
  try {
    return make()
  } finally {
    console.warn = warn
  }
}
