/**
 * The changes of one conversation, to the sockets that follow it, in the order of `changeSeq` and without holes. Changes arrive
 * in any order, for acknowledgements come back from a pool of connections in any order, and some may never arrive: a number
 * that does not follow waits a moment for the ones before it, and then those are read from the database.
 */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { LinkedChange, SyncService } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { Change } from '../topics.ts'
import type { Connection, Frame } from './connection.ts'

interface Options {
  conversationId: ConversationId
  /** Everything up to here is past. */
  lastChangeSeq: number
  readChanges: SyncService['changes']
  frameOf(change: Change, previousChangeSeq: number): Frame
  /** Nobody follows any more. */
  onAbandoned(): void
  log: Log
}

/** Long enough for acknowledgements that overtook each other, short enough not to be noticed. */
const patienceMilliseconds = 20
const retryMilliseconds = 1_000
const repairLimit = 200
/** Changes that wait for the ones before them; of more than that it is cheaper to read all again. */
const maximumEarly = 1_000

export class Feed {
  lastChangeSeq: number
  /** Who follows, and after which change; those without a number are subscribed and have not been told yet where they stand. */
  readonly #followers = new Map<Connection, number | undefined>()
  /** Whose joining was heard of before their leaving has passed here, and after which change. */
  readonly #rejoined = new Map<Connection, number>()
  readonly #options: Options
  readonly #early = new Map<number, Change>()
  /** The highest number that is known to exist. */
  #head: number
  #repair: NodeJS.Timeout | undefined
  #reading = false
  #ended = false

  constructor(options: Options) {
    this.#options = options
    this.lastChangeSeq = options.lastChangeSeq
    this.#head = options.lastChangeSeq
  }

  add(change: Change): void {
    if (change.changeSeq <= this.lastChangeSeq) return
    this.#early.set(change.changeSeq, change)
    this.#deliverEarly()
    if (this.#early.size > maximumEarly) this.#early.clear()
    this.expect(change.changeSeq)
  }

  /** The conversation is known to stand at this number: what does not arrive is read. */
  expect(changeSeq: number): void {
    this.#head = Math.max(this.#head, changeSeq)
    if (this.#head > this.lastChangeSeq) this.#repairAfter(patienceMilliseconds)
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#repair)
    this.#early.clear()
  }

  has(connection: Connection): boolean {
    return this.#followers.has(connection)
  }

  /** Sends changes after this one to a connection; without a number it is kept for later. */
  follow(connection: Connection, afterChangeSeq: number | undefined): void {
    this.#followers.set(connection, afterChangeSeq)
    connection.following.add(this.#options.conversationId)
  }

  /** A user has joined after this change. Whoever follows already, since the leaving has not passed here yet, goes on. */
  join(connection: Connection, afterChangeSeq: number): void {
    const after = this.#followers.get(connection)
    if (after !== undefined && after <= afterChangeSeq) this.#rejoined.set(connection, afterChangeSeq)
    else this.follow(connection, afterChangeSeq)
  }

  /** A user has left with this change. */
  leave(connection: Connection, leftChangeSeq: number): void {
    const joinedAfter = Math.max(this.#followers.get(connection) ?? 0, this.#rejoined.get(connection) ?? 0)
    if (joinedAfter < leftChangeSeq) this.unfollow(connection)
  }

  unfollow(connection: Connection): void {
    this.#followers.delete(connection)
    this.#rejoined.delete(connection)
    connection.following.delete(this.#options.conversationId)
    if (this.#followers.size === 0) this.#options.onAbandoned()
  }

  /** What is of the moment and not numbered. */
  tell(bytes: Buffer, isFor: (connection: Connection) => boolean): void {
    for (const [connection, after] of this.#followers) if (after !== undefined && isFor(connection)) connection.send(bytes)
  }

  #deliverEarly(): void {
    let next = this.#early.get(this.lastChangeSeq + 1)
    while (next !== undefined) {
      this.#early.delete(next.changeSeq)
      this.#deliver(next, this.lastChangeSeq)
      next = this.#early.get(this.lastChangeSeq + 1)
    }
  }

  #deliver(change: Change, previousChangeSeq: number): void {
    const { conversationId, changeSeq } = change
    this.lastChangeSeq = changeSeq
    const frame = this.#options.frameOf(change, previousChangeSeq)
    for (const [connection, after] of this.#followers) if (after !== undefined && changeSeq > after) connection.deliver(conversationId, frame)
    if (change.type !== 'member.left') return
    for (const connection of this.#followers.keys()) if (connection.actor.userId === change.userId) this.leave(connection, changeSeq)
  }

  #repairAfter(milliseconds: number): void {
    if (this.#ended) return
    this.#repair ??= setTimeout(() => {
      this.#repair = undefined
      void this.#readMissing()
    }, milliseconds)
  }

  async #readMissing(): Promise<void> {
    if (this.#reading || this.lastChangeSeq >= this.#head) return
    this.#reading = true
    const changes = await this.#read()
    this.#reading = false
    if (this.#ended) return
    for (const { change, previousChangeSeq } of changes) if (change.changeSeq > this.lastChangeSeq) this.#deliver(change, previousChangeSeq)
    for (const changeSeq of this.#early.keys()) if (changeSeq <= this.lastChangeSeq) this.#early.delete(changeSeq)
    this.#deliverEarly()
    if (this.lastChangeSeq < this.#head) this.#repairAfter(changes.length > 0 ? patienceMilliseconds : retryMilliseconds)
  }

  async #read(): Promise<LinkedChange[]> {
    const { conversationId, readChanges, log } = this.#options
    try {
      return await readChanges({ conversationId, afterChangeSeq: this.lastChangeSeq }, repairLimit)
    } catch (error) {
      log.warn({ err: error, conversationId }, 'Could not read missed changes; trying again')
      return []
    }
  }
}
