/** Only so many at once, so that searches leave connections to whatever else is asked. The others wait a little, in order. */
import { AppError } from '../../errors/app-error.ts'

interface Limits {
  atOnce: number
  waitMilliseconds: number
}

export function createGate({ atOnce, waitMilliseconds }: Limits) {
  let free = atOnce
  const waiting = new Set<() => void>()

  const enter = (): Promise<void> => {
    if (free > 0) {
      free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const admit = (): void => {
        clearTimeout(timer)
        waiting.delete(admit)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(admit)
        reject(new AppError('unavailable', 'Too many search at the moment; try again shortly.', { retryAfterSeconds: 1 }))
      }, waitMilliseconds)
      waiting.add(admit)
    })
  }

  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) free += 1
    else next()
  }

  /** @throws `unavailable` when it would have to wait for too long. */
  return async <T>(work: () => Promise<T>): Promise<T> => {
    await enter()
    return work().finally(leave)
  }
}
