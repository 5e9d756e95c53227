/**
 * Hot reads that wait together go together. As long as a statement is free a read goes at once; when all are under way, those that come
 * meanwhile share the next one: the busier the server, the less each of them costs.
 */

import { AppError } from '../errors/app-error.ts'
import { isUnavailable } from './client.ts'

interface Options<Item, Result> {
  /** Statements under way at once. */
  statements: number
  /** Items of one statement. */
  maximum: number
  /** @returns the results in the order of the items. */
  run(items: Item[]): Promise<Result[]>
}

interface Waiting<Item, Result> {
  item: Item
  resolve(result: Result): void
  reject(reason: unknown): void
}

/** When the database stalls, more would only wait in memory until their callers have given up. */
const maximumWaiting = 5_000

export function createBatch<Item, Result>({ statements, maximum, run }: Options<Item, Result>): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = []
  let underWay = 0
  let scheduled = false

  const start = (): void => {
    scheduled = false
    while (underWay < statements && waiting.length > 0) {
      const batch = waiting.slice(0, maximum)
      waiting = waiting.slice(maximum)
      underWay += 1
      void carryOut(batch)
    }
  }

  const carryOut = async (batch: Waiting<Item, Result>[]): Promise<void> => {
    await settle(batch)
    underWay -= 1
    start()
  }

  /** What fails by itself fails nobody else. */
  const settle = async (batch: Waiting<Item, Result>[]): Promise<void> => {
    try {
      const results = await run(batch.map(({ item }) => item))
      if (results.length !== batch.length) throw new Error(`${results.length} results for ${batch.length} items`)
      for (const [index, result] of results.entries()) batch[index]?.resolve(result)
    } catch (error) {
      if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error)
      else for (const one of batch) await settle([one])
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maximumWaiting) return reject(new AppError('unavailable', undefined, { retryAfterSeconds: 1 }))
      waiting.push({ item, resolve, reject })
      if (scheduled || underWay === statements) return
      scheduled = true
      // After this turn of the event loop: what arrived with it goes with it.
      setImmediate(start)
    })
}
