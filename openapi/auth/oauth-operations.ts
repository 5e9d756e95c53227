import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { tokenPairExample } from './examples.ts'
import { ExchangeOAuthRequest, OAuthProviders, TokenPair } from './schemas.ts'

export const listOAuthProviders = defineOperation({
  operationId: 'auth.listOAuthProviders',
  method: 'GET',
  path: '/v1/auth/oauth/providers',
  summary: 'List where else one can sign in',
  access: 'public',
  rateLimit: 'none',
  responses: {
    200: {
      description: 'All that are configured',
      body: ref(OAuthProviders),
      example: { providers: [{ id: 'google', name: 'Google', startUrl: '/v1/auth/oauth/google' }] },
    },
  },
  errors: [],
})

const providerId = Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', description: 'Of `auth.listOAuthProviders`' })

export const startOAuth = defineOperation({
  operationId: 'auth.startOAuth',
  method: 'GET',
  path: '/v1/auth/oauth/{provider}',
  summary: 'Sign in at a provider',
  description:
    'For a browser to open as a page, at the public address of the server: it is sent to the provider, and comes back to `redirectUri` with `code` for `auth.exchangeOAuth`, or with `error` (`access_denied`, `email_not_verified`, `account_suspended`, `failed`). It must come back within 10 minutes, and in the same browser: a cookie tells. An account is found by the account at the provider or by its verified e-mail address, or made.',
  access: 'public',
  rateLimit: 'public',
  page: true,
  params: Type.Object({ provider: providerId }),
  query: Type.Object({
    redirectUri: Type.String({ maxLength: 2_000, format: 'uri', description: 'Where the browser shall come back to: one that OAUTH_REDIRECT_URIS allows' }),
    codeChallenge: Type.String({
      pattern: '^[A-Za-z0-9_-]{43}$',
      description: 'SHA-256, base64url, of a secret of the client, the `codeVerifier` of `auth.exchangeOAuth` (RFC 7636, section 4.2)',
    }),
  }),
  responses: { 302: { description: 'To the provider, or back to `redirectUri` with `error=failed` when that cannot be reached' } },
  errors: ['not_found'],
})

export const finishOAuth = defineOperation({
  operationId: 'auth.finishOAuth',
  method: 'GET',
  path: '/v1/auth/oauth/{provider}/callback',
  summary: 'Come back from a provider',
  description:
    'For the provider to send the browser to; the address to register there. It goes on to the `redirectUri` of `auth.startOAuth`. Whatever else a provider adds to the query is ignored.',
  access: 'public',
  rateLimit: 'public',
  page: true,
  params: Type.Object({ provider: providerId }),
  query: Type.Object(
    {
      state: Type.String({ maxLength: 200, description: 'As it was given to the provider' }),
      code: Type.Optional(Type.String({ maxLength: 4_000, description: "The provider's code" })),
      error: Type.Optional(Type.String({ maxLength: 200, description: 'Why the provider gives none' })),
      error_description: Type.Optional(Type.String({ maxLength: 2_000, description: 'The same in words, for the log' })),
      iss: Type.Optional(Type.String({ maxLength: 2_000, description: 'Who the provider is (RFC 9207)' })),
    },
    { additionalProperties: true },
  ),
  responses: { 302: { description: 'Back to the client, with `code` or `error`' } },
  errors: ['not_found', 'invalid_token'],
})

export const exchangeOAuth = defineOperation({
  operationId: 'auth.exchangeOAuth',
  method: 'POST',
  path: '/v1/auth/oauth/exchange',
  summary: 'Exchange a one-time code for tokens',
  description:
    'A code works once, also when the `codeVerifier` is wrong or the account suspended: then sign in again. When it comes a second time, the session that it began ends.',
  access: 'public',
  rateLimit: 'auth',
  body: ref(ExchangeOAuthRequest),
  examples: {
    any: { code: '2mHnGWTfrJ0V5b8Jc0vJ0g0w0yqQ2t3y4u5i6o7p8a9', codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' },
  },
  responses: { 200: { description: 'Signed in', body: ref(TokenPair), example: tokenPairExample } },
  errors: ['invalid_token', 'account_suspended'],
})
