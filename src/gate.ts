/** Only so many at once; the others wait, first come, first served. */
import type { AppError } from './errors/app-error.ts'

interface Options {
  atOnce: number
  /** How long one waits at most; as long as it takes unless said otherwise. */
  waitMilliseconds?: number
  /** What who cannot come in is told. */
  refusal(): AppError
}

export function createGate({ atOnce, waitMilliseconds, refusal }: Options) {
  let free = atOnce
  const queue = new Set<() => void>()

  const enter = (waiting: number): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1
      return undefined
    }
    if (queue.size >= waiting) throw refusal()
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        clearTimeout(timer)
        queue.delete(admit)
      }
      const admit = (): void => {
        leaveQueue()
        resolve()
      }
      const giveUp = (): void => {
        leaveQueue()
        reject(refusal())
      }
      const timer = waitMilliseconds === undefined ? undefined : setTimeout(giveUp, waitMilliseconds)
      queue.add(admit)
    })
  }

  const leave = (): void => {
    const [next] = queue
    if (next === undefined) free += 1
    else next()
  }

  /**
   * @param waiting how many may stand before it
   * @throws the refusal when more do, or when it would have to wait for too long
   */
  return async <T>(work: () => Promise<T>, waiting = Number.POSITIVE_INFINITY): Promise<T> => {
    await enter(waiting)
    try {
      return await work()
    } finally {
      leave()
    }
  }
}
