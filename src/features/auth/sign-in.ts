/** What every way to sign in ends with: who may not is refused, a session begins, and it is written down. */
import type { Caller } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { SecurityService } from '../security/service.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { IssuedSession, Sessions } from './sessions.ts'

export type SignInMethod = 'password' | 'code' | 'oauth'

export interface SignedIn {
  user: UserRow
  accessToken: string
  refreshToken: string
  expiresInSeconds: number
  refreshExpiresInSeconds: number
}

interface Dependencies {
  sessions: Pick<Sessions, 'start'>
  accessTokens: Pick<AccessTokens, 'issue'>
  security: Pick<SecurityService, 'record'>
  clock: Clock
}

export type SignIn = ReturnType<typeof createSignIn>

export function createSignIn({ sessions, accessTokens, security, clock }: Dependencies) {
  const toSignedIn = (user: UserRow, issued: IssuedSession): SignedIn => ({
    user,
    ...accessTokens.issue(user, issued.sessionId, { id: issued.tokenId, issuedAt: issued.issuedAt }),
    refreshToken: issued.refreshToken,
    refreshExpiresInSeconds: Math.round((issued.refreshExpiresAt.getTime() - clock.now().getTime()) / 1000),
  })

  return {
    toSignedIn,

    /**
     * To be called in the transaction that has acted on the proof, when that was good.
     * @throws `account_suspended`
     */
    async complete(user: UserRow, method: SignInMethod, caller: Caller, tx: Executor): Promise<SignedIn> {
      if (user.suspendedAt !== null) throw new AppError('account_suspended')
      const issued = await sessions.start(user.id, caller, tx)
      await security.record({ type: 'sign_in_succeeded', userId: user.id, ip: caller.ip, metadata: { method, sessionId: issued.sessionId } }, tx)
      return toSignedIn(user, issued)
    },
  }
}
