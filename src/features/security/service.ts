import { type AuditAction, type EventMetadata, type SecurityEventType, securityEventSeverities } from '../../../openapi/security/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { Executor } from '../../db/executor.ts'
import type { SecurityRepository } from './repository.ts'

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

interface Dependencies {
  security: SecurityRepository
  clock: Clock
  newId: NewId
}

export type SecurityService = ReturnType<typeof createSecurityService>

export const createSecurityService = ({ security, clock, newId }: Dependencies) => ({
  /** Writes an event down, with the transaction of what it is about where there is one. */
  async record({ type, userId, ip, metadata = {} }: NewSecurityEvent, executor?: Executor): Promise<void> {
    const event = { id: newId<never>(), type, severity: securityEventSeverities[type], userId, ip, metadata, createdAt: clock.now() }
    await security.insertEvent(event, executor)
  },

  /** Writes down what an administrator does, with the transaction that does it. */
  async audit({ metadata = {}, ...act }: AdministrativeAct, executor: Executor): Promise<void> {
    await security.insertAuditLogEntry({ id: newId<never>(), ...act, metadata, createdAt: clock.now() }, executor)
  },
})
