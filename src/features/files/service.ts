/** Files that users upload, alone at first and then as attachments of messages: rows here, bytes in the object storage. */
import type { Attachment } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, FileId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Executor } from '../../db/executor.ts'
import type { FileRow } from '../../db/schema/files.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { ByteRange, StoredObject } from '../../integrations/object-storage.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { UserService } from '../users/service.ts'
import type { createFileLinks } from './links.ts'
import { deleteObjectsOf, keysOf, originalKey, thumbnailKey } from './objects.ts'
import type { DeletedFile, Selection } from './repository.ts'
import { type UploadDependencies, unsentAfterSeconds, uploading } from './uploads.ts'

interface Dependencies extends UploadDependencies {
  users: Pick<UserService, 'find'>
  links: ReturnType<typeof createFileLinks>
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
}

/** What can be read of a file by who asked. */
export interface Readable {
  file: FileRow
  thumbnail: boolean
  /** As whom it is read: who asked, or made the link. */
  readerId: UserId
  /** @throws `not_found` when it was deleted meanwhile */
  open(range?: ByteRange): Promise<StoredObject>
}

/** Of one job: what fails of it is done again as a whole. */
const deletedAtOnce = 50
/** When the job that looks for what was not sent has come too early. */
const lookAgainSeconds = 3_600

export type FileService = ReturnType<typeof createFileService>

export function createFileService(dependencies: Dependencies) {
  const { db, files, objects, jobs, users, links, clock } = dependencies

  const deleteBytes = async (deleted: readonly DeletedFile[], tx: Executor): Promise<void> => {
    const fileIds = deleted.map(({ id }) => id)
    for (let at = 0; at < fileIds.length; at += deletedAtOnce) {
      await jobs.enqueue(tx, 'objects.delete', { keys: fileIds.slice(at, at + deletedAtOnce).flatMap(keysOf) })
    }
  }

  const get = async (userId: UserId, fileId: FileId): Promise<FileRow> => {
    const file = await files.findFor(fileId, userId)
    if (file === undefined) throw new AppError('not_found')
    return file
  }

  const read = async (userId: UserId, fileId: FileId, thumbnail: boolean): Promise<Readable> => {
    const file = await get(userId, fileId)
    if (thumbnail && !file.hasThumbnail) throw new AppError('not_found')
    const open = async (range?: ByteRange): Promise<StoredObject> => {
      const stored = await objects.get(thumbnail ? thumbnailKey(fileId) : originalKey(fileId), range)
      if (stored === undefined) throw new AppError('not_found')
      return stored
    }
    return { file, thumbnail, readerId: userId, open }
  }

  return {
    upload: uploading(dependencies).upload,

    /** @throws `not_found` also for those who may not see it */
    get: ({ userId }: Actor, fileId: FileId): Promise<FileRow> => get(userId, fileId),

    /** @throws `not_found` also where there is no thumbnail */
    read: ({ userId }: Actor, fileId: FileId, { thumbnail = false }: { thumbnail?: boolean }): Promise<Readable> => read(userId, fileId, thumbnail),

    /** @throws `not_found` as `read` does */
    async createLink(
      { userId }: Actor,
      fileId: FileId,
      { thumbnail = false, expiresInSeconds = 300 }: { thumbnail?: boolean; expiresInSeconds?: number },
    ): Promise<{ token: string; expiresAt: Date }> {
      await read(userId, fileId, thumbnail)
      // In whole seconds, as the link has it.
      const expiresAt = new Date(Math.floor(clock.now().getTime() / 1000 + expiresInSeconds) * 1000)
      return { token: links.sign({ fileId, userId, thumbnail, expiresAt }), expiresAt }
    },

    /** @throws `not_found` for a link that is wrong or has ended, and where who made it may not see the file any more */
    async readLinked(token: string): Promise<Readable> {
      const linked = links.verify(token)
      if (linked === undefined || linked.expiresAt <= clock.now()) throw new AppError('not_found')
      const user = await users.find(linked.userId)
      if (user === undefined || user.suspendedAt !== null || user.erasedAt !== null) throw new AppError('not_found')
      return read(linked.userId, linked.fileId, linked.thumbnail)
    },

    /** @throws `not_found` also for those who may not see it; `forbidden` for others than its owner; `conflict` when a message has it */
    async delete({ userId }: Actor, fileId: FileId): Promise<void> {
      const file = await get(userId, fileId)
      if (file.ownerId !== userId) throw new AppError('forbidden', 'Only who uploaded a file can delete it.')
      const deleted = await db.transaction(async (tx) => {
        const gone = file.seq === null ? await files.deleteUnsent({ id: fileId }, tx) : []
        await deleteBytes(gone, tx)
        return gone
      })
      // Somebody was faster: with sending it, or with deleting it.
      const left = deleted.length === 0 ? await files.find(fileId) : undefined
      if (left !== undefined) throw new AppError('conflict', 'A message has this file: delete the message.')
      jobs.wake('objects.delete')
    },

    /** What can be known before they are sent. @throws `validation_error` unless all of them are the sender's and no message has them */
    async requireUnsent(ownerId: UserId, fileIds: readonly FileId[]): Promise<void> {
      if ((await files.countUnsent(fileIds, ownerId)) < fileIds.length) throw unusable()
    },

    /**
     * Makes them this message's, in the transaction that stores it.
     * @returns what it shows of them, in the order in which they are named. @throws as `requireUnsent` does
     */
    async attachWithin(
      ownerId: UserId,
      fileIds: readonly FileId[],
      message: { conversationId: ConversationId; seq: number },
      tx: Executor,
    ): Promise<Attachment[]> {
      const attached = await files.attach(fileIds, ownerId, message, tx)
      if (attached.length < fileIds.length) throw unusable()
      return attached.toSorted((a, b) => fileIds.indexOf(a.id) - fileIds.indexOf(b.id)).map(attachmentOf)
    },

    /** Takes the files off messages that go, in the transaction that has them go: once that is committed their bytes are deleted too. */
    async discardWithin(selection: Selection, tx: Executor): Promise<void> {
      await deleteBytes(await files.deleteOf(selection, tx), tx)
    },

    /** Of what a user has uploaded only that stays which messages have. */
    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await deleteBytes(await files.deleteAllUnsent(id, tx), tx)
      await files.deleteUsage(id, tx)
    },

    /** For a job that was planned before the file was stored: deletes what was not sent, and bytes that have no row. */
    async deleteUnused({ fileId }: JobData['files.deleteUnused']): Promise<void> {
      const createdUntil = new Date(clock.now().getTime() - unsentAfterSeconds * 1000)
      await db.transaction((tx) => files.deleteUnsent({ id: fileId, createdUntil }, tx))
      const file = await files.find(fileId)
      if (file === undefined) await deleteObjectsOf(fileId, objects)
      else if (file.seq === null) await jobs.enqueue(db, 'files.deleteUnused', { fileId }, { afterSeconds: lookAgainSeconds })
    },
  }
}

const unusable = (): AppError => invalidField('body.attachments', 'must be files that you have uploaded and not sent yet')

const attachmentOf = ({ id, name, contentType, sizeBytes, width, height, hasThumbnail }: FileRow): Attachment => ({
  ...{ id, name, contentType, sizeBytes },
  ...{ width, height, hasThumbnail },
})
