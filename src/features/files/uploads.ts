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
import type { FileRow } from '../../db/schema/files.ts'
import { AppError, fileTooLarge, invalidField } from '../../errors/app-error.ts'
import type { ObjectStorage } from '../../integrations/object-storage.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import type { MeasurePicture } from '../../pictures.ts'
import type { UploadConfig } from '../../storage-config.ts'
import { createUnderWay } from '../../under-way.ts'
import { displayName } from './names.ts'
import { deleteObjectsOf, originalKey, thumbnailKey } from './objects.ts'
import type { FileRepository } from './repository.ts'
import { isPicture, kindOf, textCheck } from './types.ts'

export interface UploadDependencies {
  db: Executor
  files: FileRepository
  objects: ObjectStorage
  jobs: Pick<Jobs, 'enqueue'>
  measurePicture: MeasurePicture
  limits: UploadConfig
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

/** Of each user. */
const uploadsAtOnce = 4

/** Signatures are at the beginning; of office documents the first entries of the archive tell. */
const headBytes = 65_536
/** A picture is unpacked from memory: larger files are kept as they are. */
const largestPictureBytes = 32 * 1_048_576

export function uploading({ db, files, objects, jobs, measurePicture, limits, clock, newId, log }: UploadDependencies) {
  const { uploadMaxBytes, uploadQuotaBytes, uploadTypes } = limits

  /** Nothing of these counts towards the quota yet. */
  const begin = createUnderWay({ atOnce: uploadsAtOnce, what: 'uploads' })

  /** @returns what takes how much there is of a file, as it comes, and throws when that is more than there is room for now */
  const requireRoom = async (userId: UserId): Promise<(bytes: number) => void> => {
    const roomBytes = uploadQuotaBytes - (await files.usedBytes(userId))
    return (bytes) => {
      if (bytes > uploadMaxBytes) throw fileTooLarge(uploadMaxBytes)
      if (bytes > roomBytes) throw new AppError('quota_exceeded')
    }
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

  const storeBytes = async (id: FileId, { userId }: Actor, given: string, { head, rest, checkSize }: Opened): Promise<FileRow> => {
    const { contentType, extension, isText } = await kindOf(head, given, uploadTypes)
    const name = displayName(given, extension)
    const measured = measure(head, rest, { checkSize, isText })
    await objects.put(originalKey(id), measured.content)
    const { sizeBytes, sha256 } = measured.result()
    const picture = isPicture(contentType) ? await storeThumbnail(id, sizeBytes) : { width: null, height: null, hasThumbnail: false }
    return { id, ownerId: userId, conversationId: null, seq: null, name, contentType, sizeBytes, sha256, ...picture, createdAt: clock.now() }
  }

  const storeRow = (row: FileRow): Promise<void> =>
    db.transaction(async (tx) => {
      // In this order: whoever erases the user holds what they use by then, and waits for those who hold the user.
      if (!(await files.use(row.ownerId, row.sizeBytes, uploadQuotaBytes, tx))) throw new AppError('quota_exceeded')
      if (!(await files.holdUser(row.ownerId, tx))) throw new AppError('unauthorized')
      await files.insert(row, tx)
    })

  const store = async (id: FileId, actor: Actor, name: string, opened: Opened): Promise<FileRow> => {
    let mayHaveRow = false
    try {
      const row = await storeBytes(id, actor, name, opened)
      mayHaveRow = true
      await storeRow(row)
      return row
    } catch (error) {
      // What fails in the database may be committed all the same, and after anybody has looked: the job sees to that.
      const isUnnamed = !mayHaveRow || error instanceof AppError
      if (isUnnamed) await deleteObjectsOf(id, objects).catch((failure: unknown) => log.warn({ err: failure, fileId: id }, left))
      throw error
    }
  }

  const take = async (actor: Actor, { name, leastBytes = 0, content }: Upload): Promise<FileRow> => {
    const checkSize = await requireRoom(actor.userId)
    checkSize(Math.max(1, leastBytes))
    const opened = { ...(await open(content)), checkSize }
    const id = newId<FileId>()
    try {
      await jobs.enqueue(db, 'files.deleteUnused', { fileId: id }, { afterSeconds: cleanUpAfterSeconds })
      return await store(id, actor, name, opened)
    } finally {
      await opened.rest.return?.()
    }
  }

  return {
    /**
     * @throws `rate_limit_exceeded` when the user has too many under way, `validation_error` for an empty file, `payload_too_large`,
     * `quota_exceeded`, `unsupported_media_type`, `unauthorized` when the user is gone, and whatever the content breaks off with: nothing of it
     * is kept then
     */
    async upload(actor: Actor, given: Upload): Promise<FileRow> {
      const end = begin(actor.userId)
      try {
        return await take(actor, given)
      } finally {
        end()
      }
    },
  }
}

const left = 'What is left of an upload is removed later'

interface Opened {
  head: Uint8Array
  rest: AsyncIterator<Uint8Array>
  checkSize(bytes: number): void
}

/** Reads as much as is needed to tell what it is. */
async function open(content: AsyncIterable<Uint8Array>): Promise<Omit<Opened, 'checkSize'>> {
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
function measure(head: Uint8Array, rest: AsyncIterator<Uint8Array>, { checkSize, isText }: Pick<Opened, 'checkSize'> & { isText: boolean }) {
  const hash = createHash('sha256')
  const check = isText ? textCheck() : undefined
  let sizeBytes = 0
  let measured: Measured | undefined

  const pass = (chunk: Uint8Array): Uint8Array => {
    sizeBytes += chunk.length
    checkSize(sizeBytes)
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
