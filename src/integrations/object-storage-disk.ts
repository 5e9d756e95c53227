/**
 * Objects as files of one folder. The name of a file is the hash of its key: whatever is in a key, it is no path, and file systems that do
 * not tell letter cases apart tell these apart.
 */
import { createHash, randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ObjectStorage } from './object-storage.ts'

const abandonedAfterMilliseconds = 24 * 60 * 60 * 1000

/** Every process of an installation needs the same folder. */
export function createDiskStorage({ dataDir }: { dataDir: string }): ObjectStorage {
  const root = resolve(dataDir)
  const folder = join(root, 'objects')
  const drafts = join(folder, 'drafts')
  const pathOf = (key: string): string => {
    const name = createHash('sha256').update(key).digest('hex')
    // 256 folders keep each of them short.
    return join(folder, name.slice(0, 2), name.slice(2))
  }

  /** A name lasts when its folder is synced, and so does the folder's. Another process may have made these and not have come so far. */
  const syncAbove = async (path: string, firstMade: string | undefined): Promise<void> => {
    const highest = firstMade !== undefined && root.startsWith(firstMade) ? dirname(firstMade) : root
    for (let at = dirname(path); ; at = dirname(at)) {
      await syncFolder(at)
      if (at === highest) return
    }
  }

  return {
    async put(key, content) {
      const path = pathOf(key)
      const draft = join(drafts, randomUUID())
      const firstMade = await mkdir(drafts, { recursive: true, mode: 0o700 })
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await removeAbandoned(drafts)
      try {
        await writeDraft(draft, content)
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
      await syncAbove(path, firstMade)
    },

    async get(key, range) {
      const file = await open(pathOf(key)).catch(undefinedIfMissing)
      if (file === undefined) return undefined
      if (range !== undefined) {
        const { first, last } = range
        return { sizeBytes: last - first + 1, content: file.createReadStream({ start: first, end: last }) }
      }
      const { size } = await file.stat()
      return { sizeBytes: size, content: file.createReadStream() }
    },

    async delete(key) {
      const path = pathOf(key)
      await rm(path, { force: true })
      // That it is gone lasts, too; where there is no folder there never was anything.
      await syncFolder(dirname(path)).catch(undefinedIfMissing)
    },

    ping: () =>
      access(root, constants.W_OK).then(
        () => true,
        () => false,
      ),
  }
}

/** What a process was writing when it was killed: there are seldom any, so looking is cheap. */
async function removeAbandoned(drafts: string): Promise<void> {
  for (const name of await readdir(drafts)) {
    const draft = join(drafts, name)
    const found = await stat(draft).catch(undefinedIfMissing)
    if (found !== undefined && found.mtimeMs < Date.now() - abandonedAfterMilliseconds) await rm(draft, { force: true })
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

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and keeps their entries by itself.
  if (process.platform === 'win32') return
  const folder = await open(path)
  try {
    await folder.sync().catch(ignoreUnsupported)
  } finally {
    await folder.close()
  }
}

/** Some file systems sync no folders. */
function ignoreUnsupported(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
