/** Where files are kept: bytes under a key, written once and never changed. */
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { AppError } from '../errors/app-error.ts'
import type { Log } from '../log.ts'
import { StartError } from '../start-error.ts'
import type { StorageConfig } from '../storage-config.ts'
import { createDiskStorage } from './object-storage-disk.ts'

export interface StoredObject {
  /** Of what is read: the whole, or the range. */
  sizeBytes: number
  /** To be read or destroyed: it holds the file, or the connection, open. */
  content: Readable
}

/** Of bytes, both ends included. */
export interface ByteRange {
  first: number
  last: number
}

/** Each rejects with `unavailable` when the storage is out of reach or too busy. */
export interface ObjectStorage {
  /**
   * Once it resolves the object is there, whole, whatever happens; before that nobody sees any of it. The content is written as it comes:
   * when it breaks off, what was written is removed and the promise rejects with what it broke off with.
   */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  /** @param range must be within the object. @returns undefined when there is none */
  get(key: string, range?: ByteRange): Promise<StoredObject | undefined>
  /** What is not there is no error. */
  delete(key: string): Promise<void>
  /** Whether it answers, and soon. */
  ping(): Promise<boolean>
}

/** The client of S3 takes a while to load, so only those wait for it who have configured it. @throws StartError when the bucket is not ours to use */
export async function createObjectStorage({ s3, dataDir }: StorageConfig & { dataDir: string }, log: Log): Promise<ObjectStorage> {
  if (s3 === undefined) return createDiskStorage({ dataDir })
  const { createS3Storage } = await import('./object-storage-s3.ts')
  const objects = createS3Storage(s3, log)
  await tryOut(objects, log)
  return objects
}

/** The start waits no longer for the bucket. */
const trialMilliseconds = 5_000

/** Wrong keys are seen at the start, and not by whoever loses a file by them. That the bucket is away for a while is no reason not to start. */
async function tryOut(objects: ObjectStorage, log: Log): Promise<void> {
  const late = Promise.withResolvers<never>()
  setTimeout(() => late.reject(new AppError('unavailable', `No answer within ${trialMilliseconds} ms`)), trialMilliseconds).unref()
  const isRead = await Promise.race([useOnce(objects), late.promise]).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw unusable(String(error))
    log.warn({ err: error }, 'Whether objects can be kept in S3_BUCKET is not known: it cannot be reached')
    return true
  })
  if (!isRead) throw unusable('what was stored may not be read')
}

async function useOnce(objects: ObjectStorage): Promise<boolean> {
  const key = `trials/${randomUUID()}`
  await objects.put(key, Buffer.from('Parley'))
  const stored = await objects.get(key)
  stored?.content.destroy()
  await objects.delete(key)
  return stored !== undefined
}

const unusable = (reason: string) => new StartError(`Parley cannot store, read and delete objects in S3_BUCKET with these keys: ${reason}.`)
