/**
 * Pictures of users. Each has a key of its own, which is its address and never that of another one. It is stored before the row names it
 * and removed after the row does so no more. Whatever fails or is killed in between leaves a picture that no row names: a job that was
 * planned before the picture was stored removes it.
 */
import { randomBytes } from 'node:crypto'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Executor } from '../../db/executor.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ObjectStorage, StoredObject } from '../../integrations/object-storage.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { MakeAvatar } from '../../pictures.ts'
import type { UserService } from '../users/service.ts'

interface Dependencies {
  db: Executor
  users: Pick<UserService, 'lock' | 'setAvatar' | 'find'>
  objects: ObjectStorage
  makeAvatar: MakeAvatar
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
}

/** By then the row names the picture, or never will. */
const unusedAfterSeconds = 3_600

export type AvatarService = ReturnType<typeof createAvatarService>

export function createAvatarService({ db, users, objects, makeAvatar, jobs }: Dependencies) {
  /** Under the lock of the row, so that of two at once each removes what the other has set. */
  const replace = async (userId: UserId, key: string | null): Promise<UserRow> => {
    const changed = await db.transaction(async (tx) => {
      const before = await users.lock({ id: userId }, tx)
      if (before === undefined || before.erasedAt !== null) throw new AppError('unauthorized')
      if (before.avatarKey === key) return before
      await discard(before, tx)
      return users.setAvatar(userId, key, tx)
    })
    if (changed === undefined) throw new AppError('unauthorized')
    jobs.wake('objects.delete')
    return changed
  }

  /** Has the picture removed once the transaction that takes it off the row is committed. */
  const discard = async ({ avatarKey }: Pick<UserRow, 'avatarKey'>, tx: Executor): Promise<void> => {
    if (avatarKey !== null) await jobs.enqueue(tx, 'objects.delete', { keys: [objectKey(avatarKey)] })
  }

  return {
    eraseWithin: discard,

    /**
     * @param image the bytes of a picture in whatever format
     * @throws `unsupported_media_type`, `validation_error`, `unavailable` as `MakeAvatar`; `unauthorized` when the user is gone
     */
    async set({ userId }: Actor, image: Uint8Array): Promise<UserRow> {
      const avatar = await makeAvatar(image)
      const key = newAvatarKey()
      await jobs.enqueue(db, 'avatars.deleteUnused', { userId, key }, { afterSeconds: unusedAfterSeconds })
      await objects.put(objectKey(key), avatar)
      // What fails here may be committed all the same: then the row names the picture, so it is not removed.
      return replace(userId, key)
    },

    /** Removes a picture that was stored for a user whose row names another one, or none. */
    async deleteUnused({ userId, key }: JobData['avatars.deleteUnused']): Promise<void> {
      if ((await users.find(userId))?.avatarKey !== key) await objects.delete(objectKey(key))
    },

    /** Where there is none, nothing changes. @throws `unauthorized` when the user is gone */
    async remove({ userId }: Actor): Promise<UserRow> {
      return replace(userId, null)
    },

    /** @throws `not_found` */
    async get(key: string): Promise<StoredObject> {
      const stored = await objects.get(objectKey(key))
      if (stored === undefined) throw new AppError('not_found')
      return stored
    },
  }
}

/** 128 bits that nobody guesses. */
const newAvatarKey = (): string => randomBytes(16).toString('base64url')

const objectKey = (avatarKey: string): string => `avatars/${avatarKey}`
