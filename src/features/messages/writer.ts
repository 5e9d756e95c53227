/**
 * The hot path. What arrives together is written together, in a few lanes: each has one statement in flight, and what comes meanwhile
 * is its next batch. A conversation keeps to its lane, so its messages stay in order. The statement takes the batch as arrays, checks
 * membership, locks the conversations in id order (so that two processes never deadlock), advances their counters and inserts.
 * Each caller is answered after the commit that holds its message.
 *
 * The statement sees the database as it was when it began, and its locks come later. What another process did in between surfaces as
 * an error of the whole statement: the same `clientId` as a unique violation, a sender who was removed or blocked as a division by zero. Nothing
 * was written then and no number spent: the batch is split and tried again, so a bad item fails alone.
 */
import type { Pool } from 'pg'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import { isDivisionByZero, isUnavailable, isUniqueViolation } from '../../db/client.ts'
import { AppError } from '../../errors/app-error.ts'
import { complete, knownAtOnce, type WriteResult, type Written } from './completion.ts'
import { attempts, type Inserted, insertBatch, type NewMessage, type Refusal } from './insertion.ts'

interface Waiting {
  message: NewMessage
  resolve(result: WriteResult): void
  reject(reason: unknown): void
}

export interface WriterOptions {
  pool: Pool
  /**
   * Called after the commit, before the callers are answered, in the order of `seq` within each conversation. For a message that an
   * earlier send had stored, too: its answer may have been lost, and this process may not know of it.
   */
  onStored(stored: Written | Incomplete): void
}

/** A message that is stored, and of which not all could be read that is to be told: its sender is rejected, and finds it by its `clientId`. */
export interface Incomplete extends Inserted {
  error: unknown
}

const laneCount = 2
const maximumBatch = 500
/** They are cut into words for the search while the locks are held: what is longer together waits for the next one. */
const maximumCharacters = 100_000
/** Of one lane. When the database stalls, more would only wait in memory until their senders have given up. */
const maximumWaiting = 5_000

export function createMessageWriter(options: WriterOptions) {
  const lanes = Array.from({ length: laneCount }, () => createLane(options))

  return {
    /** @throws `unavailable` when too many wait already. */
    write(message: NewMessage): Promise<WriteResult> {
      const lane = lanes[laneOf(message.conversationId)]
      return new Promise((resolve, reject) => lane?.push({ message, resolve, reject }))
    },
  }
}

/** The end of a UUIDv7 is random. */
const laneOf = (conversationId: ConversationId): number => Number.parseInt(conversationId.slice(-4), 16) % laneCount

function createLane({ pool, onStored }: WriterOptions) {
  let queue: Waiting[] = []
  let running = false

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const { batch, rest } = nextBatch(queue)
      queue = rest
      await write(batch, attempts).catch((error: unknown) => {
        for (const { reject } of batch) reject(error)
      })
    }
    running = false
  }

  const write = async (batch: Waiting[], attemptsLeft: number): Promise<void> => {
    let inserted: (Inserted | Refusal)[]
    try {
      inserted = await insertBatch(
        pool,
        batch.map(({ message }) => message),
      )
    } catch (error) {
      return writeApart(batch, attemptsLeft, error)
    }
    const results = await completeOrTell(inserted)
    const stored = results.filter((result) => typeof result === 'object')
    for (const result of stored.sort((a, b) => a.message.seq - b.message.seq)) onStored(result)
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index] ?? 'refused'
      if (typeof result === 'object' && 'error' in result) reject(result.error)
      else resolve(result)
    }
  }

  /** What is stored is never inserted again, whatever becomes of this read. */
  const completeOrTell = async (inserted: (Inserted | Refusal)[]): Promise<(WriteResult | Incomplete)[]> => {
    try {
      return await complete(pool, inserted)
    } catch (error) {
      return inserted.map((result) => knownAtOnce(result) ?? (typeof result === 'string' ? result : { ...result, error }))
    }
  }

  const writeApart = async (batch: Waiting[], attemptsLeft: number, error: unknown): Promise<void> => {
    const lostRace = isUniqueViolation(error) || isDivisionByZero(error)
    if (isUnavailable(error) || (batch.length === 1 && !(lostRace && attemptsLeft > 1))) {
      for (const { reject } of batch) reject(error)
      return
    }
    const middle = Math.ceil(batch.length / 2)
    for (const part of [batch.slice(0, middle), batch.slice(middle)])
      if (part.length > 0) await write(part, batch.length === 1 ? attemptsLeft - 1 : attemptsLeft)
  }

  return {
    push(waiting: Waiting): void {
      if (queue.length >= maximumWaiting) return waiting.reject(new AppError('unavailable', undefined, { retryAfterSeconds: 1 }))
      queue.push(waiting)
      if (running) return
      running = true
      // After this turn of the event loop: what arrived with it goes with it.
      setImmediate(run)
    },
  }
}

/** The same `clientId` twice in one statement would violate its uniqueness for certain: the second waits for the next batch. */
function nextBatch(queue: readonly Waiting[]): { batch: Waiting[]; rest: Waiting[] } {
  const batch: Waiting[] = []
  const rest: Waiting[] = []
  const keys = new Set<string>()
  let characters = 0
  for (const waiting of queue) {
    const { senderId, clientId } = waiting.message
    const key = clientId === null ? undefined : `${senderId} ${clientId}`
    if (batch.length >= maximumBatch || characters >= maximumCharacters || (key !== undefined && keys.has(key))) rest.push(waiting)
    else {
      batch.push(waiting)
      characters += waiting.message.content.length
      if (key !== undefined) keys.add(key)
    }
  }
  return { batch, rest }
}
