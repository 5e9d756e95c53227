/**
 * Other places to sign in. An OpenID Connect provider is found by its issuer, at the first use, so that one that is down keeps nobody from
 * starting the server; GitHub speaks plain OAuth 2 and tells who somebody is by an API of its own. `openid-client` does the protocol: it checks
 * `state`, `iss`, `nonce`, audience, times and signature.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import * as client from 'openid-client'
import type { OAuthProviderConfig } from '../oauth-config.ts'

/** What goes to the provider with the browser. */
export interface AuthorizationRequest {
  callbackUrl: string
  state: string
  nonce: string
  /** Ours (PKCE): only its hash goes with the browser. */
  codeVerifier: string
}

/** What the browser brought back, as it was in the query. */
export type AuthorizationAnswer = Readonly<Record<string, string>>

export interface OAuthIdentity {
  /** The provider's own id of the account, which never changes. */
  subject: string
  email: string | undefined
  /** Whether the provider has made sure that the address is this person's. */
  emailVerified: boolean
  displayName: string | undefined
  firstName: string | undefined
  lastName: string | undefined
}

export interface OAuthProvider {
  id: string
  name: string
  /** @returns where to send the browser; rejects when the provider cannot be reached */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  /** Rejects when the answer is not good, or the provider not there. */
  identify(answer: AuthorizationAnswer, request: AuthorizationRequest): Promise<OAuthIdentity | 'access_denied'>
}

const timeoutSeconds = 10

export const createOAuthProvider = (config: OAuthProviderConfig): OAuthProvider =>
  config.kind === 'github' ? createGitHub(config) : createOidcProvider(config)

function createOidcProvider({ id, label, issuer, clientId, clientSecret }: OAuthProviderConfig & { kind: 'oidc' }): OAuthProvider {
  const execute = [client.enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [client.allowInsecureRequests] : [])]
  const discover = keepSuccess(() =>
    client.discovery(new URL(issuer), clientId, clientSecret, authenticate(clientSecret), { execute, timeout: timeoutSeconds }),
  )

  return {
    id,
    name: label,
    authorizationUrl: async (request) => authorizationUrl(await discover(), request, { scope: 'openid email profile', nonce: request.nonce }),

    async identify(answer, request) {
      const configuration = await discover()
      const tokens = await requestTokens(configuration, answer, request, { expectedNonce: request.nonce })
      if (tokens === 'access_denied') return tokens
      const idToken = tokens.claims()
      if (idToken === undefined) throw new Error('The provider gave no ID token')
      // Many providers tell the address at this endpoint only; it is checked to be about the same account.
      const told = configuration.serverMetadata().userinfo_endpoint
        ? await client.fetchUserInfo(configuration, tokens.access_token, idToken.sub)
        : { email: undefined }
      // Who tells the address tells whether it is verified: the two may be different addresses.
      const { email, email_verified } = told.email === undefined ? idToken : told
      return toIdentity(checked(OidcClaims, { ...idToken, ...told, email, email_verified }))
    },
  }
}

/** Names and addresses are what people typed: what is of no use is left out later. */
const anything = Type.Optional(Type.Unknown())
const OidcClaims = Type.Object({
  sub: Type.String({ pattern: '^[\\x20-\\x7e]{1,255}$' }),
  email: anything,
  email_verified: anything,
  name: anything,
  given_name: anything,
  family_name: anything,
})

const toIdentity = ({ sub, email, email_verified, name, given_name, family_name }: Static<typeof OidcClaims>): OAuthIdentity => ({
  subject: sub,
  email: textOf(email),
  emailVerified: email_verified === true,
  displayName: textOf(name),
  firstName: textOf(given_name),
  lastName: textOf(family_name),
})

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** @param url `https://github.com`, or that of a GitHub Enterprise Server */
function createGitHub({ id, label, url, clientId, clientSecret }: OAuthProviderConfig & { kind: 'github' }): OAuthProvider {
  const oauth = `${url}/login/oauth`
  const api = url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`
  const metadata = { issuer: oauth, authorization_endpoint: `${oauth}/authorize`, token_endpoint: `${oauth}/access_token` }
  const configuration = new client.Configuration(metadata, clientId, clientSecret, client.ClientSecretPost(clientSecret))
  configuration.timeout = timeoutSeconds
  if (url.startsWith('http:')) client.allowInsecureRequests(configuration)

  const get = async <T extends TSchema>(path: string, schema: T, accessToken: string): Promise<Static<T>> => {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'Parley' })
    const response = await client.fetchProtectedResource(configuration, accessToken, new URL(`${api}${path}`), 'GET', null, headers)
    if (!response.ok) throw new Error(`GitHub answered ${response.status} to ${path}`)
    return checked(schema, await response.json())
  }

  return {
    id,
    name: label,
    authorizationUrl: async (request) => authorizationUrl(configuration, request, { scope: 'read:user user:email' }),

    async identify(answer, request) {
      const tokens = await requestTokens(configuration, answer, request)
      if (tokens === 'access_denied') return tokens
      const [user, emails] = await Promise.all([
        get('/user', GitHubUser, tokens.access_token),
        get('/user/emails?per_page=100', GitHubEmails, tokens.access_token),
      ])
      // The address of the profile is one that was chosen to be shown: it says nothing.
      const primary = emails.find((email) => email.primary)
      const [displayName, names] = [user.name ?? user.login, { firstName: undefined, lastName: undefined }]
      return { subject: String(user.id), email: primary?.email, emailVerified: primary?.verified === true, displayName, ...names }
    },
  }
}

const GitHubUser = Type.Object({
  id: Type.Integer(),
  login: Type.String(),
  name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})

const GitHubEmails = Type.Array(Type.Object({ email: Type.String(), primary: Type.Boolean(), verified: Type.Boolean() }))

async function authorizationUrl(
  configuration: client.Configuration,
  { callbackUrl, state, codeVerifier }: AuthorizationRequest,
  parameters: Record<string, string>,
): Promise<string> {
  const { href } = client.buildAuthorizationUrl(configuration, {
    redirect_uri: callbackUrl,
    state,
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  return href
}

async function requestTokens(
  configuration: client.Configuration,
  answer: AuthorizationAnswer,
  { callbackUrl, state, codeVerifier }: AuthorizationRequest,
  checks: client.AuthorizationCodeGrantChecks = {},
) {
  const url = new URL(`${callbackUrl}?${new URLSearchParams(answer)}`)
  try {
    return await client.authorizationCodeGrant(configuration, url, { expectedState: state, pkceCodeVerifier: codeVerifier, ...checks })
  } catch (error) {
    if (error instanceof client.AuthorizationResponseError && error.error === 'access_denied') return 'access_denied'
    const isSaid = error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError
    throw isSaid ? new Error(`The provider says ${error.error}: ${error.error_description ?? 'nothing more'}`) : error
  }
}

/** Registered clients use `Basic` unless they say otherwise, and servers must take it (RFC 6749, section 2.3.1); some say that they do not. */
function authenticate(clientSecret: string): client.ClientAuth {
  const [basic, post] = [client.ClientSecretBasic(clientSecret), client.ClientSecretPost(clientSecret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return methods.includes('client_secret_basic') ? basic(server, ...rest) : post(server, ...rest)
  }
}

function checked<T extends TSchema>(schema: T, value: unknown): Static<T> {
  if (!Value.Check(schema, value)) throw new Error(`The provider told something else than it should: ${Value.Errors(schema, value).First()?.path}`)
  return value
}

/** Asks once, whoever wants to know; after a failure again. */
function keepSuccess<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined
      throw error
    })
    return answer
  }
}
