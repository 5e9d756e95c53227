import t from 'tap'
import { loadConfig } from '../src/config.ts'
import { createRateCounters } from '../src/rate-counters.ts'

t.test('of ever new callers no more than 100,000 are remembered: the window that began first is dropped', async (t) => {
  let now = 0
  const { rateLimits: limits } = loadConfig({ RATE_LIMIT_AUTH: '1/1h' })
  const counters = createRateCounters({ limits, clock: { now: () => new Date(now) } })
  const isRefused = (caller: number) => counters.exceeded('auth', String(caller)) !== undefined
  isRefused(0)
  now += 3_600_000
  for (let caller = 1; caller < 100_000; caller++) isRefused(caller)
  t.equal(isRefused(0), false, 'a window that ended and begins anew')
  t.equal(isRefused(1), true, 'there is room for all of them')
  t.equal(isRefused(100_000), false)
  t.equal(isRefused(2), true)
  t.equal(isRefused(0), true, 'the window that began anew is a late one')
  t.equal(isRefused(1), false, 'the first one is forgotten')
})
