/** Times of the contract as moments that this program and PostgreSQL know. */
import { invalidField } from './errors/app-error.ts'

/** @throws `validation_error` for what has the form of a time and is none that can be stored: 23:59:60, or beyond the years 1 to 9999. */
export function parseTimestamp(text: string, field: string): Date {
  const time = new Date(text)
  const year = time.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) throw invalidField(field, 'must be a time from the years 1 to 9999, without a leap second')
  return time
}
