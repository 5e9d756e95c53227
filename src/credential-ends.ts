/**
 * When what an actor may do ends: it expires, or its credential is revoked. Both are one event for whoever serves live clients. A
 * socket may live for a month, far longer than processes look back to what was revoked: so what is in use is compared with the
 * database when something may have been missed, and every few minutes, which also keeps a session alive whose only use is a socket.
 */
import type { Actor, CredentialId } from './actor.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { createReload } from './reload.ts'
import type { Topics } from './topics.ts'

interface Waiting {
  actor: Actor
  /** Unix milliseconds; later than the actor's own where the session was prolonged meanwhile. */
  expiresAt: number
  callback(): void
}

/** What the database says of credentials that are in use. */
export interface CheckedCredentials {
  /** They are worth nothing any more, or something else than they were. */
  ended: ReadonlySet<CredentialId>
  /** Being used they are good for longer than they were. */
  prolonged: ReadonlyMap<CredentialId, Date>
}

interface Dependencies {
  topics: Topics
  clock: Clock
  log: Log
  /** Being asked for, sessions by cookie go on. */
  checkCredentials(actors: readonly Actor[]): Promise<CheckedCredentials>
}

export type CredentialEnds = ReturnType<typeof createCredentialEnds>

const sweepMilliseconds = 1_000
const compareMilliseconds = 10 * 60_000

export function createCredentialEnds({ topics, clock, log, checkCredentials }: Dependencies) {
  const waiting = new Set<Waiting>()
  let timer: NodeJS.Timeout | undefined
  let comparedAt = 0

  const compare = async (): Promise<void> => {
    const compared = [...waiting]
    if (compared.length === 0) return
    const { ended, prolonged } = await checkCredentials(compared.map(({ actor }) => actor))
    for (const one of compared) {
      one.expiresAt = prolonged.get(one.actor.credentialId)?.getTime() ?? one.expiresAt
      if (waiting.has(one) && ended.has(one.actor.credentialId)) one.callback()
    }
  }

  const { reload, close } = createReload({ load: compare, failure: 'What is in use could not be compared with the database', log })

  /** One look at many numbers costs less than a timer for each of them. */
  const sweep = (): void => {
    const now = clock.now().getTime()
    for (const { expiresAt, callback } of waiting) if (expiresAt <= now) callback()
    if (now < comparedAt + compareMilliseconds) return
    comparedAt = now
    reload()
  }

  const forget = (one: Waiting): void => {
    waiting.delete(one)
    if (waiting.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  const wait = (one: Waiting): void => {
    waiting.add(one)
    if (timer !== undefined) return
    comparedAt = clock.now().getTime()
    timer = setInterval(sweep, sweepMilliseconds).unref()
  }

  return {
    /** Something may have been missed. */
    reload,
    close,

    /** Calls back once, when what the actor has signed in with is worth nothing any more. @returns the function that ends the waiting. */
    onEnd(actor: Actor, callback: () => void): () => void {
      const end = (): void => {
        forget(one)
        unsubscribe()
      }
      const tell = (): void => {
        end()
        callback()
      }
      const one: Waiting = { actor, expiresAt: actor.expiresAt, callback: tell }
      const unsubscribe = topics.subscribe('credential', actor.credentialId, tell)
      wait(one)
      return end
    },
  }
}
