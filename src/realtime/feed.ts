/**
 * The changes of one conversation, to the sockets that follow it, in the order of `changeSeq` and without holes. Changes arrive
 * in any order, for acknowledgements come back from a pool of connections in any order, and some may never arrive: a number
 * that does not follow waits a moment for the ones before it, and then those are read from the database.
 */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { LinkedChange } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { Change } from '../topics.ts'
import type { Connection, Frame } from './connection.ts'

interface Options {
  conversationId: ConversationId
  /** Everything up to here is past. */
  lastChangeSeq: number
  readChanges(range: { conversationId: ConversationId; afterChangeSeq: number; upToChangeSeq: number }, limit: number): Promise<LinkedChange[]>
  frameOf(change: Change, previousChangeSeq: number): Frame
  log: Log
}

/** Long enough for acknowledgements that overtook each other, short enough not to be noticed. */
const patienceMilliseconds = 20
const retryMilliseconds = 1_000
const repairLimit = 1_000

export class Feed {
  lastChangeSeq: number
  /** Who follows, and from which change on. */
  readonly followers = new Map<Connection, number>()
  readonly #options: Options
  readonly #early = new Map<number, Change>()
  #repair: NodeJS.Timeout | undefined

  constructor(options: Options) {
    this.#options = options
    this.lastChangeSeq = options.lastChangeSeq
  }

  add(change: Change): void {
    if (change.changeSeq <= this.lastChangeSeq) return
    this.#early.set(change.changeSeq, change)
    this.#deliverInOrder()
    if (this.#early.size > 0) this.#scheduleRepair(patienceMilliseconds)
  }

  /** The conversation is known to stand at this number: what did not arrive is read. */
  expect(changeSeq: number): void {
    if (changeSeq > this.lastChangeSeq) void this.#readUpTo(changeSeq)
  }

  end(): void {
    clearTimeout(this.#repair)
    this.#early.clear()
  }

  #deliverInOrder(): void {
    let next = this.#early.get(this.lastChangeSeq + 1)
    while (next !== undefined) {
      this.#early.delete(next.changeSeq)
      this.#deliver(next, this.lastChangeSeq)
      next = this.#early.get(this.lastChangeSeq + 1)
    }
  }

  #deliver(change: Change, previousChangeSeq: number): void {
    this.lastChangeSeq = change.changeSeq
    if (this.followers.size === 0) return
    const frame = this.#options.frameOf(change, previousChangeSeq)
    const { conversationId } = change
    for (const [connection, from] of this.followers) if (change.changeSeq > from) connection.deliver(conversationId, frame)
    if (change.type === 'member.left') this.#dropFollowersOf(change.userId)
  }

  #dropFollowersOf(userId: string): void {
    for (const connection of this.followers.keys()) if (connection.actor.userId === userId) this.followers.delete(connection)
  }

  #scheduleRepair(milliseconds: number): void {
    this.#repair ??= setTimeout(() => {
      this.#repair = undefined
      if (this.#early.size > 0) void this.#readUpTo(Math.max(...this.#early.keys()))
    }, milliseconds)
  }

  async #readUpTo(upToChangeSeq: number): Promise<void> {
    const { conversationId, readChanges, log } = this.#options
    try {
      const changes = await readChanges({ conversationId, afterChangeSeq: this.lastChangeSeq, upToChangeSeq }, repairLimit)
      for (const { change, previousChangeSeq } of changes) if (change.changeSeq > this.lastChangeSeq) this.#deliver(change, previousChangeSeq)
      // The numbers in between have been overtaken by later changes of the same rows.
      if (changes.length < repairLimit) this.lastChangeSeq = Math.max(this.lastChangeSeq, upToChangeSeq)
    } catch (error) {
      log.warn({ err: error, conversationId }, 'Could not read missed changes; trying again')
      this.#scheduleRepair(retryMilliseconds)
      return
    }
    for (const changeSeq of this.#early.keys()) if (changeSeq <= this.lastChangeSeq) this.#early.delete(changeSeq)
    this.#deliverInOrder()
    if (this.#early.size > 0) this.#scheduleRepair(patienceMilliseconds)
  }
}
