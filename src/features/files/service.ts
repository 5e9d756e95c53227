/** Files that users upload, alone at first and then as attachments of messages: rows here, bytes in the object storage. */
import type { Executor } from '../../db/executor.ts'
import type { ObjectStorage } from '../../integrations/object-storage.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import { type FileRepository, originalKey, type Selection, thumbnailKey } from './repository.ts'

interface Dependencies {
  files: FileRepository
  objects: ObjectStorage
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
}

/** Of one job: what fails of it is done again as a whole. */
const deletedAtOnce = 50

export type FileService = ReturnType<typeof createFileService>

export function createFileService({ files, objects, jobs }: Dependencies) {
  return {
    /**
     * Takes the files off messages that go, in the transaction that has them go: once that is committed their bytes are deleted too.
     * Without `seqs` and `beforeSeq` it takes those of the whole conversation.
     */
    async discardWithin(selection: Selection, tx: Executor): Promise<void> {
      const deleted = await files.deleteOf(selection, tx)
      const fileIds = deleted.map(({ id }) => id)
      for (let at = 0; at < fileIds.length; at += deletedAtOnce) {
        await jobs.enqueue(tx, 'files.deleteObjects', { fileIds: fileIds.slice(at, at + deletedAtOnce) })
      }
    },

    /** For a job: the bytes of files that have no row any more. */
    async deleteObjects({ fileIds }: JobData['files.deleteObjects']): Promise<void> {
      for (const id of fileIds) {
        await objects.delete(originalKey(id))
        await objects.delete(thumbnailKey(id))
      }
    },
  }
}
