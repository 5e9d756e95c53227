/** What of a profile is not only text: it is checked against what the world knows, and kept in one spelling. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/min'
import type { UpdateMeRequest } from '../../../openapi/users/schemas.ts'
import { invalidField } from '../../errors/app-error.ts'

/** What is left out stays as it is, null takes it away; settings are merged. */
export type ProfileChanges = UpdateMeRequest

/** @throws `validation_error` for a time zone or a language tag that there is not */
export const normalizeProfile = ({ phone, timezone, locale, ...patch }: ProfileChanges): ProfileChanges => ({
  ...patch,
  ...(phone !== undefined && { phone: phone && normalizePhone(phone) }),
  ...(timezone !== undefined && { timezone: timezone && normalizeTimezone(timezone) }),
  ...(locale !== undefined && { locale: locale && normalizeLocale(locale) }),
})

/** E.164 where the number is one of a numbering plan; any other one stays as it is. @param phone `+` and digits */
export function normalizePhone(phone: string): string {
  const known = parsePhoneNumberFromString(phone)
  return known?.isPossible() ? known.number : phone
}

/** In the letter case of its list, where it is in it. An older or newer name of a zone that is stays as it was written. */
function normalizeTimezone(timezone: string): string {
  const canonical = /^[a-z]/i.test(timezone) ? knownTimezone(timezone) : undefined
  if (canonical === undefined) throw invalidField('body.timezone', 'must be a time zone of the IANA list, such as Europe/London')
  return canonical.toLowerCase() === timezone.toLowerCase() ? canonical : timezone
}

function knownTimezone(timeZone: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

function normalizeLocale(locale: string): string {
  try {
    const [canonical = locale] = Intl.getCanonicalLocales(locale)
    return canonical
  } catch {
    throw invalidField('body.locale', 'must be a language tag such as en-US')
  }
}
