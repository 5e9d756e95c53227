/** What is under way of whom: each has a few at once in this process. */
import { AppError } from './errors/app-error.ts'

const retryAfterSeconds = 5

/** @param what they are: "uploads" */
export function createUnderWay({ atOnce, what }: { atOnce: number; what: string }) {
  const counts = new Map<string, number>()

  const end = (who: string): void => {
    const left = (counts.get(who) ?? 1) - 1
    if (left > 0) counts.set(who, left)
    else counts.delete(who)
  }

  /** @returns what ends it, to be called once. @throws `rate_limit_exceeded` instead of beginning one too many */
  return (who: string): (() => void) => {
    const count = counts.get(who) ?? 0
    if (count >= atOnce) throw new AppError('rate_limit_exceeded', `There are ${count} ${what} under way: wait for one to end.`, { retryAfterSeconds })
    counts.set(who, count + 1)
    return () => end(who)
  }
}
