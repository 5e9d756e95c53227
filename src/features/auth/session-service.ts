/** What people do with their own sessions. */
import type { SessionId } from '../../../openapi/shared/ids.ts'
import type { Caller, SessionActor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { TransactionRunner } from '../../db/executor.ts'
import type { SessionRow } from '../../db/schema/sessions.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import type { SecurityService } from '../security/service.ts'
import { deviceLabel } from './device-label.ts'
import type { SessionRepository } from './session-repository.ts'
import type { Sessions } from './sessions.ts'

export type ListedSession = SessionRow & { device: string }

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
  async list({ userId }: SessionActor, { limit, cursor }: { limit: number; cursor: string | undefined }): Promise<Page<ListedSession>> {
    const before = cursor === undefined ? undefined : decodeTimeCursor(cursor)
    const { rows, nextCursor } = timePage(await repository.list(userId, { now: clock.now(), before, limit: limit + 1 }), limit)
    return { rows: rows.map((row) => ({ ...row, device: deviceLabel(row.userAgent) })), nextCursor }
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
