/** Who comes back before the day of the deletion stays. */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Caller } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import type { AccountRepository } from './repository.ts'

interface Dependencies {
  accounts: Pick<AccountRepository, 'setDeletionAt'>
  users: Pick<UserService, 'lock'>
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue'>
  clock: Clock
}

/**
 * Lets somebody in who has proved who they are, in the transaction that begins the session, and cancels a deletion that is still to come.
 * @returns the user as of now, locked: what was read before may have changed, and what changes from here on finds the session that begins
 * @throws `account_suspended`
 */
export type Admit = (user: { id: UserId }, caller: Caller, tx: Executor) => Promise<UserRow>

export const createAdmission =
  ({ accounts, users, security, jobs, clock }: Dependencies): Admit =>
  async ({ id }, { ip }, tx) => {
    const user = await users.lock({ id }, tx)
    const now = clock.now()
    const isGone = user === undefined || user.erasedAt !== null || (user.deletionAt !== null && user.deletionAt <= now)
    if (isGone) throw new AppError('account_suspended', 'This account is being deleted.')
    if (user.suspendedAt !== null) throw new AppError('account_suspended')
    if (user.deletionAt === null) return user
    await accounts.setDeletionAt(id, null, now, tx)
    await security.record({ type: 'deletion_cancelled', userId: id, ip }, tx)
    // Another transaction's: it is found within a second, also without being told.
    await jobs.enqueue(tx, 'accounts.mailNotice', { userId: id, notice: 'deletion_cancelled' })
    return { ...user, deletionAt: null, updatedAt: now }
  }
