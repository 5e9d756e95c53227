/**
 * How people leave: an account is scheduled for deletion, which ends all access to it at once; signing in before the day cancels it;
 * then it is erased (`erasure.ts`). What administrators change of an account goes through `change` as well: under one lock.
 */
import type { ApiKeyId, SessionId, UserId } from '../../../openapi/shared/ids.ts'
import type { Caller, SessionActor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { MessageRow } from '../../db/schema/messages.ts'
import type { RevokedReason } from '../../db/schema/sessions.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { JobData, JobName } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { PresenceService } from '../presence/service.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'
import type { Batches, ExportRepository } from './export-repository.ts'
import { createExportTurns } from './export-turns.ts'
import type { AccountRepository } from './repository.ts'

const deletionDays = 30
const dayMilliseconds = 24 * 60 * 60_000

type AccessEnd = Extract<RevokedReason, 'deletion' | 'suspended' | 'role_changed'>

/** What signs somebody in, and how it ends: within a transaction, and after its commit `tell` is called with what came of it. */
export interface AccessEnds {
  sessions: { endWithin(selection: { userId: UserId }, reason: RevokedReason, tx: Executor): Promise<SessionId[]>; tell(ended: readonly SessionId[]): void }
  apiKeys: {
    /** Revokes all keys of a user. */
    endWithin(selection: { userId: UserId }, tx: Executor): Promise<ApiKeyId[]>
    tell(revoked: readonly ApiKeyId[]): void
    /** Has read anew what the keys of a user may do. */
    forgetWithin(selection: { userId: UserId }, tx: Executor): Promise<ApiKeyId[]>
    tellForgotten(keyIds: readonly ApiKeyId[]): void
  }
}

/** An account under its lock. */
export interface LockedAccount {
  user: UserRow
  tx: Executor
  /** To be called before what takes an administrator away. @throws `conflict` when it is the last one who can sign in */
  keepAnAdmin(): Promise<void>
  /** Ends all sessions; API keys are revoked for a deletion, and otherwise looked at anew. */
  endAccess(reason: AccessEnd): Promise<void>
  enqueue<Name extends JobName>(name: Name, data: JobData[Name]): Promise<void>
}

export interface AccountExport {
  exportedAt: Date
  user: UserRow
  /** In the order in which they are to be written, and each read when its turn comes. */
  sections: [name: string, rows: Batches][]
}

interface Dependencies {
  db: TransactionRunner
  accounts: AccountRepository
  exports: ExportRepository
  ends: AccessEnds
  users: Pick<UserService, 'find' | 'lock'>
  messages: { batches(userId: UserId): AsyncIterable<MessageRow[]> }
  presence: Pick<PresenceService, 'statusOf'>
  security: Pick<SecurityService, 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
}

export type AccountService = ReturnType<typeof createAccountService>

export function createAccountService({ db, accounts, exports, ends, users, messages, presence, security, jobs, clock }: Dependencies) {
  const inTurn = createExportTurns()

  /** Keys outlive a suspension, during which they are good for nothing; sessions do not. */
  const endAccess = async (userId: UserId, reason: AccessEnd, tx: Executor): Promise<() => void> => {
    const { sessions, apiKeys } = ends
    const sessionIds = await sessions.endWithin({ userId }, reason, tx)
    const [keyIds, tellKeys] =
      reason === 'deletion' ? [await apiKeys.endWithin({ userId }, tx), apiKeys.tell] : [await apiKeys.forgetWithin({ userId }, tx), apiKeys.tellForgotten]
    return () => {
      sessions.tell(sessionIds)
      tellKeys(keyIds)
    }
  }

  /**
   * Runs a change of an account under its lock; what follows from it is told after the commit.
   * @throws `not_found`
   */
  const change = async <T>(userId: UserId, work: (account: LockedAccount) => Promise<T>): Promise<T> => {
    const afterwards: (() => void)[] = []
    const result = await db.transaction(async (tx) => {
      const user = await users.lock({ id: userId }, tx)
      if (user === undefined) throw new AppError('not_found')
      return work({
        user,
        tx,
        async keepAnAdmin() {
          if (user.role !== 'admin') return
          await accounts.lockAdministrators(tx)
          if (await accounts.hasOtherAdmins(userId, tx)) return
          throw new AppError('conflict', 'This is the last administrator: make somebody else one first.')
        },
        async endAccess(reason) {
          afterwards.push(await endAccess(userId, reason, tx))
        },
        async enqueue(name, data) {
          await jobs.enqueue(tx, name, data)
          afterwards.push(() => jobs.wake(name))
        },
      })
    })
    for (const tell of afterwards) tell()
    return result
  }

  return {
    change,

    /**
     * Ends all access now and has the account erased in 30 days; asking again keeps the first date.
     * @returns when it will be erased
     * @throws `validation_error` when the address is not that of the account, `conflict` for the last administrator
     */
    scheduleDeletion(actor: SessionActor, { confirmEmail, reason }: { confirmEmail: string; reason?: string | undefined }, caller: Caller): Promise<Date> {
      return change(actor.userId, async ({ user, tx, keepAnAdmin, endAccess, enqueue }) => {
        if (user.erasedAt !== null) throw new AppError('unauthorized')
        if (normalizeEmail(confirmEmail) !== user.email) throw invalidField('body.confirmEmail', 'is not the address of this account')
        if (user.deletionAt !== null) return user.deletionAt
        await keepAnAdmin()
        const now = clock.now()
        const deletionAt = new Date(now.getTime() + deletionDays * dayMilliseconds)
        await accounts.setDeletionAt(user.id, deletionAt, now, tx)
        const metadata = { deletionAt: deletionAt.toISOString(), reason: reason ?? null }
        await security.record({ type: 'deletion_scheduled', userId: user.id, ip: caller.ip, metadata }, tx)
        await endAccess('deletion')
        await enqueue('accounts.mailNotice', { userId: user.id, notice: 'deletion_scheduled', deletionAt: deletionAt.toISOString() })
        return deletionAt
      })
    },

    /** Ends all access now and has the account erased at once, which cannot be cancelled. To be called within `change`. */
    async deleteNow({ user, tx, keepAnAdmin, endAccess, enqueue }: LockedAccount): Promise<Date> {
      await keepAnAdmin()
      const now = clock.now()
      await accounts.setDeletionAt(user.id, now, now, tx)
      await endAccess('deletion')
      await enqueue('accounts.erase', { userId: user.id })
      return now
    },

    /** @throws `unauthorized` when the user is gone though the token is still good */
    async exportOf({ userId }: SessionActor): Promise<AccountExport> {
      const user = await users.find(userId)
      if (user === undefined || user.erasedAt !== null) throw new AppError('unauthorized')
      const lastSeen = (await presence.statusOf(null, [userId])).get(userId)?.lastSeen ?? null
      const sections: AccountExport['sections'] = [...exports.sections({ userId, lastSeen }), ['messages', messages.batches(userId)]]
      return { exportedAt: clock.now(), user, sections: sections.map(([name, batches]) => [name, inTurn(userId, batches)]) }
    },
  }
}
