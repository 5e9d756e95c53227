/** Uploads that are not done yet: nothing of them counts towards a quota, so of each user this process takes a few at once. */
import type { UserId } from '../../../openapi/shared/ids.ts'
import { AppError } from '../../errors/app-error.ts'

const atOnce = 4
const retryAfterSeconds = 5

export function createUnderWay() {
  const counts = new Map<UserId, number>()

  /** @throws `rate_limit_exceeded` before it begins */
  return async <T>(userId: UserId, upload: () => Promise<T>): Promise<T> => {
    const count = counts.get(userId) ?? 0
    if (count >= atOnce) throw new AppError('rate_limit_exceeded', `You have ${atOnce} uploads under way: wait for one to end.`, { retryAfterSeconds })
    counts.set(userId, count + 1)
    try {
      return await upload()
    } finally {
      const left = (counts.get(userId) ?? 1) - 1
      if (left > 0) counts.set(userId, left)
      else counts.delete(userId)
    }
  }
}
