import type { ParleyError } from './errors.ts'
import { Resources } from './generated/resources.ts'
import { type Runtime, systemRuntime } from './runtime.ts'
import { type CookieSessionOptions, createSession, type Session } from './session.ts'
import type { Tokens } from './tokens.ts'
import { createTransport, type DebugEvent } from './transport.ts'

/** How to reach a Parley server, and as whom. Only `baseUrl` is needed. */
export interface ParleyOptions {
  /** Where the server is: `http://localhost:3000`. A path is kept as a prefix. */
  baseUrl: string
  /** To go on with the tokens of an earlier run; see `onTokens`. */
  accessToken?: string | undefined
  /** With it, access tokens are renewed by themselves. */
  refreshToken?: string | undefined
  /** Instead of tokens, for programs on servers: a key of `apiKeys.create`, `pk_…`. It is good until it expires or is revoked. */
  apiKey?: string | undefined
  /**
   * For browsers: sign-ins are turned into an HTTP-only cookie, which no script can read, and no token is kept. The page must be of the
   * server's own origin or one of its `CORS_ORIGINS`. Tokens, and `onTokens`, play no part then.
   */
  cookieSession?: CookieSessionOptions
  /** For one attempt. Default: 30,000. */
  timeoutMilliseconds?: number
  /** How often a call is tried again, where that is safe. Default: 3. */
  retries?: number
  /** Sent with every request. */
  headers?: Record<string, string>
  /** Instead of the global one. */
  fetch?: typeof fetch
  /** Called whenever the tokens change, null when they are gone: the place to store them. */
  onTokens?(tokens: Tokens | null): void
  /** Called once when the server refuses to renew the tokens, after `onTokens(null)`, or does not take the cookie any more: show the sign-in page. */
  onSignedOut?(error: ParleyError): void
  /** Told of every request, response, retry and renewal. Tokens and bodies are never in it. */
  debug?(event: DebugEvent): void
  /** Time and chance, for deterministic tests. */
  runtime?: Runtime
}

/**
 * The API of a Parley server. Its methods are the operations of the contract: `api.<resource>.<verb>(…path parameters, body, query, options)`.
 *
 * It keeps the tokens that a sign-in returns, renews them before they expire, and repeats what failed for a passing reason where that
 * is safe: sends bear a `clientId`, so a repetition never doubles a message. What fails throws a `ParleyError`; every call can throw
 * `UnauthorizedError`, `RateLimitError`, `ServerError`, `ConnectionError` and `TimeoutError`, and each method names what else it throws.
 *
 *     const api = new Parley({ baseUrl: 'http://localhost:3000' })
 *     await api.auth.login({ identifier: 'alice', password })
 *     for await (const conversation of api.conversations.list()) …
 */
export class Parley extends Resources {
  /** Without a slash at the end. */
  readonly baseUrl: string
  readonly runtime: Runtime
  /** Whether a cookie says who is signed in: then there are no tokens. */
  readonly byCookie: boolean
  readonly #session: Session

  constructor(options: ParleyOptions) {
    const { apiKey, accessToken = apiKey, refreshToken, cookieSession } = options
    const { timeoutMilliseconds = 30_000, retries = 3, headers = {}, runtime = systemRuntime } = options
    const baseUrl = options.baseUrl.replace(/\/+$/, '')
    const debug = (event: DebugEvent) => options.debug?.(event)
    const fetch: typeof globalThis.fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init))
    const byCookie = cookieSession !== undefined
    const session = createSession({
      send: createTransport({ baseUrl, fetch, timeoutMilliseconds, retries, headers, debug, runtime, byCookie }),
      cookieSession,
      initial: accessToken === undefined || byCookie ? null : { accessToken, refreshToken },
      runtime,
      onRefresh: () => debug({ type: 'refresh' }),
      onTokens: (tokens) => options.onTokens?.(tokens),
      onSignedOut: (error) => options.onSignedOut?.(error),
    })
    super(session.call)
    this.baseUrl = baseUrl
    this.runtime = runtime
    this.byCookie = byCookie
    this.#session = session
  }

  /** What the client is signed in with; null when it is not, or by cookie. */
  get tokens(): Tokens | null {
    return this.#session.tokens.tokens
  }

  /** Signs in with tokens of an earlier run, or, with null, forgets them (`auth.logout` also ends the session on the server). */
  setTokens(tokens: Tokens | null): void {
    this.#session.tokens.set(tokens)
  }

  /** Signs in with an access token alone, or an API key: it is used until it expires. */
  setToken(accessToken: string): void {
    this.setTokens({ accessToken })
  }

  /**
   * An access token that is not about to expire, for requests of your own; undefined when nobody is signed in, or by cookie.
   * @throws {UnauthorizedError} {ForbiddenError} when the server refuses to renew it
   */
  getAccessToken(): Promise<string | undefined> {
    return this.#session.tokens.fresh()
  }

  /**
   * Renews the tokens now; calls in parallel share one renewal. There is seldom a reason to: it happens by itself.
   * @throws {UnauthorizedError} {ForbiddenError} when the server refuses: you are signed out
   */
  refreshTokens(): Promise<void> {
    return this.#session.tokens.renew()
  }
}
