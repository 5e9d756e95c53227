/** What every way to sign in ends with: who may not is refused, a session begins, and it is written down. */
import type { SessionId } from '../../../openapi/shared/ids.ts'
import type { Caller } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import type { SecurityService } from '../security/service.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Devices } from './devices.ts'
import type { IssuedSession, Sessions } from './sessions.ts'

export type SignInMethod = 'password' | 'code' | 'oauth'

export interface SignedIn {
  user: UserRow
  sessionId: SessionId
  accessToken: string
  refreshToken: string
  expiresInSeconds: number
  refreshExpiresInSeconds: number
}

interface Dependencies {
  /** Locks the user; cancels a deletion that is still to come. @throws `account_suspended` */
  admit(user: Pick<UserRow, 'id'>, caller: Caller, tx: Executor): Promise<UserRow>
  sessions: Pick<Sessions, 'start'>
  devices: Pick<Devices, 'note'>
  accessTokens: Pick<AccessTokens, 'issue'>
  security: Pick<SecurityService, 'record'>
  clock: Clock
}

export type SignIn = ReturnType<typeof createSignIn>

export function createSignIn({ admit, sessions, devices, accessTokens, security, clock }: Dependencies) {
  const toSignedIn = (user: UserRow, issued: IssuedSession): SignedIn => ({
    user,
    sessionId: issued.sessionId,
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
    async complete(proved: Pick<UserRow, 'id'>, method: SignInMethod, caller: Caller, tx: Executor): Promise<SignedIn> {
      // As of now: what was read before may have changed, and what changes from here on finds the session that begins.
      const user = await admit(proved, caller, tx)
      const issued = await sessions.start(user.id, caller, tx)
      await security.record({ type: 'sign_in_succeeded', userId: user.id, ip: caller.ip, metadata: { method, sessionId: issued.sessionId } }, tx)
      await devices.note(user.id, caller, tx)
      return toSignedIn(user, issued)
    },
  }
}
