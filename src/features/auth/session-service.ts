/** What people do with their own sessions. */
import { canonicalUuid, type SessionId } from '../../../openapi/shared/ids.ts'
import type { Caller, SessionActor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { TransactionRunner } from '../../db/executor.ts'
import type { SessionRow } from '../../db/schema/sessions.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import type { SecurityService } from '../security/service.ts'
import { deviceLabel } from './device-label.ts'
import type { SessionRepository } from './session-repository.ts'
import type { Sessions } from './sessions.ts'

export interface SessionPage {
  items: (SessionRow & { device: string })[]
  nextCursor: string | null
}

interface Dependencies {
  db: TransactionRunner
  repository: Pick<SessionRepository, 'list'>
  sessions: Sessions
  security: Pick<SecurityService, 'record'>
  clock: Clock
}

export type SessionService = ReturnType<typeof createSessionService>

export const createSessionService = ({ db, repository, sessions, security, clock }: Dependencies) => ({
  /** Those that go on, the newest first. @throws `validation_error` for a cursor that is none of ours */
  async list({ userId }: SessionActor, { limit, cursor }: { limit: number; cursor: string | undefined }): Promise<SessionPage> {
    const before = cursor === undefined ? undefined : readCursor(cursor)
    const rows = await repository.list(userId, { now: clock.now(), before, limit: limit + 1 })
    const items = rows.slice(0, limit).map((row) => ({ ...row, device: deviceLabel(row.userAgent) }))
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null }
  },

  /** @throws `not_found` for one that is somebody else's or has ended */
  async revoke({ userId }: SessionActor, sessionId: SessionId, { ip }: Caller): Promise<void> {
    const ended = await db.transaction(async (tx) => {
      const ids = await sessions.endWithin({ userId, sessionId }, 'revoked', tx)
      if (ids.length === 0) throw new AppError('not_found')
      await security.record({ type: 'session_revoked', userId, ip, metadata: { sessionId } }, tx)
      return ids
    })
    sessions.tell(ended)
  },

  /** @returns how many have ended */
  async revokeAll({ userId, credentialId }: SessionActor, { exceptCurrent }: { exceptCurrent: boolean }, { ip }: Caller): Promise<number> {
    const ended = await db.transaction(async (tx) => {
      const ids = await sessions.endWithin({ userId, ...(exceptCurrent && { except: credentialId }) }, 'revoked', tx)
      await security.record({ type: 'sessions_revoked', userId, ip, metadata: { revokedCount: ids.length } }, tx)
      return ids
    })
    sessions.tell(ended)
    return ended.length
  },
})

const isSessionId = (id: string): id is SessionId => uuid.test(id)
const uuid = new RegExp(canonicalUuid)

function readCursor(cursor: string): SessionId {
  const [id] = decodeCursor(cursor, ['string'])
  if (!isSessionId(id)) throw invalidField('query.cursor', 'is not a cursor of this list')
  return id
}
