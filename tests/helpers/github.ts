/**
 * A server that answers as GitHub's endpoints for sign-in do (as a GitHub Enterprise Server, whose API is under /api/v3): whoever is sent to it has
 * signed in as `person` and consents.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export const githubClient = { id: 'Iv1.0123456789abcdef', secret: 'a secret of this client' }

interface Person {
  user: { id: number; login: string; name: string | null; email: string | null }
  emails: { email: string; primary: boolean; verified: boolean; visibility: string | null }[]
}

export async function startGitHub(t: Pick<Test, 'teardown'>) {
  const state: { person?: Person; consents: boolean } = { consents: true }
  const codes = new Map<string, { redirectUri: string; challenge: string; person: Person }>()
  const tokens = new Map<string, Person>()

  const authorize = (query: URLSearchParams, response: ServerResponse): void => {
    const [redirectUri, challenge] = [query.get('redirect_uri') ?? '', query.get('code_challenge') ?? '']
    const isGood = query.get('client_id') === githubClient.id && query.get('scope') === 'read:user user:email' && query.get('code_challenge_method') === 'S256'
    if (!isGood || state.person === undefined) return void response.writeHead(404).end()
    const back = new URL(redirectUri)
    if (state.consents) {
      const code = randomBytes(10).toString('hex')
      codes.set(code, { redirectUri, challenge, person: state.person })
      back.searchParams.set('code', code)
    } else {
      back.searchParams.set('error', 'access_denied')
      back.searchParams.set('error_description', 'The user has denied your application access.')
      back.searchParams.set('error_uri', 'https://docs.github.com/apps')
    }
    back.searchParams.set('state', query.get('state') ?? '')
    response.writeHead(302, { location: back.href }).end()
  }

  const exchange = (body: URLSearchParams, response: ServerResponse): void => {
    const given = codes.get(body.get('code') ?? '')
    codes.delete(body.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url')
    const isClient = body.get('client_id') === githubClient.id && body.get('client_secret') === githubClient.secret
    // GitHub says also this with 200.
    if (!isClient || given?.challenge !== challenge || given.redirectUri !== body.get('redirect_uri'))
      return json(response, 200, { error: 'bad_verification_code' })
    const token = `gho_${randomBytes(18).toString('hex')}`
    tokens.set(token, given.person)
    json(response, 200, { access_token: token, scope: 'read:user,user:email', token_type: 'bearer' })
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://github')
    const person = tokens.get(request.headers.authorization?.replace(/^bearer /i, '') ?? '')
    if (url.pathname === '/login/oauth/authorize') return authorize(url.searchParams, response)
    if (url.pathname === '/login/oauth/access_token') return exchange(new URLSearchParams(await text(request)), response)
    if (request.headers['user-agent'] === undefined) return json(response, 403, { message: 'Request forbidden by administrative rules.' })
    if (person === undefined) return json(response, 401, { message: 'Bad credentials' })
    if (url.pathname === '/api/v3/user') return json(response, 200, person.user)
    if (url.pathname === '/api/v3/user/emails') return json(response, 200, person.emails)
    json(response, 404, { message: 'Not Found' })
  }

  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state }
}

const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
