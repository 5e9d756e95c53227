import { readdir, readFile } from 'node:fs/promises'

/** What Linux counts in; the kernel's own default, which nobody changes. */
const microsecondsPerTick = 10_000

/** What PostgreSQL and its processes have used, those that have ended too. @returns undefined where the system does not say it in /proc */
export async function readDatabaseCpu(postmasterPid: number): Promise<number | undefined> {
  const pids = await readdir('/proc').catch(() => [])
  const ticks = await Promise.all(pids.filter((name) => /^\d+$/.test(name)).map((pid) => readTicks(pid, postmasterPid)))
  return pids.length === 0 ? undefined : ticks.reduce((sum, count) => sum + count, 0) * microsecondsPerTick
}

async function readTicks(pid: string, postmasterPid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name, which may hold anything, ends with the last parenthesis; then come the state, the parent, seven more and the times.
  const [, parent, , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  if (Number(pid) === postmasterPid) return user + system + endedUser + endedSystem
  return parent === postmasterPid ? user + system : 0
}
