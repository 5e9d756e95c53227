/**
 * Taking a file: it is looked at by its first bytes, stored as it comes, and has a row when it is whole. Whatever fails or is killed before
 * that leaves bytes that no row names: what fails removes them at once, and a job that was planned before the first byte was stored removes
 * the rest, as it does with a file that nobody has sent after a day.
 */
import { createHash } from 'node:crypto'
import type { FileId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { FileRow } from '../../db/schema/messages.ts'
import { AppError, fileTooLarge, invalidField } from '../../errors/app-error.ts'
import type { ObjectStorage } from '../../integrations/object-storage.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import type { MeasurePicture } from '../../pictures.ts'
import { displayName } from './names.ts'
import { type FileRepository, originalKey, thumbnailKey } from './repository.ts'
import { isPicture, kindOf, textCheck } from './types.ts'

export interface UploadLimits {
  uploadMaxBytes: number
  /** Of all files of one user together. */
  uploadQuotaBytes: number
  /** Media types, and `image/*` for all of a kind. */
  uploadTypes: readonly string[]
}

export interface UploadDependencies {
  db: Executor
  files: FileRepository
  objects: ObjectStorage
  jobs: Pick<Jobs, 'enqueue'>
  measurePicture: MeasurePicture
  limits: UploadLimits
  clock: Clock
  newId: NewId
  log: Log
}

export interface Upload {
  name: string
  /** What is known of its size before it is read. */
  leastBytes?: number
  content: AsyncIterable<Uint8Array>
}

/** What is not sent by then is deleted; the job comes later, so that it finds it old enough. */
export const unsentAfterSeconds = 24 * 3_600
const cleanUpAfterSeconds = unsentAfterSeconds + 3_600

/** Signatures are at the beginning; of office documents the first entries of the archive tell. */
const headBytes = 65_536
/** A picture is unpacked from memory: larger files are kept as they are. */
const largestPictureBytes = 32 * 1_048_576

export function uploading({ db, files, objects, jobs, measurePicture, limits, clock, newId, log }: UploadDependencies) {
  const { uploadMaxBytes, uploadQuotaBytes, uploadTypes } = limits

  const requireRoom = async (userId: UserId, bytes: number): Promise<void> => {
    if (bytes > uploadMaxBytes) throw fileTooLarge(uploadMaxBytes)
    if ((await files.usedBytes(userId)) + bytes > uploadQuotaBytes) throw new AppError('quota_exceeded')
  }

  const storeThumbnail = async (id: FileId, sizeBytes: number): Promise<Pick<FileRow, 'width' | 'height' | 'hasThumbnail'>> => {
    const picture = sizeBytes > largestPictureBytes ? undefined : await measurePicture(() => readWhole(id))
    if (picture?.thumbnail !== undefined) await objects.put(thumbnailKey(id), picture.thumbnail)
    return { width: picture?.width ?? null, height: picture?.height ?? null, hasThumbnail: picture?.thumbnail !== undefined }
  }

  const readWhole = async (id: FileId): Promise<Uint8Array> => {
    const stored = await objects.get(originalKey(id))
    if (stored === undefined) throw new Error('An object that was just stored is not there')
    return Buffer.concat(await Array.fromAsync<Uint8Array>(stored.content))
  }

  const store = async (id: FileId, { userId }: Actor, name: string, { head, rest }: Opened): Promise<FileRow> => {
    const { contentType, isText } = await kindOf(head, name, uploadTypes)
    const measured = measure(head, rest, { maxBytes: uploadMaxBytes, isText })
    await objects.put(originalKey(id), measured.content)
    const { sizeBytes, sha256 } = measured.result()
    const picture = isPicture(contentType) ? await storeThumbnail(id, sizeBytes) : { width: null, height: null, hasThumbnail: false }
    const row = { id, ownerId: userId, conversationId: null, seq: null, name, contentType, sizeBytes, sha256, ...picture, createdAt: clock.now() }
    await db.transaction(async (tx) => {
      if (!(await files.holdUser(userId, tx))) throw new AppError('unauthorized')
      if (!(await files.use(userId, sizeBytes, uploadQuotaBytes, tx))) throw new AppError('quota_exceeded')
      await files.insert(row, tx)
    })
    return row
  }

  const removeUnnamed = async (id: FileId): Promise<void> => {
    // What failed may have been committed all the same: then the row is there, and the job sees to it.
    if ((await files.find(id)) !== undefined) return
    await objects.delete(originalKey(id))
    await objects.delete(thumbnailKey(id))
  }

  return {
    /**
     * @throws `validation_error` for an empty file, `payload_too_large`, `quota_exceeded`, `unsupported_media_type`, `unauthorized` when the user
     * is gone, and whatever the content breaks off with: nothing of it is kept then
     */
    async upload(actor: Actor, { name, leastBytes = 0, content }: Upload): Promise<FileRow> {
      await requireRoom(actor.userId, Math.max(1, leastBytes))
      const opened = await open(content)
      const id = newId<FileId>()
      await jobs.enqueue(db, 'files.deleteUnused', { fileId: id }, { afterSeconds: cleanUpAfterSeconds })
      try {
        return await store(id, actor, displayName(name), opened)
      } catch (error) {
        await removeUnnamed(id).catch((failure: unknown) => log.warn({ err: failure, fileId: id }, 'What is left of an upload is removed later'))
        throw error
      } finally {
        await opened.rest.return?.()
      }
    },
  }
}

interface Opened {
  head: Uint8Array
  rest: AsyncIterator<Uint8Array>
}

/** Reads as much as is needed to tell what it is. */
async function open(content: AsyncIterable<Uint8Array>): Promise<Opened> {
  const rest = content[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  for (let length = 0; length < headBytes; ) {
    const { value, done } = await rest.next()
    if (done) break
    chunks.push(value)
    length += value.length
  }
  const head = Buffer.concat(chunks)
  if (head.length === 0) throw invalidField('body.file', 'is empty')
  return { head, rest }
}

interface Measured {
  sizeBytes: number
  sha256: string
}

/** The same bytes, measured on their way. @returns content that breaks off when it is too large or no text; `result` is known when it has ended */
function measure(head: Uint8Array, rest: AsyncIterator<Uint8Array>, { maxBytes, isText }: { maxBytes: number; isText: boolean }) {
  const hash = createHash('sha256')
  const check = isText ? textCheck() : undefined
  let sizeBytes = 0
  let measured: Measured | undefined

  const pass = (chunk: Uint8Array): Uint8Array => {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw fileTooLarge(maxBytes)
    hash.update(chunk)
    check?.(chunk)
    return chunk
  }

  async function* content(): AsyncGenerator<Uint8Array> {
    yield pass(head)
    for (;;) {
      const { value, done } = await rest.next()
      if (done) break
      yield pass(value)
    }
    check?.()
    measured = { sizeBytes, sha256: hash.digest('hex') }
  }

  return {
    content: content(),
    result: (): Measured => {
      if (measured === undefined) throw new Error('The content has not ended')
      return measured
    },
  }
}
