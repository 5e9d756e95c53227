/** Loaded into every measured server before its own code: answers the bench what the process has used, and ends with the bench. */
export interface Usage {
  rssBytes: number
  /** What JavaScript holds, on its heap and beside it. */
  usedBytes: number
  cpuMicroseconds: number
}

process.on('message', (request: 'usage' | 'collected usage') => {
  // Twice: what the first one finds unreachable may hold what only the second one frees.
  if (request === 'collected usage') for (let pass = 0; pass < 2; pass += 1) globalThis.gc?.()
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  const usage: Usage = { rssBytes: rss, usedBytes: heapUsed + external, cpuMicroseconds: user + system }
  process.send?.(usage)
})
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Listening must not keep a server alive that wants to end.
process.channel?.unref()
