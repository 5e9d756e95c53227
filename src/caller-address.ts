/** An address as rate limits count it: whoever has an IPv6 network, a /64 at least, has 2^64 addresses to call from. */
import { isIPv6 } from 'node:net'

/** @returns an IPv4 address, also for one that is written as IPv6; the /64 of an IPv6 address */
export function networkOf(address: string): string {
  const groups = isIPv6(address) ? groupsOf(address) : undefined
  if (groups === undefined) return address
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** All eight, whatever way they were written in. */
function groupsOf(address: string): number[] {
  // URLs write every address in one way, without zones and without dots.
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`)
  const [head = [], tail = []] = hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = new Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
}
