/** What administrators do to users. Every act goes into the audit log with the transaction that does it: what, to whom, by whom, from where and why. */
import type { AuditAction, EventMetadata } from '../../../openapi/security/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Role, UpdateMeRequest } from '../../../openapi/users/schemas.ts'
import type { Actor, Caller } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Jobs } from '../../jobs/queue.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import type { AccessEnds, AccountService, LockedAccount } from '../accounts/service.ts'
import type { PresenceService } from '../presence/service.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import type { AdminRepository, UserFilter } from './repository.ts'

/** Who does it, and why. Without an actor it is the server itself, by its configuration or on its command line. */
export interface Act {
  actor?: Pick<Actor, 'userId'> | undefined
  caller?: Pick<Caller, 'ip'> | undefined
  reason?: string | undefined
}

export interface UserToCreate {
  email: string
  username?: string | undefined
  displayName?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
  phone?: string | undefined
  companyCustomerId?: string | undefined
  role?: Role | undefined
  emailVerified?: boolean | undefined
}

/** With when they were there last, whomever they have blocked. */
export type AdministeredUser = UserRow & { lastSeen: Date | null }

type ProfileChanges = Omit<UpdateMeRequest, 'settings'>

export interface UserChanges extends ProfileChanges {
  role?: Role | undefined
  suspended?: boolean | undefined
}

interface Dependencies {
  db: TransactionRunner
  admin: AdminRepository
  users: Pick<UserService, 'create' | 'find' | 'get' | 'lock' | 'updateProfile'>
  accounts: Pick<AccountService, 'change' | 'deleteNow'>
  sessions: AccessEnds['sessions']
  presence: Pick<PresenceService, 'statusOf'>
  security: Pick<SecurityService, 'audit' | 'record'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  clock: Clock
  newId: NewId
}

export type AdminService = ReturnType<typeof createAdminService>

export function createAdminService({ db, admin, users, accounts, sessions, presence, security, jobs, clock, newId }: Dependencies) {
  const audit = (action: AuditAction, targetId: UserId, { actor, caller, reason }: Act, metadata: EventMetadata, tx: Executor): Promise<void> =>
    security.audit({ action, actorId: actor?.userId, targetId, ip: caller?.ip, reason, metadata }, tx)

  const withLastSeen = async (rows: UserRow[]): Promise<AdministeredUser[]> => {
    const seen = await presence.statusOf(
      null,
      rows.map(({ id }) => id),
    )
    return rows.map((user) => ({ ...user, lastSeen: seen.get(user.id)?.lastSeen ?? null }))
  }

  const lastSeenOf = async (userId: UserId): Promise<Date | null> => (await presence.statusOf(null, [userId])).get(userId)?.lastSeen ?? null

  const changeRole = async ({ user, tx, keepAnAdmin, endAccess }: LockedAccount, role: Role, act: Act): Promise<void> => {
    if (user.role === role) return
    if (role !== 'admin') await keepAnAdmin()
    const metadata = { from: user.role, to: role }
    await admin.update(user.id, { role }, clock.now(), tx)
    await endAccess('role_changed')
    await security.record({ type: 'role_changed', userId: user.id, ip: act.caller?.ip, metadata }, tx)
    await audit('user.change_role', user.id, act, metadata, tx)
  }

  const suspend = async ({ user, tx, keepAnAdmin, endAccess }: LockedAccount, suspended: boolean, act: Act): Promise<void> => {
    if ((user.suspendedAt !== null) === suspended) return
    if (suspended) await keepAnAdmin()
    const now = clock.now()
    await admin.update(user.id, { suspendedAt: suspended ? now : null }, now, tx)
    await endAccess('suspended')
    await security.record({ type: suspended ? 'user_suspended' : 'user_unsuspended', userId: user.id, ip: act.caller?.ip }, tx)
    await audit(suspended ? 'user.suspend' : 'user.unsuspend', user.id, act, {}, tx)
  }

  /** The log names the fields and not what is in them: it outlives the account. */
  const changeProfile = async ({ user, tx }: LockedAccount, changes: ProfileChanges, act: Act): Promise<void> => {
    const after = await users.updateProfile(user.id, changes, tx)
    if (after === undefined) throw new Error('A user who is locked is not there')
    const changed = keysOf(changes).filter((field) => after[field] !== user[field])
    if (changed.length > 0) await audit('user.update', user.id, act, { fields: changed.join(', ') }, tx)
  }

  return {
    /** Those who registered last come first. @throws `validation_error` for a wrong cursor */
    async list({ cursor, limit = 50, ...filter }: UserFilter & { cursor?: string | undefined; limit?: number | undefined }): Promise<Page<AdministeredUser>> {
      const before = cursor === undefined ? undefined : decodeTimeCursor(cursor)
      const { rows, nextCursor } = timePage(await admin.list(filter, { before, limit: limit + 1 }), limit)
      return { rows: await withLastSeen(rows), nextCursor }
    },

    /** Erased ones too. @throws `not_found` */
    get: async (userId: UserId): Promise<AdministeredUser> => ({ ...(await users.get(userId)), lastSeen: await lastSeenOf(userId) }),

    /** The user is mailed a code to sign in with. @throws `conflict` when the address or the username is taken */
    async create({ emailVerified = false, role = 'user', ...profile }: UserToCreate, act: Act): Promise<AdministeredUser> {
      const now = clock.now()
      const created = await db.transaction(async (tx) => {
        const user = await users.create({ ...profile, id: newId(), role, emailVerifiedAt: emailVerified ? now : null, createdAt: now, updatedAt: now }, tx)
        await audit('user.create', user.id, act, { role, emailVerified }, tx)
        await jobs.enqueue(tx, 'auth.mailCode', { email: user.email, requestId: user.id })
        return user
      })
      jobs.wake('auth.mailCode')
      return { ...created, lastSeen: null }
    },

    /**
     * All of it, or nothing.
     * @throws `not_found`; `validation_error` for a reason without a change; `conflict` for somebody who is erased, for the last
     * administrator, or when the username is taken
     */
    async update(userId: UserId, { role, suspended, ...profile }: UserChanges, act: Act): Promise<AdministeredUser> {
      if (keysOf(profile).length === 0 && role === undefined && suspended === undefined) throw invalidField('body', 'must name something to change')
      // Before the change: what fails after the commit would answer that nothing was changed.
      const lastSeen = await lastSeenOf(userId)
      const changed = await accounts.change(userId, async (account) => {
        if (account.user.erasedAt !== null) throw new AppError('conflict', 'This account was erased.')
        if (keysOf(profile).length > 0) await changeProfile(account, profile, act)
        if (role !== undefined) await changeRole(account, role, act)
        if (suspended !== undefined) await suspend(account, suspended, act)
        return (await users.find(userId, account.tx)) ?? account.user
      })
      return { ...changed, lastSeen }
    },

    /** API keys stay as they are. @returns how many have ended @throws `not_found` */
    async revokeSessions(userId: UserId, act: Act): Promise<number> {
      const ended = await db.transaction(async (tx) => {
        if ((await users.lock({ id: userId }, tx)) === undefined) throw new AppError('not_found')
        const ids = await sessions.endWithin({ userId }, 'revoked', tx)
        const metadata = { revokedCount: ids.length }
        await security.record({ type: 'sessions_revoked', userId, ip: act.caller?.ip, metadata }, tx)
        await audit('user.revoke_sessions', userId, act, metadata, tx)
        return ids
      })
      sessions.tell(ended)
      return ended.length
    },

    /**
     * Has the account erased at once. Doing it again changes nothing.
     * @returns since when it is being erased
     * @throws `not_found`, `conflict` for the last administrator
     */
    delete(userId: UserId, act: Act): Promise<Date> {
      return accounts.change(userId, async (account) => {
        const { user, tx } = account
        if (user.erasedAt !== null) return user.erasedAt
        if (user.deletionAt !== null && user.deletionAt <= clock.now()) return user.deletionAt
        const deletionAt = await accounts.deleteNow(account)
        await audit('user.delete', userId, act, {}, tx)
        return deletionAt
      })
    },
  }
}

const keysOf = <T extends object>(value: T): (keyof T)[] => Object.keys(value) as (keyof T)[]
