import type { AuditLogEntry, SecurityEvent, SecurityStats, Severity } from '../../../openapi/security/schemas.ts'
import type { AuditLogRow, SecurityEventRow } from '../../db/schema/security.ts'
import type { EventCount } from './repository.ts'
import type { EventStats } from './service.ts'

export const serializeEvent = ({ createdAt, ...event }: SecurityEventRow): SecurityEvent => ({ ...event, createdAt: createdAt.toISOString() })

export const serializeAuditLogEntry = ({ createdAt, ...entry }: AuditLogRow): AuditLogEntry => ({ ...entry, createdAt: createdAt.toISOString() })

export function serializeStats({ counts, days }: EventStats): SecurityStats {
  const bySeverity = sums(counts, 'severity')
  const byDay = sums(counts, 'day')
  const ofSeverity = (severity: Severity): number => bySeverity.get(severity) ?? 0
  return {
    total: counts.reduce((total, { count }) => total + count, 0),
    byType: Object.fromEntries(sums(counts, 'type')),
    bySeverity: { critical: ofSeverity('critical'), high: ofSeverity('high'), medium: ofSeverity('medium'), low: ofSeverity('low') },
    byDay: days.map((day) => ({ day, count: byDay.get(day) ?? 0 })),
  }
}

function sums(counts: EventCount[], by: 'type' | 'severity' | 'day'): Map<string, number> {
  const found = new Map<string, number>()
  for (const one of counts) found.set(one[by], (found.get(one[by]) ?? 0) + one.count)
  return found
}
