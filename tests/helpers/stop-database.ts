/** Runs after all tests: ends their server, and those of earlier runs that were interrupted. */
import { readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shareEmbeddedPostgres } from '../../src/db/embedded.ts'
import { sharedFolderPrefix, silentLog, testSettings } from './database.ts'

for (const name of await readdir(tmpdir())) {
  if (!name.startsWith(sharedFolderPrefix)) continue
  const run = Number(name.slice(sharedFolderPrefix.length))
  if (run === process.ppid) await end(join(tmpdir(), name))
  // Another run may be clearing up at the same moment; what is left the next one finds.
  else if (!isRunning(run)) await end(join(tmpdir(), name)).catch(() => undefined)
}

async function end(dataDir: string): Promise<void> {
  if (process.getuid !== undefined && (await stat(dataDir)).uid !== process.getuid()) return
  const server = await shareEmbeddedPostgres({ dataDir, settings: testSettings, log: silentLog })
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
