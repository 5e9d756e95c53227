import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Work that comes at a steady rate, whether what came before has ended or not, as that of many users does. Latencies count from when the
 * work was due: what waits for a busy server is not forgiven. @returns milliseconds of each, when all of it has ended
 */
export async function pace(perSecond: number, seconds: number, act: () => Promise<unknown>): Promise<number[]> {
  const start = performance.now()
  const latencies: number[] = []
  const works: Promise<void>[] = []
  const work = async (due: number): Promise<void> => {
    await act()
    latencies.push(performance.now() - due)
  }
  for (let count = 0; count < perSecond * seconds; count += 1) {
    const due = start + (count * 1000) / perSecond
    if (due > performance.now()) await sleep(due - performance.now())
    works.push(work(due))
  }
  await Promise.all(works)
  return latencies
}

/** Lends connections, one to each piece of work at a time. */
export function createConnectionPool<T>(connections: readonly T[]) {
  const free = [...connections]
  const waiting: ((connection: T) => void)[] = []

  return async <R>(work: (connection: T) => Promise<R>): Promise<R> => {
    const connection = free.pop() ?? (await new Promise<T>((resolve) => waiting.push(resolve)))
    try {
      return await work(connection)
    } finally {
      const next = waiting.shift()
      if (next) next(connection)
      else free.push(connection)
    }
  }
}
