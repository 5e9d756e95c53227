/** Work that takes a core for a while waits for its turn, so that whatever is asked of the server, it answers others meanwhile. */
import { AppError } from '../../errors/app-error.ts'

const retrySeconds = 2

export interface TurnLimits {
  /** How many may work at once. */
  atOnce: number
  /** How many may wait: more would wait for longer than anybody does. */
  waiting: number
}

/** @returns a function that has work done when its turn comes, first come, first served; it throws `unavailable` when too many wait already */
export function createTurns({ atOnce, waiting }: TurnLimits) {
  const queue: (() => void)[] = []
  let free = atOnce

  const begin = (): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1
      return undefined
    }
    if (queue.length >= waiting)
      throw new AppError('unavailable', 'Too many are signing in at the moment; try again shortly.', { retryAfterSeconds: retrySeconds })
    return new Promise((resolve) => queue.push(resolve))
  }

  /** Hands the turn to the next one, or back. */
  const end = (): void => {
    const next = queue.shift()
    if (next === undefined) free += 1
    else next()
  }

  return async <T>(work: () => Promise<T>): Promise<T> => {
    await begin()
    try {
      return await work()
    } finally {
      end()
    }
  }
}
