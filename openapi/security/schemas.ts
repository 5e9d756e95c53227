import { type Static, Type } from '@sinclair/typebox'
import { component, described, nullable, oneOfWords } from '../contract.ts'
import { AuditLogEntryId, SecurityEventId, UserId } from '../shared/ids.ts'
import { Timestamp } from '../shared/scalars.ts'

const severities = ['critical', 'high', 'medium', 'low'] as const
export const Severity = oneOfWords(severities, { description: 'How much it matters: `critical` asks for action, `low` is a matter of course' })
export type Severity = Static<typeof Severity>

/** Every type has one severity. */
export const securityEventSeverities = {
  sign_in_succeeded: 'low',
  sign_in_failed: 'medium',
  sign_in_locked: 'high',
  new_device: 'medium',
  session_revoked: 'low',
  sessions_revoked: 'medium',
  refresh_token_reused: 'critical',
  code_requested: 'low',
  email_verified: 'low',
  password_reset_requested: 'low',
  password_reset: 'high',
  password_changed: 'medium',
  oauth_account_linked: 'medium',
  oauth_code_reused: 'critical',
  api_key_created: 'medium',
  api_key_revoked: 'low',
  role_changed: 'high',
  user_suspended: 'high',
  user_unsuspended: 'medium',
  deletion_scheduled: 'medium',
  deletion_cancelled: 'low',
} as const satisfies Record<string, Severity>

export type SecurityEventType = keyof typeof securityEventSeverities
const securityEventTypes = Object.keys(securityEventSeverities) as SecurityEventType[]
export const SecurityEventType = oneOfWords(securityEventTypes, { description: 'What happened' })

/** Beyond this a fact is cut off. */
export const eventMetadataCharacters = 500

/** Small facts, by name. */
export const EventMetadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9]{1,64}$' }),
  Type.Union([Type.String({ maxLength: eventMetadataCharacters }), Type.Number(), Type.Boolean(), Type.Null()]),
  { maxProperties: 20, additionalProperties: false, description: 'What else is known, by name: up to 20 small facts' },
)
export type EventMetadata = Static<typeof EventMetadata>

const Ip = nullable(Type.String({ description: 'The address that the request came from; null when there was no request' }))

export const SecurityEvent = component(
  'SecurityEvent',
  Type.Object(
    {
      id: SecurityEventId,
      type: SecurityEventType,
      severity: Severity,
      userId: nullable(described(UserId, "Whose account it is about; null when that is nobody's")),
      ip: Ip,
      metadata: EventMetadata,
      createdAt: described(Timestamp, 'When it happened: ISO 8601, UTC, milliseconds'),
    },
    { description: 'Something that happened to an account' },
  ),
)
export type SecurityEvent = Static<typeof SecurityEvent>

export const SecurityStats = component(
  'SecurityStats',
  Type.Object(
    {
      total: Type.Integer({ description: 'All events of the time' }),
      byType: Type.Record(Type.String(), Type.Integer(), { description: 'How many of each type, the types that occurred' }),
      bySeverity: Type.Object(
        {
          critical: Type.Integer({ description: 'How many critical ones' }),
          high: Type.Integer({ description: 'How many high ones' }),
          medium: Type.Integer({ description: 'How many medium ones' }),
          low: Type.Integer({ description: 'How many low ones' }),
        },
        { description: 'How many of each severity' },
      ),
      byDay: Type.Array(
        Type.Object({ day: Type.String({ format: 'date', description: 'The day in UTC' }), count: Type.Integer({ description: 'How many on that day' }) }),
        { description: 'How many on each day, the oldest first, days without one as well' },
      ),
    },
    { description: 'How many security events there were' },
  ),
)
export type SecurityStats = Static<typeof SecurityStats>

export const AuditAction = oneOfWords(
  ['user.create', 'user.update', 'user.change_role', 'user.suspend', 'user.unsuspend', 'user.revoke_sessions', 'user.delete'],
  {
    description: 'What was done',
  },
)
export type AuditAction = Static<typeof AuditAction>

export const AuditLogEntry = component(
  'AuditLogEntry',
  Type.Object(
    {
      id: AuditLogEntryId,
      action: AuditAction,
      actorId: nullable(described(UserId, "Who did it; null for what was done on the server's command line or by its configuration")),
      targetId: described(UserId, 'To whom'),
      ip: Ip,
      reason: nullable(Type.String({ description: 'Why, in the words of who did it; null when none were given' })),
      metadata: EventMetadata,
      createdAt: described(Timestamp, 'When: ISO 8601, UTC, milliseconds'),
    },
    { description: 'Something that an administrator did' },
  ),
)
export type AuditLogEntry = Static<typeof AuditLogEntry>
