/**
 * Rate limits are counted by plain functions, so that a socket's commands and a request's hooks count in the same places: per
 * class and caller, in fixed windows that begin with the first call.
 */
import type { RateLimitClass } from '../openapi/contract.ts'
import type { Clock } from './clock.ts'
import type { RateLimit } from './config.ts'

/** A few dozen megabytes. */
const maximumCounts = 100_000

interface Count {
  used: number
  resetsAt: number
}

export type RateCounters = ReturnType<typeof createRateCounters>

export function createRateCounters({ limits, clock }: { limits: Record<RateLimitClass, RateLimit | undefined>; clock: Clock }) {
  const counts = new Map<string, Count>()
  let sweepAt = 0

  /** Callers come and go: what has run out is forgotten once a minute, so that memory follows the callers of the moment. */
  const sweep = (now: number): void => {
    if (now < sweepAt) return
    sweepAt = now + 60_000
    for (const [key, count] of counts) if (count.resetsAt <= now) counts.delete(key)
  }

  /** Whoever calls under ever new names may begin anew sooner, but cannot fill the memory. */
  const dropOldest = (): void => {
    if (counts.size <= maximumCounts) return
    for (const key of counts.keys()) return void counts.delete(key)
  }

  /** Counts one call. @returns what is used, and the milliseconds until the window ends. */
  const increment = (key: string, windowMilliseconds: number): { used: number; remainingMilliseconds: number } => {
    const now = clock.now().getTime()
    sweep(now)
    let count = counts.get(key)
    if (count === undefined || count.resetsAt <= now) {
      count = { used: 0, resetsAt: now + windowMilliseconds }
      // At the end again: those that began first come first.
      counts.delete(key)
      counts.set(key, count)
      dropOldest()
    }
    count.used += 1
    return { used: count.used, remainingMilliseconds: count.resetsAt - now }
  }

  return {
    increment,

    limitOf: (rateLimitClass: RateLimitClass): RateLimit | undefined => limits[rateLimitClass],

    /** @returns undefined when the call is within the limit, otherwise the seconds to wait. */
    exceeded(rateLimitClass: RateLimitClass, caller: string): number | undefined {
      const limit = limits[rateLimitClass]
      if (limit === undefined) return undefined
      const { used, remainingMilliseconds } = increment(counterKey(rateLimitClass, caller), limit.windowMilliseconds)
      return used > limit.limit ? Math.ceil(remainingMilliseconds / 1000) : undefined
    },
  }
}

export const counterKey = (rateLimitClass: RateLimitClass, caller: string): string => `${rateLimitClass} ${caller}`
