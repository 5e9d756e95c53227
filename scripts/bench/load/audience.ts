/** The live members of some conversations, and what has reached them. */
import type { Audience } from '../ledger.ts'
import { listen, type Target } from '../target.ts'
import type { Group } from '../world.ts'

export interface LiveMembers {
  readonly audience: Audience[]
  readonly delivered: number
  /** Resolves when as many deliveries have come since the opening, or when nothing has come for a while: then the verdict says what is missing. */
  untilDelivered(count: number): Promise<void>
  close(): void
}

const openedAtOnce = 50
const patienceMilliseconds = 5_000

export async function openLiveMembers(target: Target, groups: readonly Group[]): Promise<LiveMembers> {
  let delivered = 0
  let waiting: { count: number; resolve(): void }[] = []
  const onDelivery = (): void => {
    delivered += 1
    if (waiting.length > 0) wake()
  }
  const wake = (): void => {
    waiting = waiting.filter(({ count, resolve }) => count > delivered || resolve())
  }

  const audience: Audience[] = []
  const members = groups.flatMap((group) => group.members.map((userId) => ({ group, userId })))
  while (audience.length < members.length) {
    const next = members.slice(audience.length, audience.length + openedAtOnce)
    audience.push(...(await Promise.all(next.map(async ({ group, userId }) => ({ group, listener: await listen(target, group, userId, onDelivery) })))))
  }

  return {
    audience,

    get delivered(): number {
      return delivered
    },

    async untilDelivered(count: number): Promise<void> {
      if (delivered >= count) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ count, resolve })
      let seen = delivered
      const watch = setInterval(() => {
        if (delivered === seen) resolve()
        seen = delivered
      }, patienceMilliseconds)
      await promise
      clearInterval(watch)
    },

    close(): void {
      for (const { listener } of audience) listener.close()
    },
  }
}
