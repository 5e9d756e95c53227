/** What people know a device by, out of what its programs say of themselves: `Firefox on Linux`, `curl`. */
import { BROWSER_MAP, getParser } from 'bowser'

const unknownDevice = 'Unknown device'

const knownBrowsers = new Set(Object.values(BROWSER_MAP))

/** The label is shown and mailed, and what it is made of is anybody's text: names that are known, or one word. */
export function deviceLabel(userAgent: string | null | undefined): string {
  if (!userAgent) return unknownDevice
  const parser = getParser(userAgent)
  const browser = parser.getBrowserName()
  const program = knownBrowsers.has(browser) ? browser : leadingWord(userAgent)
  const system = parser.getOSName()
  if (program === undefined) return system || unknownDevice
  return system ? `${program} on ${system}` : program
}

/** `curl` of `curl/8.5.0`; what begins with Mozilla says nothing by that. */
function leadingWord(userAgent: string): string | undefined {
  const word = /^([A-Za-z][\w-]{0,39})(?=$|[/ ])/.exec(userAgent)?.[1]
  return word === 'Mozilla' ? undefined : word
}
