/** The part of the environment that says where else one can sign in: providers, and the addresses of apps that may be sent back to. */
import { StartError } from './start-error.ts'

interface Client {
  /** Its name in paths. */
  id: string
  /** For people. */
  label: string
  clientId: string
  clientSecret: string
}

export type OAuthProviderConfig = (Client & { kind: 'oidc'; issuer: string }) | (Client & { kind: 'github'; url: string })

export interface OAuthConfig {
  oauthProviders: OAuthProviderConfig[]
  /** Written exactly as clients must write them. */
  oauthRedirectUris: string[]
  /** Whether apps on this machine may be sent back to as well, at whatever port. */
  oauthLoopbackAllowed: boolean
}

interface Options {
  environment: 'development' | 'test' | 'production'
  publicUrl: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** @throws StartError with a sentence that names the variable and what is wrong with it. */
export function loadOAuthConfig(env: Environment, { environment, publicUrl }: Options): OAuthConfig {
  const production = environment === 'production'
  const providers = [readGoogle(env), readGitHub(env, production), ...otherNames(env).map((name) => readIssuer(env, name, production))]
  const oauthProviders = providers.filter((provider) => provider !== undefined)
  const oauthRedirectUris = readRedirectUris(env.OAUTH_REDIRECT_URIS || '', production)
  if (production && oauthProviders.length > 0) {
    if (publicUrl === undefined)
      throw new StartError('PUBLIC_URL is required in production where OAUTH_ variables are set: providers send browsers back to it.')
    if (oauthRedirectUris.length === 0) {
      throw new StartError('OAUTH_REDIRECT_URIS is required in production where a provider is configured: without it no app can be come back to.')
    }
  }
  return { oauthProviders, oauthRedirectUris, oauthLoopbackAllowed: environment === 'development' }
}

export const isLoopbackHost = (hostname: string): boolean => hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)

function readGoogle(env: Environment): OAuthProviderConfig | undefined {
  const client = readClient(env, 'GOOGLE')
  return client && { kind: 'oidc', id: 'google', label: 'Google', issuer: 'https://accounts.google.com', ...client }
}

function readGitHub(env: Environment, production: boolean): OAuthProviderConfig | undefined {
  const client = readClient(env, 'GITHUB')
  const url = readUrl(env, 'OAUTH_GITHUB_URL', production)
  if (url !== undefined && client === undefined) throw missing('OAUTH_GITHUB_URL', 'OAUTH_GITHUB_CLIENT_ID and OAUTH_GITHUB_CLIENT_SECRET')
  return client && { kind: 'github', id: 'github', label: 'GitHub', url: url?.replace(/\/+$/, '') ?? 'https://github.com', ...client }
}

function readIssuer(env: Environment, name: string, production: boolean): OAuthProviderConfig {
  const prefix = `OAUTH_${name}`
  const client = readClient(env, name)
  const issuer = readUrl(env, `${prefix}_ISSUER`, production)
  if (client === undefined) throw missing(`${prefix}_${issuer === undefined ? 'LABEL' : 'ISSUER'}`, `${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`)
  if (issuer === undefined) throw missing(`${prefix}_CLIENT_ID`, `${prefix}_ISSUER`)
  const id = name.toLowerCase().replaceAll('_', '-')
  return { kind: 'oidc', id, label: env[`${prefix}_LABEL`] || name, issuer, ...client }
}

/** The names that only the environment knows, in the order of the alphabet. */
function otherNames(env: Environment): string[] {
  const found = Object.keys(env).flatMap((variable) => {
    const [, name] = /^OAUTH_(.+)_(?:ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL)$/.exec(variable) ?? []
    return name === undefined || !env[variable] ? [] : [{ variable, name }]
  })
  for (const { variable, name } of found) {
    if (!/^[A-Z][A-Z0-9_]{0,31}$/.test(name) || name === 'PROVIDERS') {
      throw new StartError(`${variable} must bear a name of up to 32 capital letters, digits and underscores that begins with a letter and is not PROVIDERS.`)
    }
    if (isKnown(name) && /_(ISSUER|LABEL)$/.test(variable)) throw new StartError(`${variable} must be left out: where this provider is, is known.`)
  }
  return [...new Set(found.map(({ name }) => name))].filter((name) => !isKnown(name)).toSorted()
}

const isKnown = (name: string): boolean => name === 'GOOGLE' || name === 'GITHUB'

function readClient(env: Environment, name: string): Pick<Client, 'clientId' | 'clientSecret'> | undefined {
  const [idVariable, secretVariable] = [`OAUTH_${name}_CLIENT_ID`, `OAUTH_${name}_CLIENT_SECRET`]
  const { [idVariable]: clientId, [secretVariable]: clientSecret } = env
  if (!clientId && !clientSecret) return undefined
  if (!clientId) throw missing(secretVariable, idVariable)
  if (!clientSecret) throw missing(idVariable, secretVariable)
  return { clientId, clientSecret }
}

const missing = (present: string, absent: string): StartError => new StartError(`${present} must be set together with ${absent}.`)

function readUrl(env: Environment, variable: string, production: boolean): string | undefined {
  const value = env[variable]
  if (!value) return undefined
  const { protocol, search, hash, username } = URL.canParse(value) ? new URL(value) : { protocol: '', search: '', hash: '', username: '' }
  const allowed = production ? ['https:'] : ['https:', 'http:']
  if (!allowed.includes(protocol) || search !== '' || hash !== '' || username !== '') {
    throw new StartError(`${variable} must be a URL that starts with ${allowed.map((one) => `${one}//`).join(' or ')}, without a query.`)
  }
  return value
}

function readRedirectUris(value: string, production: boolean): string[] {
  const uris = value
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => uri !== '')
  if (uris.every((uri) => isRedirectUri(uri, production))) return uris
  throw new StartError(
    `OAUTH_REDIRECT_URIS must be URIs like https://app.example.com/signed-in or com.example.app:/signed-in, separated by commas${production ? ', http:// only on loopback' : ''}.`,
  )
}

/** What runs or opens something where it is followed is no address to come back to. */
const unsafeSchemes: ReadonlySet<string> = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'view-source:'])

function isRedirectUri(uri: string, production: boolean): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  const { protocol, hostname, username, password } = new URL(uri)
  if (unsafeSchemes.has(protocol) || username !== '' || password !== '') return false
  return protocol !== 'http:' || !production || isLoopbackHost(hostname)
}
