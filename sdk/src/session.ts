/** Calls on behalf of whoever is signed in: adds the access token, renews it when it is refused, keeps the tokens that sign-ins return. */
import { type ApiRequest, apiCall, type Call, type CallOptions, type Outcome } from './api-call.ts'
import { type ParleyError, UnauthorizedError } from './errors.ts'
import { Resources } from './generated/resources.ts'
import type { TokenPair } from './generated/types.ts'
import type { Runtime } from './runtime.ts'
import { createTokenKeeper, type TokenKeeper, type Tokens } from './tokens.ts'
import type { Send } from './transport.ts'

interface SessionOptions {
  send: Send
  initial: Tokens | null
  runtime: Runtime
  onRefresh(): void
  onTokens(tokens: Tokens | null): void
  onSignedOut(error: ParleyError): void
}

export interface Session {
  call: Call
  tokens: TokenKeeper
}

export function createSession({ send, initial, runtime, onRefresh, onTokens, onSignedOut }: SessionOptions): Session {
  const { auth } = new Resources((request, options) => apiCall(send(request, options)))
  const tokens = createTokenKeeper({ initial, now: runtime.now, exchange, onTokens, onSignedOut })
  return { call: (request, options) => apiCall(perform(request, options)), tokens }

  async function perform<T>(request: ApiRequest, options?: CallOptions): Promise<Outcome<T>> {
    const outcome = request.public ? await send<T>(request, options) : await sendSigned<T>(request, options)
    if (isTokenPair(outcome.data)) tokens.set(outcome.data)
    if (request.id === 'auth.logout') tokens.set(null)
    return outcome
  }

  async function sendSigned<T>(request: ApiRequest, options?: CallOptions): Promise<Outcome<T>> {
    const accessToken = await tokens.fresh()
    try {
      return await send<T>(request, options, accessToken)
    } catch (error) {
      const isExpired = error instanceof UnauthorizedError && error.code === 'unauthorized'
      if (!isExpired || !tokens.tokens?.refreshToken) throw error
      // Another call may have renewed it while this one was under way.
      if (tokens.tokens.accessToken === accessToken) await tokens.renew()
      return send<T>(request, options, tokens.tokens?.accessToken)
    }
  }

  function exchange(refreshToken: string): Promise<TokenPair> {
    onRefresh()
    return auth.refresh({ refreshToken })
  }
}

function isTokenPair(data: unknown): data is TokenPair {
  return typeof data === 'object' && data !== null && 'accessToken' in data && 'refreshToken' in data && 'expiresInSeconds' in data
}
