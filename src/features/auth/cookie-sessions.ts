/**
 * Sessions of browsers that go on by a cookie. Its value is random, kept as a hash only, and always a new one: what a browser brings is
 * never adopted, for somebody else may have put it there. What the database said of a cookie is believed for a minute; that its
 * session has ended is known at once, by `Revocations`, which remember longer than that.
 */
import type { SessionId } from '../../../openapi/shared/ids.ts'
import type { Caller, SessionActor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { TransactionRunner } from '../../db/executor.ts'
import type { SessionRow } from '../../db/schema/sessions.ts'
import type { UserRow } from '../../db/schema/users.ts'
import { AppError } from '../../errors/app-error.ts'
import { hashOf, newSecret } from '../../secret.ts'
import type { Revocations } from './revocations.ts'
import { lastMoment, nextExpiry } from './session-lifetimes.ts'
import type { SessionRepository } from './session-repository.ts'
import type { ReplacedSession, Sessions } from './sessions.ts'

/** How long the database is not asked again; also how exactly the last use is known. */
const believedMilliseconds = 60_000
/** More than these at the same time are looked up more often. */
const cookiesKept = 10_000

export interface StartedCookieSession {
  user: UserRow
  /** The cookie's value. */
  cookie: string
  /** Whether it outlives the browser. */
  remembered: boolean
  /** When it stops working at the latest. */
  endsAt: Date
}

interface NewCookieSession {
  refreshToken: string
  rememberMe: boolean
  /** The cookie that the browser has already. */
  replaces: string | undefined
}

interface Dependencies {
  db: TransactionRunner
  sessions: Sessions
  repository: Pick<SessionRepository, 'insert' | 'prolong' | 'findByCookieHash' | 'listLive' | 'prolongCookies'>
  revocations: Pick<Revocations, 'has'>
  clock: Clock
  newId: NewId
}

export type CookieSessions = ReturnType<typeof createCookieSessions>

export function createCookieSessions({ db, sessions, repository, revocations, clock, newId }: Dependencies) {
  /** By hash of the cookie, the oldest first. */
  const believed = new Map<string, { actor: SessionActor; until: number }>()

  const isGood = ({ credentialId, expiresAt }: SessionActor): boolean => expiresAt > clock.now().getTime() && !revocations.has(credentialId)

  const believe = (cookieHash: string, actor: SessionActor): void => {
    believed.delete(cookieHash)
    const [oldest] = believed.keys()
    if (oldest !== undefined && believed.size >= cookiesKept) believed.delete(oldest)
    believed.set(cookieHash, { actor, until: clock.now().getTime() + believedMilliseconds })
  }

  /** Written down once a minute, however many processes the browser talks to. @returns when the session ends unless it is used again */
  const use = async (session: SessionRow, { ip }: Caller): Promise<Date> => {
    const now = clock.now()
    if (now.getTime() - session.lastUsedAt.getTime() < believedMilliseconds) return session.expiresAt
    const expiresAt = nextExpiry(session, now)
    await repository.prolong(session.id, { usedAt: now, ip, expiresAt })
    return expiresAt
  }

  const lookUp = async (cookieHash: string, caller: Caller): Promise<SessionActor | undefined> => {
    const found = await repository.findByCookieHash(cookieHash, clock.now())
    if (found === undefined) return undefined
    const { session, role } = found
    const expiresAt = await use(session, caller)
    return { kind: 'session', userId: session.userId, credentialId: session.id, role, expiresAt: expiresAt.getTime() }
  }

  const verify = async (cookie: string, caller: Caller): Promise<SessionActor | undefined> => {
    if (!isCookie.test(cookie)) return undefined
    const cookieHash = hashOf(cookie)
    const known = believed.get(cookieHash)
    if (known !== undefined && known.until > clock.now().getTime() && isGood(known.actor)) return known.actor
    believed.delete(cookieHash)
    const actor = await lookUp(cookieHash, caller)
    if (actor === undefined || !isGood(actor)) return undefined
    believe(cookieHash, actor)
    return actor
  }

  const findReplaced = async (cookie: string | undefined): Promise<ReplacedSession | undefined> =>
    cookie === undefined || !isCookie.test(cookie) ? undefined : (await repository.findByCookieHash(hashOf(cookie), clock.now()))?.session

  return {
    /** Whose cookie it is, if it is good. */
    verify,

    /** Open sockets are use: sessions by cookie go on. @returns which sessions have ended, and until when those by cookie are good now */
    async useBySocket(ids: readonly SessionId[]): Promise<{ ended: SessionId[]; prolonged: Map<SessionId, Date> }> {
      const now = clock.now()
      const live = await repository.listLive(ids, now)
      const cookies = live.filter(({ cookieHash }) => cookieHash !== null).map((session) => ({ id: session.id, expiresAt: nextExpiry(session, now) }))
      await repository.prolongCookies(cookies, now)
      const liveIds = new Set(live.map(({ id }) => id))
      return { ended: ids.filter((id) => !liveIds.has(id)), prolonged: new Map(cookies.map(({ id, expiresAt }) => [id, expiresAt])) }
    },

    /**
     * Goes on by a cookie: the session of the refresh token ends, and so does that of the cookie which the browser had, or nothing happens.
     * @throws `unauthorized`, also where the sign-in is longer ago than the cookie may last; `token_family_compromised`
     */
    async start({ refreshToken, rememberMe, replaces }: NewCookieSession, caller: Caller): Promise<StartedCookieSession> {
      const cookie = newSecret()
      const replaced = await findReplaced(replaces)
      const { user, ended, session } = sessions.accept(
        await db.transaction(async (tx) => {
          const redemption = await sessions.redeem(refreshToken, replaced, caller, tx)
          if (redemption.outcome !== 'redeemed') return redemption
          const { user, session: before, ended } = redemption
          const now = clock.now()
          const begun = { createdAt: before.createdAt, remembered: rememberMe, cookieHash: hashOf(cookie) }
          const expiresAt = nextExpiry(begun, now)
          if (expiresAt <= now) throw new AppError('unauthorized', 'The sign-in is too long ago; sign in again.')
          const { ip, userAgent } = caller
          const session = await repository.insert({ ...begun, id: newId<SessionId>(), userId: user.id, ip, userAgent, lastUsedAt: now, expiresAt }, tx)
          return { outcome: 'started', user, ended, session } as const
        }),
      )
      sessions.tell(ended)
      return { user, cookie, remembered: rememberMe, endsAt: lastMoment(session) }
    },
  }
}

const isCookie = /^[\w-]{43}$/
