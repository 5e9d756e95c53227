/** What is mailed on anybody's request, a code or a token, has one row for each address: a new one voids the old, a few within a while at most. */
import { type AnyColumn, type SQL, sql } from 'drizzle-orm'

export interface MailLimit {
  mails: number
  withinMilliseconds: number
}

/** Of codes and of tokens each. */
export const mailLimit: MailLimit = { mails: 3, withinMilliseconds: 10 * 60_000 }

interface MailedTable {
  /** A UUIDv7: of two requests the later one has the higher id. */
  requestId: AnyColumn
  usedAt: AnyColumn
  /** When the last ones were made, the newest first, as many as may be mailed. */
  issuedAt: AnyColumn
}

/**
 * The parts of an upsert that puts a row in the place of the one before, unless that one answers a later request, or the limit is
 * reached. The same request may come again, when its mail failed; it then counts once, and not at all if what it mailed was used.
 */
export function replacement(
  { requestId, usedAt, issuedAt }: MailedTable,
  { mails, withinMilliseconds }: MailLimit,
  now: Date,
): { issuedAt: SQL; isAllowed: SQL } {
  const since = new Date(now.getTime() - withinMilliseconds).toISOString()
  const again = sql`${requestId} = excluded.request_id`
  const most = sql.raw(String(mails))
  return {
    issuedAt: sql`case when ${again} then ${issuedAt} else (excluded.issued_at || ${issuedAt})[1:${most}] end`,
    isAllowed: sql`case when ${again} then ${usedAt} is null
      else ${requestId} < excluded.request_id and coalesce(${issuedAt}[${most}] <= ${since}::timestamptz, true) end`,
  }
}
