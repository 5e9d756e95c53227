/**
 * The real end of an account. First, in one transaction, everything by which somebody could be known or could sign in; from then on
 * it cannot be undone. Then, step by step, what takes the locks of others: direct conversations are closed, groups are left, reactions taken
 * back, and messages emptied where that is configured. `deletionAt` stays until the last step is done, so that whoever is killed in between is followed by
 * the next sweep. No job waits for the day: the date in the row does, and the server that is up then compares it with its clock.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Clock } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { createDueWork } from '../../due-work.ts'
import type { Log } from '../../log.ts'
import type { UserService } from '../users/service.ts'
import type { AccountRepository } from './repository.ts'
import type { AccessEnds } from './service.ts'

interface Dependencies {
  db: TransactionRunner
  accounts: AccountRepository
  users: Pick<UserService, 'lock'>
  ends: AccessEnds
  conversations: { closeDirect(userId: UserId): Promise<void>; leaveAll(userId: UserId): Promise<void> }
  messages: { eraseReactions(userId: UserId): Promise<void> }
  /** Undefined keeps them. */
  eraseMessages: ((userId: UserId) => Promise<void>) | undefined
  /** Each takes away what one feature keeps of a user, by the row as it was before; and once more, at the end, by the row that is left. See `personal-data.ts`. */
  eraseWithin: readonly ((user: UserRow, tx: Executor) => Promise<void>)[]
  clock: Clock
  log: Log
}

const sweepMilliseconds = 60_000

export function createErasure({ db, accounts, users, ends, conversations, messages, eraseMessages, eraseWithin, clock, log }: Dependencies) {
  const isDue = (user: UserRow | undefined): user is UserRow => user !== undefined && user.deletionAt !== null && user.deletionAt <= clock.now()

  /** @returns whether there is more to be done for this user */
  const erasePerson = async (userId: UserId): Promise<boolean> => {
    const ended = await db.transaction(async (tx) => {
      const user = await users.lock({ id: userId }, tx)
      if (!isDue(user)) return undefined
      if (user.erasedAt !== null) return { sessionIds: [], keyIds: [] }
      const sessionIds = await ends.sessions.endWithin({ userId }, 'deletion', tx)
      const keyIds = await ends.apiKeys.endWithin({ userId }, tx)
      for (const erase of eraseWithin) await erase(user, tx)
      // Last, for it waits for all who are writing of the user: none of them waits for what is held by then.
      await accounts.erase(userId, clock.now(), tx)
      return { sessionIds, keyIds }
    })
    ends.sessions.tell(ended?.sessionIds ?? [])
    ends.apiKeys.tell(ended?.keyIds ?? [])
    return ended !== undefined
  }

  /** What others were writing of the user while the person was erased is there by now, and goes as well. */
  const finish = (userId: UserId): Promise<void> =>
    db.transaction(async (tx) => {
      const user = await users.lock({ id: userId }, tx)
      if (user !== undefined) for (const erase of eraseWithin) await erase(user, tx)
      await accounts.setDeletionAt(userId, null, clock.now(), tx)
    })

  /** Erases an account that is due; any other one is left alone. Doing it twice, at once or after a half one, is no harm. */
  const erase = async (userId: UserId): Promise<void> => {
    if (!(await erasePerson(userId))) return
    await conversations.closeDirect(userId)
    await conversations.leaveAll(userId)
    await messages.eraseReactions(userId)
    await eraseMessages?.(userId)
    await finish(userId)
  }

  const dueWork = createDueWork<UserId>({
    milliseconds: sweepMilliseconds,
    listDue: (page) => accounts.listDue(clock.now(), page),
    work: erase,
    onFailure: (err, userId) => log.warn({ err, userId }, 'An account could not be erased; it is tried again'),
    onUnreadable: (err) => log.debug({ err }, 'Which accounts are due could not be read'),
  })

  return {
    erase,
    eraseDue: dueWork.workOff,

    /** Erases what is due, now and every minute. @returns the function that ends it, after what is in hand. */
    start: dueWork.start,
  }
}
