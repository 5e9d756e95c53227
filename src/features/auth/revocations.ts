/**
 * Which credentials ended lately, in memory: an access token lives for minutes, and what else is remembered of a credential (see
 * `cookie-sessions.ts`) no longer, so one that is revoked must be remembered only until then. Every process hears of them as they are
 * revoked; the database knows them across a restart. What may live longer, a socket by a cookie or a key, is compared with the database
 * by `credential-ends.ts`.
 */
import type { CredentialId } from '../../actor.ts'
import type { EventBus } from '../../bus/event-bus.ts'
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import { createReload } from '../../reload.ts'
import type { Topics } from '../../topics.ts'
import { accessTokenSeconds } from './access-tokens.ts'

/** A token may have been issued by a process whose clock is ahead. */
const leewaySeconds = 60

const rememberedMilliseconds = (accessTokenSeconds + leewaySeconds) * 1000

/** How long the database keeps what was revoked: longer than anybody looks back, for clocks differ and reading takes its time. */
export const keptMilliseconds = rememberedMilliseconds + 4 * 60_000

interface Dependencies {
  /** Each reads one kind of credential. */
  listRevokedSince: readonly ((since: Date) => Promise<CredentialId[]>)[]
  topics: Topics
  bus: EventBus
  clock: Clock
  log: Log
}

export type Revocations = ReturnType<typeof createRevocations>

export function createRevocations({ listRevokedSince, topics, bus, clock, log }: Dependencies) {
  /** By when they may be forgotten, the earliest first. */
  const revoked = new Map<CredentialId, number>()

  const forget = (now: number): void => {
    for (const [credentialId, until] of revoked) {
      if (until > now) return
      revoked.delete(credentialId)
    }
  }

  const add = (credentialId: CredentialId): void => {
    const now = clock.now().getTime()
    forget(now)
    if (!revoked.has(credentialId)) revoked.set(credentialId, now + rememberedMilliseconds)
  }

  /** To be called after the commit of a transaction that has put it on the bus. */
  const revoke = (credentialId: CredentialId): void => {
    add(credentialId)
    topics.publish('credential', credentialId, { type: 'credential.revoked', credentialId })
  }

  /** What was revoked before this process began, or by a commit whose answer was lost: it is published as any other. */
  const load = async (): Promise<void> => {
    const since = new Date(clock.now().getTime() - rememberedMilliseconds)
    const lists = await Promise.all(listRevokedSince.map((list) => list(since)))
    for (const credentialId of lists.flat()) if (!revoked.has(credentialId)) revoke(credentialId)
  }

  const { reload, close } = createReload({ load, failure: 'Which credentials ended could not be read', log })

  bus.on('credentials.revoked', (credentialIds) => credentialIds.forEach(revoke))
  bus.onGap(reload)

  return {
    revoke,
    load,
    reload,
    keptMilliseconds,
    has: (credentialId: CredentialId): boolean => revoked.has(credentialId),
    close,
  }
}
