/** Calls on behalf of whoever is signed in: adds the access token, renews it when it is refused, keeps the tokens that sign-ins return, or turns them into a cookie. */
import { type ApiRequest, apiCall, type Call, type CallOptions, type Outcome, type UploadOptions } from './api-call.ts'
import { UnauthorizedError } from './errors.ts'
import { cancelStreams, isRepeatableBody } from './form.ts'
import { Resources } from './generated/resources.ts'
import type { TokenPair } from './generated/types.ts'
import { createTokenKeeper, type TokenKeeperOptions } from './tokens.ts'
import type { Send } from './transport.ts'

/** How a browser stays signed in by cookie. */
export interface CookieSessionOptions {
  /** Whether the cookie outlives the browser, for 30 days. Default: false. */
  rememberMe?: boolean
}

type SessionOptions = Omit<TokenKeeperOptions, 'exchange'> & { send: Send; cookieSession: CookieSessionOptions | undefined; onRefresh(): void }

export type Session = ReturnType<typeof createSession>

/** The server takes a refresh token twice within ten seconds, for an answer that got lost; later the second time looks like theft. */
const withinGrace: CallOptions = { timeoutMilliseconds: 4_000, retries: 2 }

export function createSession({ send, cookieSession, onRefresh, ...options }: SessionOptions) {
  const { auth } = new Resources((request, callOptions) => apiCall(send(request, callOptions)))
  const tokens = createTokenKeeper({ ...options, exchange })
  const call: Call = (request, callOptions) => apiCall(perform(request, callOptions))
  /** In cookie mode: the application knows, and need not be told again until a call is accepted. */
  let knownSignedOut = false
  return { call, tokens }

  async function perform<T>(request: ApiRequest, options?: UploadOptions): Promise<Outcome<T>> {
    const sending = request.public ? send<T>(request, options) : cookieSession ? sendWithCookie<T>(request, options) : sendSigned<T>(request, options)
    sending.catch((error) => request.body && cancelStreams(request.body, error))
    const outcome = await sending
    if (isTokenPair(outcome.data)) await keep(outcome.data)
    if (request.id === 'auth.logout') endSession()
    return outcome
  }

  function endSession(): void {
    if (cookieSession) knownSignedOut = true
    else tokens.set(null)
  }

  async function keep(pair: TokenPair): Promise<void> {
    if (!cookieSession) return tokens.set(pair)
    await auth.startCookieSession({ refreshToken: pair.refreshToken, rememberMe: cookieSession.rememberMe ?? false })
    knownSignedOut = false
  }

  async function sendWithCookie<T>(request: ApiRequest, callOptions?: UploadOptions): Promise<Outcome<T>> {
    // What began before says nothing of how it is now.
    const wasSignedOut = knownSignedOut
    try {
      const outcome = await send<T>(request, callOptions)
      if (wasSignedOut) knownSignedOut = false
      return outcome
    } catch (error) {
      if (isRefusal(error) && !wasSignedOut && !knownSignedOut) {
        knownSignedOut = true
        options.onSignedOut(error)
      }
      throw error
    }
  }

  async function sendSigned<T>(request: ApiRequest, options?: UploadOptions): Promise<Outcome<T>> {
    const accessToken = await tokens.fresh()
    try {
      return await send<T>(request, options, accessToken)
    } catch (error) {
      if (!isRefusal(error) || !tokens.tokens?.refreshToken || !isRepeatableBody(request.body)) throw error
      // Another call may have renewed it while this one was under way.
      if (tokens.tokens.accessToken === accessToken) await tokens.renew()
      return send<T>(request, options, tokens.tokens?.accessToken)
    }
  }

  function exchange(refreshToken: string): Promise<TokenPair> {
    onRefresh()
    return auth.refresh({ refreshToken }, withinGrace)
  }
}

/** What was wrong is who calls, and not a password. */
const isRefusal = (error: unknown): error is UnauthorizedError => error instanceof UnauthorizedError && error.code === 'unauthorized'

function isTokenPair(data: unknown): data is TokenPair {
  return typeof data === 'object' && data !== null && 'accessToken' in data && 'refreshToken' in data && 'expiresInSeconds' in data
}
