/**
 * Which sessions ended lately, in memory: an access token lives for minutes, so a revoked session must be remembered only until
 * the last of its access tokens has expired. The database knows them across a restart.
 */
import type { SessionId } from '../../../openapi/shared/ids.ts'
import type { Clock } from '../../clock.ts'
import type { Topics } from '../../topics.ts'
import { accessTokenSeconds } from './access-tokens.ts'
import type { SessionRepository } from './session-repository.ts'

/** A token may have been issued by a process whose clock is ahead. */
const leewaySeconds = 60

const rememberedMilliseconds = (accessTokenSeconds + leewaySeconds) * 1000

interface Dependencies {
  sessions: Pick<SessionRepository, 'listRevokedSince'>
  topics: Topics
  clock: Clock
}

export type Revocations = ReturnType<typeof createRevocations>

export function createRevocations({ sessions, topics, clock }: Dependencies) {
  /** By when they may be forgotten, the earliest first. */
  const revoked = new Map<SessionId, number>()

  const forget = (now: number): void => {
    for (const [sessionId, until] of revoked) {
      if (until > now) return
      revoked.delete(sessionId)
    }
  }

  const add = (sessionId: SessionId): void => {
    const now = clock.now().getTime()
    forget(now)
    if (!revoked.has(sessionId)) revoked.set(sessionId, now + rememberedMilliseconds)
  }

  /** To be called after the commit. */
  const revoke = (sessionId: SessionId): void => {
    add(sessionId)
    topics.publish('session', sessionId, { type: 'session.revoked', sessionId })
  }

  return {
    revoke,

    /** What was revoked before this process began, or by a commit whose answer was lost: it is published as any other. */
    async load(): Promise<void> {
      const since = new Date(clock.now().getTime() - rememberedMilliseconds)
      for (const sessionId of await sessions.listRevokedSince(since)) if (!revoked.has(sessionId)) revoke(sessionId)
    },

    has: (sessionId: SessionId): boolean => revoked.has(sessionId),
  }
}
