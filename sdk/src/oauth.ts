/** Where the browser goes to sign in, and what the app keeps meanwhile. */
export interface OAuthRequest {
  /** Open it as a page: `location.assign(url)`, or the system's browser. */
  url: string
  /** Keep it until the browser is back, where nobody else can read it (`sessionStorage`), for `api.auth.exchangeOAuth`. */
  codeVerifier: string
}

/**
 * Begins a sign-in at another provider (PKCE, RFC 7636). The browser comes back to `redirectUri` with `code`, which works once and for a minute:
 *
 *     const { url, codeVerifier } = await createOAuthRequest({ baseUrl, provider: 'google', redirectUri: `${location.origin}/signed-in` })
 *     sessionStorage.setItem('codeVerifier', codeVerifier)
 *     location.assign(url)
 *     // … and at /signed-in
 *     await api.auth.exchangeOAuth({ code, codeVerifier })
 *
 * or with `error`: `access_denied`, `email_not_verified`, `account_suspended` or `failed`. It needs Web Crypto, which browsers have on
 * https:// and on localhost.
 *
 * @param options.baseUrl the public address of the server, the same as for `new Parley`
 * @param options.provider `id` of one of `api.auth.listOAuthProviders()`
 * @param options.redirectUri one that the server's OAUTH_REDIRECT_URIS allows
 */
export async function createOAuthRequest(options: { baseUrl: string; provider: string; redirectUri: string }): Promise<OAuthRequest> {
  const codeVerifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier))
  const query = new URLSearchParams({ redirectUri: options.redirectUri, codeChallenge: base64url(new Uint8Array(challenge)) })
  return { url: `${options.baseUrl.replace(/\/+$/, '')}/v1/auth/oauth/${encodeURIComponent(options.provider)}?${query}`, codeVerifier }
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
