import type { Presence } from '../../../openapi/users/schemas.ts'
import type { PresenceEntity } from '../../topics.ts'

export const serializePresence = ({ userId, status, lastSeen }: PresenceEntity): Presence => ({
  userId,
  status,
  lastSeen: lastSeen?.toISOString() ?? null,
})
