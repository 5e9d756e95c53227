/** Keys by which programs act as their user. The key itself is known to whoever created it: here there is a hash of it. */
import type { ApiKeyScope } from '../../../openapi/api-keys/schemas.ts'
import type { ApiKeyId, UserId } from '../../../openapi/shared/ids.ts'
import type { Caller, CredentialId, SessionActor } from '../../actor.ts'
import type { EventBus } from '../../bus/event-bus.ts'
import type { NewId } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import type { ApiKeyRow } from '../../db/schema/credentials.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Jobs } from '../../jobs/queue.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import { hashOf } from '../../secret.ts'
import type { Topics } from '../../topics.ts'
import type { SecurityService } from '../security/service.ts'
import type { UserService } from '../users/service.ts'
import { hintOf, newKey } from './key.ts'
import { createVerification, type VerificationDependencies } from './verification.ts'

interface Dependencies extends VerificationDependencies {
  db: TransactionRunner
  users: Pick<UserService, 'lock'>
  revocations: VerificationDependencies['revocations'] & { revoke(credentialId: CredentialId): void; keptMilliseconds: number }
  topics: Pick<Topics, 'publish'>
  bus: Pick<EventBus, 'publish' | 'on' | 'onGap'>
  security: Pick<SecurityService, 'record' | 'count'>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  newId: NewId
}

export interface NewApiKey {
  name: string
  scope: ApiKeyScope
  expiresAt: Date | undefined
}

const maximumLiveKeys = 50
/** Each is told by mail: beyond some, nobody would find the one that matters among those that were revoked again. */
const maximumCreatedKeys = 20
const createdMilliseconds = 24 * 60 * 60_000
/** How long they are listed after they have expired, and how many of them. */
const expiredMilliseconds = 30 * 24 * 60 * 60_000
const maximumExpiredKeys = 50

export type ApiKeyService = ReturnType<typeof createApiKeyService>

export function createApiKeyService(dependencies: Dependencies) {
  const { db, apiKeys, users, revocations, topics, bus, security, jobs, clock, newId } = dependencies
  const { verify, forget, forgetAll, findEnded } = createVerification(dependencies)

  /** Keys that are gone count for the day as well, by what was written down when they were made. */
  const assertMayCreate = async (userId: UserId, now: Date, tx: Executor): Promise<void> => {
    if ((await apiKeys.countLive(userId, now, tx)) >= maximumLiveKeys)
      throw new AppError('conflict', `You have ${maximumLiveKeys} API keys; revoke one that you do not need.`)
    const from = new Date(now.getTime() - createdMilliseconds)
    if ((await security.count({ userId, type: 'api_key_created', from }, tx)) >= maximumCreatedKeys)
      throw new AppError('conflict', `You have created ${maximumCreatedKeys} API keys within 24 hours; create the next one tomorrow.`)
  }

  const insert = async (userId: UserId, { name, scope, expiresAt }: NewApiKey, { ip }: Caller, tx: Executor): Promise<{ row: ApiKeyRow; key: string }> => {
    // Of several that create at once, each counts what the one before has made.
    const user = await users.lock({ id: userId }, tx)
    if (user === undefined || user.suspendedAt !== null || user.deletionAt !== null || user.erasedAt !== null) throw new AppError('unauthorized')
    if (scope === 'admin' && user.role !== 'admin') throw new AppError('forbidden', 'Only administrators can have keys of scope `admin`.')
    const now = clock.now()
    await assertMayCreate(userId, now, tx)
    await apiKeys.deleteRevoked(new Date(now.getTime() - revocations.keptMilliseconds), tx)
    await apiKeys.deleteExpired(userId, { now, before: new Date(now.getTime() - expiredMilliseconds), kept: maximumExpiredKeys }, tx)
    const key = newKey()
    const row = await apiKeys.insert({ id: newId(), userId, name, scope, keyHash: hashOf(key), hint: hintOf(key), createdAt: now, expiresAt }, tx)
    await security.record({ type: 'api_key_created', userId, ip, metadata: { apiKeyId: row.id, scope } }, tx)
    const told = { hint: row.hint, scope, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) }
    await jobs.enqueue(tx, 'auth.mailNewCredential', { credential: 'api_key', userId, ip, at: now.toISOString(), ...told })
    return { row, key }
  }

  /** They are worth nothing from now on, in this process; the bus tells the others. */
  const tell = (revoked: readonly ApiKeyId[]): void => revoked.forEach(revocations.revoke)

  /** What is remembered of them is read anew, in this process; the bus tells the others. Their sockets close, to come back if they may. */
  const tellForgotten = (apiKeyIds: readonly ApiKeyId[]): void => {
    forget(new Set(apiKeyIds))
    for (const credentialId of apiKeyIds) topics.publish('credential', credentialId, { type: 'credential.revoked', credentialId })
  }

  bus.on('apiKeys.changed', tellForgotten)
  // After anything may have been missed.
  bus.onGap(forgetAll)

  return {
    verify,
    tell,
    tellForgotten,
    forgetAll,
    findEnded,

    /** The newest first, expired ones as well for a while. @throws `validation_error` for a wrong cursor */
    async list({ userId }: SessionActor, { cursor, limit = 50 }: { cursor?: string | undefined; limit?: number | undefined }): Promise<Page<ApiKeyRow>> {
      const before = cursor === undefined ? undefined : decodeTimeCursor(cursor)
      const expiredSince = new Date(clock.now().getTime() - expiredMilliseconds)
      return timePage(await apiKeys.list(userId, { before, expiredSince, limit: limit + 1 }), limit)
    },

    async countLive(userId: UserId): Promise<number> {
      return apiKeys.countLive(userId, clock.now())
    },

    /**
     * It outlives sessions and passwords: its user is told by mail.
     * @returns the key in clear, for this once
     * @throws `validation_error` for one that would have expired already, `forbidden` for a scope beyond the user's role, `conflict` when there are too many, or were made within a day
     */
    async create({ userId }: SessionActor, command: NewApiKey, caller: Caller): Promise<{ row: ApiKeyRow; key: string }> {
      if (command.expiresAt !== undefined && command.expiresAt <= clock.now()) throw invalidField('body.expiresAt', 'must be in the future')
      const created = await db.transaction((tx) => insert(userId, command, caller, tx))
      jobs.wake('auth.mailNewCredential')
      return created
    },

    /** It stops working at once, everywhere, and its sockets close. @throws `not_found` for one that is not the actor's, or was revoked before */
    async revoke({ userId }: SessionActor, apiKeyId: ApiKeyId, { ip }: Caller): Promise<void> {
      await db.transaction(async (tx) => {
        if (!(await apiKeys.revoke(userId, apiKeyId, clock.now(), tx))) throw new AppError('not_found')
        await security.record({ type: 'api_key_revoked', userId, ip, metadata: { apiKeyId } }, tx)
        await bus.publish(tx, 'credentials.revoked', [apiKeyId])
      })
      tell([apiKeyId])
    },

    /** Revokes all keys of a user. Within a transaction that has locked the user, so that none is made meanwhile: call `tell` with what it returns after the commit. */
    async endWithin({ userId }: { userId: UserId }, tx: Executor): Promise<ApiKeyId[]> {
      const revoked = await apiKeys.revokeAll(userId, clock.now(), tx)
      for (const apiKeyId of revoked) await security.record({ type: 'api_key_revoked', userId, metadata: { apiKeyId } }, tx)
      await bus.publish(tx, 'credentials.revoked', revoked)
      return revoked
    },

    /** All of them are revoked. */
    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await apiKeys.erase(id, new Date(clock.now().getTime() - revocations.keptMilliseconds), tx)
    },

    /** Within a transaction that changes what the keys of a user may do: call `tellForgotten` with what it returns after the commit. */
    async forgetWithin({ userId }: { userId: UserId }, tx: Executor): Promise<ApiKeyId[]> {
      const ids = await apiKeys.listLiveIds(userId, clock.now(), tx)
      await bus.publish(tx, 'apiKeys.changed', ids)
      return ids
    },
  }
}
