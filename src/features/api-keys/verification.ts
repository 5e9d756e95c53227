/**
 * Whose key it is: read from the database once a minute, in between known in memory, with the role of its user and what else decides.
 * A key that is revoked is worth nothing at once, because revocations are pushed, and so is what changes of its user. Unknown keys are
 * not remembered, so guesses fill no memory; those that come together are looked up together, so they keep few connections busy.
 */
import type { ApiKeyId } from '../../../openapi/shared/ids.ts'
import type { ApiKeyActor, CredentialId } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import { createBatch } from '../../db/batch.ts'
import type { Log } from '../../log.ts'
import { hashOf } from '../../secret.ts'
import { isKey } from './key.ts'
import type { ApiKeyRepository, KeyWithUser } from './repository.ts'

export interface VerificationDependencies {
  apiKeys: ApiKeyRepository
  /** What was revoked within the last minutes. */
  revocations: { has(credentialId: CredentialId): boolean }
  clock: Clock
  log: Log
}

interface Known {
  actor: ApiKeyActor
  readAt: number
  usedAt: number
}

const rememberedMilliseconds = 60_000
/** Beyond this the one that was read first is read again when it comes. */
const rememberedKeys = 10_000
const lastUsedMilliseconds = 60_000

/** For keys that do not expire. */
const never = Number.MAX_SAFE_INTEGER

export function createVerification({ apiKeys, revocations, clock, log }: VerificationDependencies) {
  const known = new Map<string, Known>()
  /** How often something was to be forgotten. */
  let forgets = 0
  const find = createBatch({ statements: 2, maximum: 100, run: apiKeys.findByHashes })

  const recall = (hash: string, now: number): Known | undefined => {
    const found = known.get(hash)
    if (found === undefined || now < found.readAt + rememberedMilliseconds) return found
    known.delete(hash)
    return undefined
  }

  const read = async (hash: string, now: number): Promise<Known | undefined> => {
    const before = forgets
    const found = await find(hash)
    // It may be as it was before what was to be forgotten.
    if (forgets !== before) return read(hash, now)
    const actor = found && actorOf(found)
    if (found === undefined || actor === undefined) return undefined
    const one = { actor, readAt: now, usedAt: found.key.lastUsedAt?.getTime() ?? 0 }
    known.set(hash, one)
    const [first] = known.keys()
    if (known.size > rememberedKeys && first !== undefined) known.delete(first)
    return one
  }

  /** Nobody waits for it. */
  const noteUse = (one: Known, now: number): void => {
    if (now < one.usedAt + lastUsedMilliseconds) return
    one.usedAt = now
    apiKeys
      .touch(one.actor.credentialId, new Date(now), lastUsedMilliseconds)
      .catch((error: unknown) => log.debug({ err: error }, 'When an API key was used last could not be written'))
  }

  return {
    /** @returns who acts by a key; undefined for one that is unknown, expired or revoked, or whose user is suspended or gone */
    async verify(key: string): Promise<ApiKeyActor | undefined> {
      if (!isKey(key)) return undefined
      const hash = hashOf(key)
      const now = clock.now().getTime()
      const one = recall(hash, now) ?? (await read(hash, now))
      // Asked last: it may have been revoked while it was read.
      if (one === undefined || one.actor.expiresAt <= now || revocations.has(one.actor.credentialId)) return undefined
      noteUse(one, now)
      return one.actor
    },

    /** They are read anew when they come next. */
    forget(apiKeyIds: ReadonlySet<ApiKeyId>): void {
      forgets += 1
      for (const [hash, { actor }] of known) if (apiKeyIds.has(actor.credentialId)) known.delete(hash)
    },

    forgetAll(): void {
      forgets += 1
      known.clear()
    },

    /** @returns the keys that are good no more, or for something else than when they began to act */
    async findEnded(actors: readonly ApiKeyActor[]): Promise<ApiKeyId[]> {
      const ids = actors.map(({ credentialId }) => credentialId)
      const roles = new Map((await apiKeys.listLive(ids, clock.now())).map((found) => [found.key.id, actorOf(found)?.role]))
      return actors.filter(({ credentialId, role }) => roles.get(credentialId) !== role).map(({ credentialId }) => credentialId)
    },
  }
}

/** Only a key of scope `admin` acts as an administrator, and only while its user is one. @returns undefined when the user is suspended or gone */
function actorOf({ key, user }: KeyWithUser): ApiKeyActor | undefined {
  if (user.suspendedAt !== null || user.erasedAt !== null) return undefined
  return {
    kind: 'apiKey',
    userId: key.userId,
    credentialId: key.id,
    scope: key.scope,
    role: key.scope === 'admin' ? user.role : 'user',
    expiresAt: key.expiresAt?.getTime() ?? never,
  }
}
