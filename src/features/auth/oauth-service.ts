/**
 * Signing in at a provider, in three steps: `start` sends the browser there, `finish` has it back, finds out whose account it is and gives it a
 * one-time code, `exchange` gives tokens for the code. A flow is bound twice: to the browser by a cookie, so that nobody has somebody else finish
 * theirs, and to the client by its `codeChallenge`, so that a code that was seen on the way is worth nothing. Each step can be taken
 * once: the first two take the flow out of the table; the last one leaves it there with the session that begins, which ends should the code come again
 * (RFC 6749, section 4.1.2). Secrets are kept as hashes.
 */
import type { SessionId, UserId } from '../../../openapi/shared/ids.ts'
import { Email } from '../../../openapi/shared/scalars.ts'
import type { Caller } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { OauthFlowRow } from '../../db/schema/credentials.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { AuthorizationAnswer, AuthorizationRequest, OAuthIdentity, OAuthProvider } from '../../integrations/oauth-provider.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import { isLoopbackHost, type OAuthConfig } from '../../oauth-config.ts'
import { hashOf, newSecret } from '../../secret.ts'
import { compileJsonValidation } from '../../validation.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import type { OAuthRepository } from './oauth-repository.ts'
import type { Sessions } from './sessions.ts'
import type { SignedIn, SignIn } from './sign-in.ts'

export const flowSeconds = 10 * 60
const codeSeconds = 60
/** Of a name, as the contract has it. */
const nameCharacters = 100

/** What the browser comes back with when there is no code. */
type Refusal = 'access_denied' | 'email_not_verified' | 'account_suspended' | 'failed'

export interface NewFlow {
  /** Where the client wants the browser back. */
  redirectUri: string
  /** The client's (PKCE, S256). */
  codeChallenge: string
  /** The secret in the browser's cookie. */
  browser: string
}

interface Dependencies {
  db: Executor
  flows: OAuthRepository
  providers: readonly OAuthProvider[]
  redirectUris: Pick<OAuthConfig, 'oauthRedirectUris' | 'oauthLoopbackAllowed'>
  /** The address that browsers reach this server by, without a slash at the end. */
  publicUrl(): string
  users: Pick<UserService, 'lock' | 'setEmailVerified' | 'createUnlessTaken'>
  signIn: Pick<SignIn, 'complete'>
  sessions: Pick<Sessions, 'endWithin' | 'tell'>
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  newId: NewId
  log: Log
}

export type OAuthService = ReturnType<typeof createOAuthService>

export function createOAuthService(dependencies: Dependencies) {
  const { db, flows, providers, redirectUris, publicUrl, users, signIn, sessions, jobs, security, clock, log } = dependencies
  const findUser = createUserFinder(dependencies)
  const isEmail = emailCheck()

  const requireProvider = (id: string): OAuthProvider => {
    const provider = providers.find((one) => one.id === id)
    if (provider === undefined) throw new AppError('not_found', 'There is no such provider.')
    return provider
  }

  const requestOf = (id: string, state: string, { nonce, codeVerifier }: Pick<OauthFlowRow, 'nonce' | 'codeVerifier'>): AuthorizationRequest => ({
    callbackUrl: `${publicUrl()}/v1/auth/oauth/${id}/callback`,
    state,
    nonce,
    codeVerifier,
  })

  /** What goes wrong there is for the log: the browser is told no more than that it did. */
  const orFailed = async <T>({ id }: OAuthProvider, asked: Promise<T>): Promise<T | 'failed'> =>
    asked.catch((error: unknown) => {
      log.warn({ provider: id, reason: reasonOf(error) }, 'Signing in at a provider failed')
      return 'failed'
    })

  /** The account that the provider vouches for, and the one-time code for it, stored together. */
  const admit = async (
    provider: OAuthProvider,
    flow: OauthFlowRow,
    identity: OAuthIdentity,
    caller: Caller,
  ): Promise<{ code: string } | { error: Refusal }> => {
    const { email, emailVerified } = identity
    const verifiedEmail = emailVerified && isEmail(email) ? email : undefined
    return db.transaction(async (tx) => {
      const user = await findUser({ provider, identity, verifiedEmail, caller }, tx)
      if (user === undefined) return { error: 'email_not_verified' }
      if (user.suspendedAt !== null) return { error: 'account_suspended' }
      const code = newSecret()
      const expiresAt = later(clock.now(), codeSeconds)
      await flows.insertFlow({ ...flow, codeHash: hashOf(code), userId: user.id, expiresAt }, tx)
      return { code }
    })
  }

  const endReused = async (sessionId: SessionId, { id: userId }: UserRow, { ip }: Caller, tx: Executor): Promise<SessionId[]> => {
    const ended = await sessions.endWithin({ sessionId }, 'oauth_code_reuse', tx)
    await security.record({ type: 'oauth_code_reused', userId, ip, metadata: { sessionId } }, tx)
    return ended
  }

  return {
    list: (): readonly OAuthProvider[] => providers,

    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await flows.deleteOf(id, tx)
    },

    /**
     * @returns where to send the browser
     * @throws `not_found` for a provider that is not configured, `validation_error` for a `redirectUri` that is not allowed
     */
    async start(providerId: string, { redirectUri, codeChallenge, browser }: NewFlow): Promise<string> {
      const provider = requireProvider(providerId)
      if (!isAllowed(redirectUri, redirectUris)) throw invalidField('query.redirectUri', 'is none that OAUTH_REDIRECT_URIS allows')
      const now = clock.now()
      const [state, nonce, codeVerifier] = [newSecret(), newSecret(), newSecret()]
      const url = await orFailed(provider, provider.authorizationUrl(requestOf(providerId, state, { nonce, codeVerifier })))
      if (url === 'failed') return withParameters(redirectUri, { error: 'failed' })
      const expiresAt = later(now, flowSeconds)
      await flows.deleteExpiredFlows(now)
      await flows.insertFlow({
        stateHash: hashOf(state),
        provider: providerId,
        browserHash: hashOf(browser),
        nonce,
        codeVerifier,
        redirectUri,
        codeChallenge,
        expiresAt,
      })
      return url
    },

    /**
     * @param answer what the browser brought back
     * @param browser the secret in its cookie
     * @returns where to send it on
     * @throws `invalid_token` when this browser has begun no such flow, has come back already, or takes too long
     */
    async finish(providerId: string, answer: AuthorizationAnswer & { state: string }, browser: string, caller: Caller): Promise<string> {
      const provider = requireProvider(providerId)
      const flow = await flows.takeByState({ stateHash: hashOf(answer.state), browserHash: hashOf(browser), provider: providerId }, clock.now())
      if (flow === undefined) throw new AppError('invalid_token', 'This sign-in was not begun in this browser, is done already or took too long; begin anew.')
      const identity = await orFailed(provider, provider.identify(answer, requestOf(providerId, answer.state, flow)))
      const outcome = typeof identity === 'string' ? { error: identity } : await admit(provider, flow, identity, caller)
      jobs.wake('auth.mailNewCredential')
      return withParameters(flow.redirectUri, outcome)
    },

    /**
     * Uses the code up, also where the user may not sign in. When it comes again, within its time and with its verifier, the session that it began has ended (RFC 6749, section 4.1.2).
     * @throws `invalid_token` when it is unknown, used or expired, or `codeVerifier` is not its client's; `account_suspended`
     */
    async exchange(code: string, codeVerifier: string, caller: Caller): Promise<SignedIn> {
      const codeHash = hashOf(code)
      const exchanged = db.transaction(async (tx): Promise<{ signedIn?: SignedIn; ended?: SessionId[] }> => {
        // Of several that bring one code, each waits here for the one before.
        const userId = await flows.findCodeOwner(codeHash, tx)
        const user = userId && (await users.lock({ id: userId }, tx))
        const flow = user && (await flows.findByCode(codeHash, clock.now(), tx))
        if (!flow) return {}
        const isClient = hashOf(codeVerifier) === flow.codeChallenge
        if (!isClient && flow.sessionId === null) await flows.deleteByCode(codeHash, tx)
        if (!isClient) return {}
        if (flow.sessionId !== null) return { ended: await endReused(flow.sessionId, user, caller, tx) }
        const signedIn = await signIn.complete(user, 'oauth', caller, tx)
        await flows.setSession(codeHash, signedIn.sessionId, tx)
        return { signedIn }
      })
      const { signedIn, ended = [] } = await exchanged.catch(async (error: unknown) => {
        // What it had done is undone with the transaction.
        if (error instanceof AppError && error.code === 'account_suspended') await flows.deleteByCode(codeHash, db)
        throw error
      })
      sessions.tell(ended)
      if (signedIn === undefined) throw new AppError('invalid_token')
      return signedIn
    },
  }
}

interface Arrival {
  provider: OAuthProvider
  identity: OAuthIdentity
  /** Undefined where the provider does not vouch for one. */
  verifiedEmail: string | undefined
  caller: Caller
}

/**
 * Whose account it is: by the provider's id of it; at the first time by the verified address, for whoever reads the mails of an account may
 * open it anyway. Somebody else may have registered the address in advance, so what was set before it was verified is worth nothing:
 * see `Users.setEmailVerified`.
 */
function createUserFinder({ flows, users, security, jobs, clock, newId }: Pick<Dependencies, 'flows' | 'users' | 'security' | 'jobs' | 'clock' | 'newId'>) {
  const findOrCreate = async (email: string, { displayName, firstName, lastName }: OAuthIdentity, tx: Executor): Promise<UserRow> => {
    const now = clock.now()
    // An id that no registration has: its password, if it has one, is not this person's.
    const prove = () => users.setEmailVerified(email, { at: now, requestId: newId() }, tx)
    const names = { displayName: cleanName(displayName), firstName: cleanName(firstName), lastName: cleanName(lastName) }
    const known = await prove()
    if (known !== undefined) return known
    await users.createUnlessTaken({ id: newId(), email, ...names, emailVerifiedAt: now, createdAt: now, updatedAt: now }, tx)
    // Another one with this address may have been faster.
    const user = await prove()
    if (user === undefined) throw new Error('The account went while it was made')
    return user
  }

  return async ({ provider, identity, verifiedEmail, caller }: Arrival, tx: Executor): Promise<UserRow | undefined> => {
    const key = { provider: provider.id, subject: identity.subject }
    // The user is locked before the account, here as where they are linked: locks in one order never wait in a circle.
    const useAccount = async () => {
      const userId = await flows.findUserId(key, tx)
      const user = userId && (await users.lock({ id: userId }, tx))
      if (user) await flows.markAccountUsed(key, clock.now(), tx)
      return user
    }
    const known = await useAccount()
    if (known !== undefined || verifiedEmail === undefined) return known
    const user = await findOrCreate(verifiedEmail, identity, tx)
    const isNew = await flows.insertAccount({ ...key, userId: user.id }, clock.now(), tx)
    if (!isNew) return useAccount()
    const { ip } = caller
    await security.record({ type: 'oauth_account_linked', userId: user.id, ip, metadata: { provider: provider.id } }, tx)
    const at = clock.now().toISOString()
    await jobs.enqueue(tx, 'auth.mailNewCredential', { credential: 'oauth_account', userId: user.id, ip, at, provider: provider.name })
    return user
  }
}

/** Exactly as configured: what merely looks alike may be somebody else's. */
function isAllowed(redirectUri: string, { oauthRedirectUris, oauthLoopbackAllowed }: Dependencies['redirectUris']): boolean {
  if (oauthRedirectUris.includes(redirectUri)) return true
  if (!oauthLoopbackAllowed || !URL.canParse(redirectUri)) return false
  const { protocol, hostname, username, password, hash } = new URL(redirectUri)
  return protocol === 'http:' && isLoopbackHost(hostname) && username === '' && password === '' && hash === ''
}

function withParameters(uri: string, parameters: Record<string, string>): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** What others chose to be called, within the contract's limits; null where nothing is left. */
function cleanName(name: string | undefined): string | null {
  const clean = (name ?? '')
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  return [...clean].slice(0, nameCharacters).join('').trim() || null
}

function emailCheck(): (email: string | undefined) => email is string {
  const validate = compileJsonValidation(Email, 'email')
  return (email): email is string => validate(email).length === 0
}

/** The sentences of an error and what caused it. What else errors bear may be a token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message
}

const later = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * 1000)
