/**
 * Which sessions ended lately, in memory: an access token lives for minutes, so a revoked session must be remembered only until
 * the last of its access tokens has expired. Every process hears of them as they are revoked; the database knows them across a restart.
 */
import type { CredentialId } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { EventBus } from '../../event-bus.ts'
import type { Log } from '../../log.ts'
import type { Topics } from '../../topics.ts'
import { accessTokenSeconds } from './access-tokens.ts'
import type { SessionRepository } from './session-repository.ts'

/** A token may have been issued by a process whose clock is ahead. */
const leewaySeconds = 60

const rememberedMilliseconds = (accessTokenSeconds + leewaySeconds) * 1000

interface Dependencies {
  sessions: Pick<SessionRepository, 'listRevokedSince'>
  topics: Topics
  bus: EventBus
  clock: Clock
  log: Log
}

export type Revocations = ReturnType<typeof createRevocations>

export function createRevocations({ sessions, topics, bus, clock, log }: Dependencies) {
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
    for (const sessionId of await sessions.listRevokedSince(since)) if (!revoked.has(sessionId)) revoke(sessionId)
  }

  /** After anything may have been missed. */
  const reload = (): void => {
    load().catch((error: unknown) => log.warn({ err: error }, 'Which sessions ended could not be read'))
  }

  bus.on('credentials.revoked', (credentialIds) => credentialIds.forEach(revoke))
  bus.onGap(reload)

  return { revoke, load, reload, has: (credentialId: CredentialId): boolean => revoked.has(credentialId) }
}
