/** Where files are kept: bytes under a key, written once and never changed. */
import type { Readable } from 'node:stream'
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

/** The client of S3 takes a while to load, so only those wait for it who have configured it. */
export async function createObjectStorage({ s3, dataDir }: StorageConfig & { dataDir: string }): Promise<ObjectStorage> {
  if (s3 === undefined) return createDiskStorage({ dataDir })
  const { createS3Storage } = await import('./object-storage-s3.ts')
  return createS3Storage(s3)
}
