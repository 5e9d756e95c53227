/**
 * Exports read all that there is of somebody, and nobody waits for one at a screen. So their statements take turns: of one user's exports
 * one runs at a time, and of all users' together one too, the users one after the other. However many are under way, they keep one
 * connection of the pool busy; whoever reads slowly keeps none.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Batches } from './export-repository.ts'

export function createExportTurns() {
  const ofUsers = createTurns<UserId>()
  const ofAll = createTurns<'all'>()

  /** The same batches, without empty ones. */
  return async function* inTurn(userId: UserId, batches: Batches): Batches {
    const iterator = batches[Symbol.asyncIterator]()
    for (;;) {
      const { value, done } = await ofUsers(userId, () => ofAll('all', () => iterator.next()))
      if (done) return
      if (value.length > 0) yield value
    }
  }
}

/** @returns what begins work when the one before it, of the same key, has ended, well or not */
function createTurns<Key>() {
  const last = new Map<Key, Promise<unknown>>()
  return <T>(key: Key, work: () => Promise<T>): Promise<T> => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work)
    const end = turn
      .catch(() => undefined)
      .then(() => {
        if (last.get(key) === end) last.delete(key)
      })
    last.set(key, end)
    return turn
  }
}
