/** Who somebody is: passwords, codes, other providers, sessions with their tokens and cookies, API keys. */
import type { Actor } from '../actor.ts'
import type { CheckedCredentials } from '../credential-ends.ts'
import { createAdmission } from '../features/accounts/admission.ts'
import { createAccountRepository } from '../features/accounts/repository.ts'
import { createApiKeyRepository } from '../features/api-keys/repository.ts'
import { createApiKeyService } from '../features/api-keys/service.ts'
import { createAccessTokens } from '../features/auth/access-tokens.ts'
import { createCodeRepository } from '../features/auth/code-repository.ts'
import { createCodes } from '../features/auth/codes.ts'
import { createCookieSessions } from '../features/auth/cookie-sessions.ts'
import { createCredentialNotices } from '../features/auth/credential-mail.ts'
import { createDeviceRepository } from '../features/auth/device-repository.ts'
import { createDevices } from '../features/auth/devices.ts'
import { createGuessing } from '../features/auth/guessing.ts'
import { createGuessingRepository } from '../features/auth/guessing-repository.ts'
import { deriveKey, deriveKeys } from '../features/auth/keys.ts'
import { createOAuthRepository } from '../features/auth/oauth-repository.ts'
import { createOAuthService } from '../features/auth/oauth-service.ts'
import { createPasswordNotices } from '../features/auth/password-mail.ts'
import { createPasswordResetRepository } from '../features/auth/password-reset-repository.ts'
import { createPasswordResets } from '../features/auth/password-resets.ts'
import { createPasswordService } from '../features/auth/password-service.ts'
import { createPasswords } from '../features/auth/passwords.ts'
import { createRevocations } from '../features/auth/revocations.ts'
import { createAuthService } from '../features/auth/service.ts'
import { createSessionRepository } from '../features/auth/session-repository.ts'
import { createSessionService } from '../features/auth/session-service.ts'
import { createSessions } from '../features/auth/sessions.ts'
import { createSignIn } from '../features/auth/sign-in.ts'
import type { SecurityService } from '../features/security/service.ts'
import type { UserService } from '../features/users/service.ts'
import { createOAuthProvider } from '../integrations/oauth-provider.ts'
import type { Foundation } from './foundation.ts'

interface Dependencies {
  users: UserService
  security: SecurityService
  /** Where providers send browsers back to; known once the server listens. */
  publicUrl(): string
}

export type Identity = Awaited<ReturnType<typeof composeIdentity>>

export async function composeIdentity(foundation: Foundation, { users, security, publicUrl }: Dependencies) {
  const { config, db, clock, newId, log, jobs, mailer } = foundation
  const given = { db, users, security, jobs, clock, newId }
  const secrets = [config.jwtSecret, ...(config.jwtSecretPrevious ? [config.jwtSecretPrevious] : [])] as const

  const { revocations, checkCredentials, sessions, sessionService, cookieSessions, apiKeys } = await composeCredentials(
    foundation,
    { users, security },
    secrets,
  )
  const accessTokens = createAccessTokens({ secrets, revocations, clock })

  const fixedCode = config.environment === 'development' ? '000000' : undefined
  const codes = createCodes({ codes: createCodeRepository(db), users, mailer, security, keys: deriveKeys(secrets, 'email-codes'), clock, fixedCode })
  const resets = createPasswordResets({ resets: createPasswordResetRepository(db), users, mailer, security, pageUrl: config.passwordResetUrl, clock })
  const devices = createDevices({ devices: createDeviceRepository(), users, security, jobs, mailer, clock })
  await jobs.work('auth.mailCode', codes.mail)
  await jobs.work('auth.mailPasswordReset', resets.mail)
  await jobs.work('auth.mailPasswordNotice', createPasswordNotices({ users, apiKeys, mailer }))
  await jobs.work('auth.mailNewCredential', createCredentialNotices({ users, mailer }))
  await jobs.work('auth.mailNewDevice', devices.mail)

  const passwords = createPasswords()
  const guessing = createGuessing({ failures: createGuessingRepository(db), security, key: deriveKey(config.jwtSecret, 'sign-in-failures'), clock })
  const admit = createAdmission({ accounts: createAccountRepository(db), users, security, jobs, clock })
  const signIn = createSignIn({ admit, sessions, devices, accessTokens, security, clock })
  const { registrationConflicts } = config
  const auth = createAuthService({ ...given, registrationConflicts, sessions, codes, passwords, guessing, signIn })
  const passwordService = createPasswordService({ ...given, sessions, passwords, resets, guessing })
  const providers = config.oauthProviders.map(createOAuthProvider)
  const oauth = createOAuthService({ ...given, flows: createOAuthRepository(db), providers, redirectUris: config, publicUrl, signIn, sessions, log })
  const eraseWithin = [sessions, apiKeys, oauth, devices, codes, resets, guessing].map((keeper) => keeper.eraseWithin)
  return {
    eraseWithin,
    auth,
    passwordService,
    oauth,
    sessions,
    sessionService,
    cookieSessions,
    apiKeys,
    accessTokens,
    revocations,
    checkCredentials,
    passwords,
    guessing,
  }
}

/** What somebody acts with once signed in, and how all processes hear that it has ended. */
async function composeCredentials(
  { database, db, clock, newId, log, topics, bus, jobs }: Foundation,
  { users, security }: Pick<Dependencies, 'users' | 'security'>,
  secrets: readonly [string, ...string[]],
) {
  const sessionRepository = createSessionRepository(db)
  const apiKeyRepository = createApiKeyRepository(db)
  const listRevokedSince = [sessionRepository.listRevokedSince, apiKeyRepository.listRevokedSince]
  const revocations = createRevocations({ listRevokedSince, topics, bus, clock, log })
  await revocations.load()
  database.onRecovered(revocations.reload)
  const keys = deriveKeys(secrets, 'refresh-tokens')
  const sessions = createSessions({ db, users, sessions: sessionRepository, revocations, bus, security, keys, clock, newId })
  const sessionService = createSessionService({ db, repository: sessionRepository, sessions, security, clock })
  const cookieSessions = createCookieSessions({ db, sessions, repository: sessionRepository, revocations, clock, newId })
  const apiKeys = createApiKeyService({ db, apiKeys: apiKeyRepository, users, revocations, topics, bus, security, jobs, clock, newId, log })
  database.onRecovered(apiKeys.forgetAll)
  const checkCredentials = async (actors: readonly Actor[]): Promise<CheckedCredentials> => {
    const [bySession, endedKeys] = await Promise.all([
      cookieSessions.useBySocket(actors.flatMap((actor) => (actor.kind === 'session' ? [actor.credentialId] : []))),
      apiKeys.findEnded(actors.flatMap((actor) => (actor.kind === 'apiKey' ? [actor] : []))),
    ])
    return { ended: new Set([...bySession.ended, ...endedKeys]), prolonged: bySession.prolonged }
  }
  return { revocations, checkCredentials, sessions, sessionService, cookieSessions, apiKeys }
}
