/** How long sessions last: without being used, and in all, counted from the sign-in. */
import type { SessionRow } from '../../db/schema/sessions.ts'

const hour = 60 * 60_000
const day = 24 * hour

interface Lifetime {
  unusedMilliseconds: number
  milliseconds: number
}

/** Of refresh tokens: a family goes on for as long as it is used, but not for ever. */
const tokenLifetime: Lifetime = { unusedMilliseconds: 7 * day, milliseconds: 90 * day }
const rememberedLifetime: Lifetime = { unusedMilliseconds: 30 * day, milliseconds: 30 * day }
/** The browser forgets the cookie when it is closed; many never are. */
const browserLifetime: Lifetime = { unusedMilliseconds: 24 * hour, milliseconds: 7 * day }

type Lasting = Pick<SessionRow, 'createdAt' | 'remembered'> & { cookieHash?: string | null }

const lifetimeOf = ({ cookieHash, remembered }: Lasting): Lifetime => {
  if (cookieHash === undefined || cookieHash === null) return tokenLifetime
  return remembered ? rememberedLifetime : browserLifetime
}

/** The latest that a session can end, however much it is used. */
export const lastMoment = (session: Lasting): Date => new Date(session.createdAt.getTime() + lifetimeOf(session).milliseconds)

/** When a session that is used now ends unless it is used again. */
export const nextExpiry = (session: Lasting, now: Date): Date =>
  new Date(Math.min(now.getTime() + lifetimeOf(session).unusedMilliseconds, lastMoment(session).getTime()))
