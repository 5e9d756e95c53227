/** The states of a sign-in at a provider without the provider: GitHub's addresses are known, so nobody needs to be asked for them. */
import { createHash, randomBytes } from 'node:crypto'
import type { UserId } from '../../openapi/shared/ids.ts'
import { oauthFlows } from '../../src/db/schema/credentials.ts'
import type { TestServer } from './server.ts'

export const githubEnv = { OAUTH_GITHUB_CLIENT_ID: 'client', OAUTH_GITHUB_CLIENT_SECRET: 'secret' }

export const startSearch = `?${new URLSearchParams({ redirectUri: 'http://localhost:5173/', codeChallenge: 'a'.repeat(43) })}`

/** A browser that GitHub sends back with a refusal. */
export async function refusedAtGitHub(server: TestServer) {
  const { headers } = await server.request('GET', `/v1/auth/oauth/github${startSearch}`)
  const state = new URL(headers.get('location') ?? '').searchParams.get('state')
  return { search: `?state=${state}&error=access_denied`, headers: { cookie: headers.get('set-cookie')?.split(';')[0] ?? '' } }
}

/** What a client holds when its user has come back. */
export async function cameBack({ database }: TestServer, userId: UserId) {
  const [code, codeVerifier] = [newSecret(), newSecret()]
  await database.db.insert(oauthFlows).values({
    ...{ stateHash: newSecret(), provider: 'github', browserHash: newSecret(), nonce: '', codeVerifier: '', redirectUri: 'http://localhost:5173/' },
    ...{ codeChallenge: hash(codeVerifier), codeHash: hash(code), userId, expiresAt: new Date(Date.now() + 60_000) },
  })
  return { code, codeVerifier }
}

const newSecret = () => randomBytes(32).toString('base64url')
const hash = (secret: string) => createHash('sha256').update(secret).digest('base64url')
