import type { Runtime } from '@parley/sdk'

export type TestRuntime = Runtime & {
  /** Lets a timer of this length run out, as soon as there is one, and moves the clock to its end. */
  expire(milliseconds: number): Promise<void>
  /** Moves the clock. Timers stay. */
  advance(milliseconds: number): void
  /** Moves the clock, and lets every timer that is due by then run out. */
  pass(milliseconds: number): void
}

/** Time that stands still until a test moves it, and chance that is always the same: with 0, the waits after failures take no time. */
export function createTestRuntime(random = 0): TestRuntime {
  let now = Date.parse('2026-11-20T10:00:00Z')
  const timers = new Set<{ milliseconds: number; end: number; callback: () => void }>()
  let onTimer = () => {}

  return {
    now: () => now,
    random: () => random,
    after(milliseconds, callback) {
      if (milliseconds === 0) {
        const immediate = setImmediate(callback)
        return () => clearImmediate(immediate)
      }
      const timer = { milliseconds, end: now + milliseconds, callback }
      timers.add(timer)
      onTimer()
      return () => timers.delete(timer)
    },
    async expire(milliseconds) {
      for (;;) {
        const timer = [...timers].find((candidate) => candidate.milliseconds === milliseconds)
        if (timer) {
          timers.delete(timer)
          now = Math.max(now, timer.end)
          return timer.callback()
        }
        await new Promise<void>((resolve) => {
          onTimer = resolve
        })
      }
    },
    advance(milliseconds) {
      now += milliseconds
    },
    pass(milliseconds) {
      now += milliseconds
      for (const timer of [...timers]) {
        if (timer.end <= now && timers.delete(timer)) timer.callback()
      }
    },
  }
}
