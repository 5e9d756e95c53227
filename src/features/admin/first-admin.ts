/**
 * Somebody has to be the first administrator: whoever configures the server, or sits at its command line, says who. Both leave an
 * account that is there as it is, but for the role where that is asked for.
 */
import type { Clock, NewId } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Log } from '../../log.ts'
import { StartError } from '../../start-error.ts'
import type { SecurityService } from '../security/service.ts'
import { normalizeEmail, type UserService } from '../users/service.ts'

export interface Credentials {
  email: string
  password: string
}

interface Dependencies {
  db: TransactionRunner
  users: Pick<UserService, 'create' | 'findByEmail'>
  /** Rejects with `validation_error` for one that is guessed first. */
  requireGoodPassword(field: string, password: string, owner: Pick<UserRow, 'email'>): Promise<void>
  passwords: { hash(password: string): Promise<string> }
  security: Pick<SecurityService, 'audit'>
  clock: Clock
  newId: NewId
  log: Log
}

export function createFirstAdmin({ db, users, requireGoodPassword, passwords, security, clock, newId, log }: Dependencies) {
  /** Verified, and on record. @throws `conflict` when somebody has the address, `validation_error` for a password that is guessed first */
  const create = async ({ email: address, password }: Credentials): Promise<UserRow> => {
    const email = normalizeEmail(address)
    await requireGoodPassword('password', password, { email })
    const passwordHash = await passwords.hash(password)
    const now = clock.now()
    const insert = async (tx: Executor): Promise<UserRow> => {
      const user = await users.create({ id: newId(), email, passwordHash, role: 'admin', emailVerifiedAt: now, createdAt: now, updatedAt: now }, tx)
      const metadata = { role: 'admin', emailVerified: true }
      await security.audit({ action: 'user.create', actorId: undefined, targetId: user.id, ip: undefined, reason: undefined, metadata }, tx)
      return user
    }
    return db.transaction(insert)
  }

  const createOrFind = async (credentials: Credentials): Promise<UserRow | undefined> => {
    try {
      return await create(credentials)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      // Another process was quicker.
      if (error.code === 'conflict') return users.findByEmail(credentials.email)
      const [detail] = error.details ?? []
      throw detail === undefined ? error : new StartError(`ADMIN_PASSWORD ${detail.reason}.`)
    }
  }

  return {
    create,

    /**
     * Makes the account where nobody has the address: once, also when several processes start together.
     * @throws StartError for a password that is guessed first
     */
    async ensure(credentials: Credentials): Promise<void> {
      const found = (await users.findByEmail(credentials.email)) ?? (await createOrFind(credentials))
      if (found?.role !== 'admin') log.warn('The account of ADMIN_EMAIL is no administrator: it was there before. `npm run admin -- promote` makes it one.')
    },
  }
}
