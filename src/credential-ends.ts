/** When what an actor may do ends: it expires, or its credential is revoked. Both are one event for whoever serves live clients. */
import type { Actor } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Topics } from './topics.ts'

interface Waiting {
  actor: Actor
  callback(): void
}

const sweepMilliseconds = 1_000

export type OnCredentialEnd = ReturnType<typeof createCredentialEnds>

export function createCredentialEnds({ topics, clock }: { topics: Topics; clock: Clock }) {
  const waiting = new Set<Waiting>()
  let timer: NodeJS.Timeout | undefined

  /** One look at many numbers costs less than a timer for each of them. */
  const endExpired = (): void => {
    const now = clock.now().getTime()
    for (const { actor, callback } of waiting) if (actor.expiresAt <= now) callback()
  }

  const forget = (one: Waiting): void => {
    waiting.delete(one)
    if (waiting.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  /** Calls back once, when what the actor has signed in with is worth nothing any more. @returns the function that ends the waiting. */
  return (actor: Actor, callback: () => void): (() => void) => {
    const end = (): void => {
      forget(one)
      unsubscribe()
    }
    const tell = (): void => {
      end()
      callback()
    }
    const one: Waiting = { actor, callback: tell }
    const unsubscribe = topics.subscribe('credential', actor.credentialId, tell)
    waiting.add(one)
    timer ??= setInterval(endExpired, sweepMilliseconds).unref()
    return end
  }
}
