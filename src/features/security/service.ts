/** What happens to accounts is written down here, for their users; what administrators do, for each other. */
import {
  type AuditAction,
  type EventMetadata,
  eventMetadataCharacters,
  type SecurityEventType,
  securityEventSeverities,
} from '../../../openapi/security/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { AuditLogRow, SecurityEventRow } from '../../db/schema/security.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import type { Log } from '../../log.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import type { AuditSelection, EventCount, EventSelection, SecurityRepository, TimeRange } from './repository.ts'
import { createRetention } from './retention.ts'

export interface NewSecurityEvent {
  type: SecurityEventType
  /** Whose account it is about; left out where that is nobody's. */
  userId?: UserId | undefined
  ip?: string | undefined
  /** Small facts; never a secret, and nothing that somebody typed as a name, for it may be a password. */
  metadata?: EventMetadata
}

export interface AdministrativeAct {
  action: AuditAction
  /** Undefined on the server's command line. */
  actorId: UserId | undefined
  targetId: UserId
  ip: string | undefined
  reason: string | undefined
  metadata?: EventMetadata
}

interface PageRequest {
  cursor?: string | undefined
  limit?: number | undefined
}

/** How many events there were, day by day, from the first to the last day of the time. */
export interface EventStats {
  counts: EventCount[]
  /** `2026-11-20`, in UTC. */
  days: string[]
}

interface Dependencies {
  security: SecurityRepository
  clock: Clock
  newId: NewId
  log: Pick<Log, 'warn'>
}

const dayMilliseconds = 24 * 60 * 60_000
const defaultDays = 30
const maximumDays = 366

export type SecurityService = ReturnType<typeof createSecurityService>

export function createSecurityService({ security, clock, newId, log }: Dependencies) {
  const deleteOld = createRetention({ security, clock, log })

  return {
    /** Writes an event down, with the transaction of what it is about where there is one. */
    async record({ type, userId, ip, metadata = {} }: NewSecurityEvent, executor?: Executor): Promise<void> {
      const event = { id: newId<never>(), type, severity: securityEventSeverities[type], userId, ip, metadata: bounded(metadata), createdAt: clock.now() }
      await security.insertEvent(event, executor)
      deleteOld()
    },

    /** How many there are, for limits: within the transaction that writes down the next one, so that each counts the one before. */
    async count(selection: EventSelection, tx: Executor): Promise<number> {
      return security.count(selection, tx)
    },

    /** Writes down what an administrator does, with the transaction that does it. */
    async audit({ metadata = {}, ...act }: AdministrativeAct, executor: Executor): Promise<void> {
      await security.insertAuditLogEntry({ id: newId<never>(), ...act, metadata: bounded(metadata), createdAt: clock.now() }, executor)
    },

    /** What administrators did stays on record. */
    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await security.deleteEventsOf(id, tx)
    },

    /** The newest first. @throws `not_found` for those about somebody else, unless the actor is an administrator */
    async listEvents(actor: Actor, { cursor, limit = 50, ...selection }: EventSelection & PageRequest): Promise<Page<SecurityEventRow>> {
      const position = { before: cursor === undefined ? undefined : decodeTimeCursor(cursor), limit: limit + 1 }
      return timePage(await security.listEvents({ ...selection, userId: visibleTo(actor, selection.userId) }, position), limit)
    },

    /** @throws as `listEvents` does, and `validation_error` for a time that is too long or ends before it begins */
    async getStats(actor: Actor, { userId, ...given }: Pick<EventSelection, 'userId'> & TimeRange): Promise<EventStats> {
      const range = statsRange(given, clock.now())
      return { counts: await security.countEvents({ userId: visibleTo(actor, userId), ...range }), days: daysOf(range) }
    },

    /** The newest first. */
    async listAuditLog({ cursor, limit = 50, ...selection }: AuditSelection & PageRequest): Promise<Page<AuditLogRow>> {
      const position = { before: cursor === undefined ? undefined : decodeTimeCursor(cursor), limit: limit + 1 }
      return timePage(await security.listAuditLog(selection, position), limit)
    },
  }
}

/** Administrators see what is about everybody, and about nobody. */
function visibleTo(actor: Actor, userId: UserId | undefined): UserId | undefined {
  if (actor.role === 'admin') return userId
  if (userId !== undefined && userId !== actor.userId) throw new AppError('not_found')
  return actor.userId
}

function statsRange({ from: givenFrom, to: givenTo }: TimeRange, now: Date): { from: Date; to: Date } {
  // What happened this very moment has happened.
  const to = givenTo ?? new Date(now.getTime() + 1)
  const from = givenFrom ?? new Date(Math.max(startOfDay(to.getTime() - 1) - (defaultDays - 1) * dayMilliseconds, earliestMilliseconds))
  if (to < from) throw invalidField(givenFrom === undefined ? 'query.to' : 'query.from', 'must be before the end of the time')
  if (to.getTime() - from.getTime() > maximumDays * dayMilliseconds) throw invalidField('query.from', `must be at most ${maximumDays} days before the end`)
  return { from, to }
}

/** The year 1, as PostgreSQL knows it. */
const earliestMilliseconds = Date.parse('0001-01-01T00:00:00Z')

function daysOf({ from, to }: { from: Date; to: Date }): string[] {
  const days: string[] = []
  for (let day = startOfDay(from.getTime()); day < to.getTime(); day += dayMilliseconds) days.push(new Date(day).toISOString().slice(0, 10))
  return to > from ? days : []
}

const startOfDay = (milliseconds: number): number => Math.floor(milliseconds / dayMilliseconds) * dayMilliseconds

const bounded = (metadata: EventMetadata): EventMetadata =>
  Object.fromEntries(Object.entries(metadata).map(([name, fact]) => [name, typeof fact === 'string' ? fact.slice(0, eventMetadataCharacters) : fact]))
