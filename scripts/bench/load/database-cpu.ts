import { readdir, readFile } from 'node:fs/promises'

/** What Linux counts in; the kernel's own default, which nobody changes. */
const microsecondsPerTick = 10_000

/** What PostgreSQL and its backends that are still there have used. @returns undefined where the system does not say it in /proc */
export async function readDatabaseCpu(postmasterPid: number): Promise<number | undefined> {
  const pids = await readdir('/proc').catch(() => [])
  const ticks = await Promise.all(pids.filter((name) => /^\d+$/.test(name)).map((pid) => readTicks(pid, postmasterPid)))
  return pids.length === 0 ? undefined : ticks.reduce((sum, count) => sum + count, 0) * microsecondsPerTick
}

async function readTicks(pid: string, postmasterPid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name, which may hold anything, ends with the last parenthesis; then come the state, the parent and, tenth and eleventh after it, the times.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const isOurs = Number(pid) === postmasterPid || Number(fields[1]) === postmasterPid
  return isOurs ? Number(fields[11]) + Number(fields[12]) : 0
}
