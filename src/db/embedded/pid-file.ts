/**
 * `postmaster.pid` is PostgreSQL's lock on its folder and says how far the server is. It outlives a server that was
 * killed, and its number may by then be another process's (after a restart of the machine or of the container): so the
 * process itself is asked whose folder it serves.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface PidFile {
  pid: number
  /** Absent while the server is on its way up. */
  port: number | undefined
  /** It takes connections: neither starting, recovering nor stopping. */
  isReady: boolean
}

export async function readPidFile(folder: string): Promise<PidFile | undefined> {
  const text = await readFile(pathIn(folder), 'utf8').catch(() => '')
  const [pid, , , port, , , , status] = text.split('\n')
  if (!pid) return undefined
  return { pid: Number(pid), port: port ? Number(port) : undefined, isReady: status?.trim() === 'ready' }
}

/** Whether the process lives and is the PostgreSQL of this folder. A dead one that nobody has reaped is not alive. */
export async function isServing(pid: number, folder: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return command.split('\0').includes(folder)
  }
  return isTaken(pid)
}

/**
 * PostgreSQL takes a living process under the old number for its predecessor and refuses to start. Only the number is
 * put out of the way: with the rest of the file it still finds leftovers of that predecessor that use its memory.
 */
export async function disownPid(folder: string, { pid }: PidFile): Promise<void> {
  if (!isTaken(pid)) return
  const text = await readFile(pathIn(folder), 'utf8')
  await writeFile(pathIn(folder), text.replace(/^\d+/, String(noProcess)))
}

/** Above the highest number that a system gives. */
const noProcess = 999_999_999

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const pathIn = (folder: string) => join(folder, 'postmaster.pid')
