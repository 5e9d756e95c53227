/** Work that never pauses: each worker begins again as soon as it has ended, until the time is over. @returns milliseconds of each. */
export async function repeat<T>(workers: readonly T[], seconds: number, act: (worker: T) => Promise<unknown>): Promise<number[]> {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  const work = async (worker: T): Promise<void> => {
    for (let start = performance.now(); start < end; ) {
      await act(worker)
      const now = performance.now()
      latencies.push(now - start)
      start = now
    }
  }
  await Promise.all(workers.map(work))
  return latencies
}

export function pick<T>(values: readonly T[]): T {
  const value = values[Math.floor(Math.random() * values.length)]
  if (value === undefined) throw new Error('Nothing to pick from')
  return value
}
