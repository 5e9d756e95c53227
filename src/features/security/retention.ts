/** Events are kept for a year. What is older goes as new ones come, some at a time, so that no statement takes long. */
import type { Clock } from '../../clock.ts'
import type { Log } from '../../log.ts'
import type { SecurityRepository } from './repository.ts'

interface Dependencies {
  security: Pick<SecurityRepository, 'deleteEvents'>
  clock: Clock
  log: Pick<Log, 'warn'>
}

const keptMilliseconds = 365 * 24 * 60 * 60_000
const betweenMilliseconds = 60 * 60_000
const deletedAtOnce = 500

/** @returns what is called with every new event. Nobody waits for what it does, once an hour. */
export function createRetention({ security, clock, log }: Dependencies): () => void {
  let dueAt = 0

  const deleteOld = async (before: Date): Promise<void> => {
    while ((await security.deleteEvents(before, deletedAtOnce)) === deletedAtOnce);
  }

  return () => {
    const now = clock.now().getTime()
    if (now < dueAt) return
    dueAt = now + betweenMilliseconds
    deleteOld(new Date(now - keptMilliseconds)).catch((error: unknown) => log.warn({ err: error }, 'Old security events could not be deleted'))
  }
}
