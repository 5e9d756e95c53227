/** The tokens of one signed-in user: held, renewed once for any number of calls that need it, told to the application when they change. */
import { ForbiddenError, type ParleyError, UnauthorizedError } from './errors.ts'
import type { Runtime } from './runtime.ts'

/** What a client is signed in with. Without a refresh token it works until the access token expires. */
export interface Tokens {
  accessToken: string
  refreshToken?: string | undefined
}

export interface TokenKeeperOptions {
  initial: Tokens | null
  /** Exchanges a refresh token for the next pair. */
  exchange(refreshToken: string): Promise<Tokens & { expiresInSeconds?: number }>
  onTokens(tokens: Tokens | null): void
  onSignedOut(error: ParleyError): void
  runtime: Runtime
}

/** Renew before this much of a token's life is left: 30 seconds, or a tenth of a life that is short. */
const renewalMargin = (lifetimeSeconds: number) => Math.min(30, lifetimeSeconds / 10) * 1000

export function createTokenKeeper({ initial, runtime, exchange, onTokens, onSignedOut }: TokenKeeperOptions) {
  let tokens = initial
  let renewAt = initial ? renewalTime(initial.accessToken) : Infinity
  let renewing: Promise<void> | undefined

  const keeper = {
    get tokens() {
      return tokens
    },

    /** A lifetime that the server tells is counted on our own clock, so that a wrong clock does not make every token look old. */
    set(next: (Tokens & { expiresInSeconds?: number }) | null) {
      tokens = next && { accessToken: next.accessToken, ...(next.refreshToken && { refreshToken: next.refreshToken }) }
      const lifetime = next?.expiresInSeconds
      renewAt = lifetime === undefined ? renewalTime(next?.accessToken) : runtime.now() + lifetime * 1000 - renewalMargin(lifetime)
      renewing = undefined
      onTokens(tokens)
    },

    /** The access token, renewed if it is about to expire. A renewal that fails for a passing reason leaves the old one to try. */
    async fresh(): Promise<string | undefined> {
      if (tokens?.refreshToken && runtime.now() >= renewAt) {
        await keeper.renew().catch((error: unknown) => {
          if (!tokens) throw error
        })
      }
      return tokens?.accessToken
    },

    /** Renews the tokens; whoever calls while that is under way waits for the same renewal. @throws when it fails. */
    renew(): Promise<void> {
      const refreshToken = tokens?.refreshToken
      if (!refreshToken) return Promise.reject(new UnauthorizedError({ code: 'unauthorized', message: 'There is no refresh token: sign in', status: 401 }))
      renewing ??= renewWith(refreshToken)
      return renewing
    },
  }
  return keeper

  async function renewWith(refreshToken: string): Promise<void> {
    const isCurrent = () => tokens?.refreshToken === refreshToken
    try {
      const next = await exchange(refreshToken)
      if (isCurrent()) keeper.set(next)
    } catch (error) {
      if (!isCurrent()) return
      renewing = undefined
      if (error instanceof UnauthorizedError || error instanceof ForbiddenError) {
        keeper.set(null)
        onSignedOut(error)
      }
      throw error
    }
  }
}

/** When to renew a JWT; never if it does not say when it expires. */
function renewalTime(accessToken = ''): number {
  try {
    const payload = accessToken.split('.')[1] ?? ''
    const { exp, iat } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
    return exp * 1000 - renewalMargin(exp - iat) || Infinity
  } catch {
    return Infinity
  }
}
