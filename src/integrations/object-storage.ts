/**
 * Where files are kept: bytes under a key, written once and never changed. On disk the name of a file is the hash of its key: whatever is in
 * a key, it is no path, and file systems that do not tell letter cases apart tell these apart.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'

export interface StoredObject {
  sizeBytes: number
  /** To be read or destroyed: it holds the file open. */
  content: Readable
}

export interface ObjectStorage {
  /** Once it resolves the object is there, whole, whatever happens; before that nobody sees any of it. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>
  get(key: string): Promise<StoredObject | undefined>
  /** What is not there is no error. */
  delete(key: string): Promise<void>
}

/** Every process of an installation needs the same folder. */
export function createDiskStorage({ dataDir }: { dataDir: string }): ObjectStorage {
  const folder = join(dataDir, 'objects')
  const pathOf = (key: string): string => {
    const name = createHash('sha256').update(key).digest('hex')
    // 256 folders keep each of them short.
    return join(folder, name.slice(0, 2), name.slice(2))
  }

  return {
    async put(key, content) {
      const path = pathOf(key)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const draft = join(dirname(path), `.${randomUUID()}`)
      try {
        await writeDraft(draft, content)
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },

    async get(key) {
      const file = await open(pathOf(key)).catch(undefinedIfMissing)
      if (file === undefined) return undefined
      const { size } = await file.stat()
      return { sizeBytes: size, content: file.createReadStream() }
    },

    async delete(key) {
      await rm(pathOf(key), { force: true })
    },
  }
}

async function writeDraft(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
