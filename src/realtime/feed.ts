/**
 * The changes of one conversation, to the sockets that follow it, in the order of `changeSeq` and without holes. Changes arrive
 * in any order, for acknowledgements come back from a pool of connections in any order, and some may never arrive: a number
 * that does not follow waits a moment for the ones before it, and then those are read from the database.
 */
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import { type HiddenChange, type LinkedChange, type SyncService, seen, sightOf } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { Change } from '../topics.ts'
import type { Connection, Frame } from './connection.ts'

interface Options {
  conversationId: ConversationId
  /** Everything up to here is past. */
  lastChangeSeq: number
  sync: Pick<SyncService, 'changes' | 'membershipsIn'>
  frameOf(change: Change | HiddenChange, previousChangeSeq: number): Frame
  /** Nobody follows any more. */
  onAbandoned(): void
  log: Log
}

/** From which message on somebody may read. Of two, what was known by a later change counts: who leaves and comes back may see less. */
export interface Reach {
  firstSeq: number
  asOfChangeSeq: number
}

interface Follower {
  /** The change after which they are told; undefined: subscribed, and not told yet where they stand. */
  after: number | undefined
  reach: Reach
}

/** Long enough for acknowledgements that overtook each other, short enough not to be noticed. */
const patienceMilliseconds = 20
const retryMilliseconds = 1_000
const repairLimit = 200
/** Changes that wait for the ones before them; of more than that it is cheaper to read all again. */
const maximumEarly = 1_000

export class Feed {
  lastChangeSeq: number
  readonly #followers = new Map<Connection, Follower>()
  /** Whose joining was heard of before their leaving has passed here, and after which change. */
  readonly #rejoined = new Map<Connection, number>()
  readonly #options: Options
  readonly #early = new Map<number, Change>()
  /** The highest number that is known to exist. */
  #head: number
  #repair: NodeJS.Timeout | undefined
  #reading = false
  /** Where the first of several readings began that brought something: what was created since is new to the followers, however many it takes. */
  #newSince: number | undefined
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
    // What was missing has come by itself.
    if (this.lastChangeSeq >= this.#head && !this.#reading) this.#newSince = undefined
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

  /** After which change a connection is told the next one; undefined while it is told nothing. */
  positionOf(connection: Connection): number | undefined {
    const after = this.#followers.get(connection)?.after
    return after === undefined ? undefined : Math.max(after, this.lastChangeSeq)
  }

  /** Sends changes after this one to a connection; without a number it is kept for later. */
  follow(connection: Connection, after: number | undefined, reach: Reach): void {
    const known = this.#followers.get(connection)?.reach
    this.#followers.set(connection, { after, reach: newer(reach, known) })
    connection.following.add(this.#options.conversationId)
  }

  /**
   * A user has joined after this change. Whoever follows already, since the leaving has not passed here yet, goes on.
   * @returns whether there is something new in that
   */
  join(connection: Connection, afterChangeSeq: number, reach: Reach): boolean {
    const follower = this.#followers.get(connection)
    if (follower?.after === undefined) {
      this.follow(connection, afterChangeSeq, reach)
      return true
    }
    follower.reach = newer(reach, follower.reach)
    if (follower.after > afterChangeSeq) return false
    this.#rejoined.set(connection, afterChangeSeq)
    return true
  }

  /** A user has left with this change. */
  leave(connection: Connection, leftChangeSeq: number): void {
    const joinedAfter = Math.max(this.#followers.get(connection)?.after ?? 0, this.#rejoined.get(connection) ?? 0)
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
    for (const [connection, { after }] of this.#followers) if (after !== undefined && isFor(connection)) connection.send(bytes)
  }

  #deliverEarly(): void {
    let next = this.#early.get(this.lastChangeSeq + 1)
    while (next !== undefined) {
      this.#early.delete(next.changeSeq)
      this.#deliver(next, this.lastChangeSeq)
      next = this.#early.get(this.lastChangeSeq + 1)
    }
  }

  /** A change is written once for all who may see all of it, and once more for each lesser sight that somebody has. */
  #deliver(change: Change, previousChangeSeq: number): void {
    const { conversationId, frameOf } = this.#options
    const { changeSeq } = change
    this.lastChangeSeq = changeSeq
    if (change.type === 'member.joined') this.#reaches(change.member.userId, { firstSeq: change.member.firstSeq, asOfChangeSeq: changeSeq })
    const frames = {
      whole: once(() => frameOf(seen.whole(change), previousChangeSeq)),
      withoutOriginal: once(() => frameOf(seen.withoutOriginal(change), previousChangeSeq)),
      hidden: once(() => frameOf(seen.hidden(change), previousChangeSeq)),
    }
    for (const [connection, { after, reach }] of this.#followers) {
      if (after === undefined || changeSeq <= after) continue
      const sight = sightOf(change, { userId: connection.actor.userId, firstSeq: reach.firstSeq })
      connection.deliver(conversationId, frames[sight]())
    }
    if (change.type !== 'member.left') return
    for (const connection of this.#followers.keys()) if (connection.actor.userId === change.userId) this.leave(connection, changeSeq)
  }

  #reaches(userId: UserId, reach: Reach): void {
    for (const [connection, follower] of this.#followers) if (connection.actor.userId === userId) follower.reach = newer(reach, follower.reach)
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
    for (const { change, previousChangeSeq } of changes) if (change.changeSeq > this.lastChangeSeq) this.#deliverRead(change, previousChangeSeq)
    for (const changeSeq of this.#early.keys()) if (changeSeq <= this.lastChangeSeq) this.#early.delete(changeSeq)
    this.#deliverEarly()
    if (this.lastChangeSeq < this.#head) this.#repairAfter(changes.length > 0 ? patienceMilliseconds : retryMilliseconds)
    else this.#newSince = undefined
  }

  #deliverRead(change: LinkedChange['change'], previousChangeSeq: number): void {
    // What is read for nobody in particular is read whole.
    if (change.type !== 'change.hidden') this.#deliver(change, previousChangeSeq)
  }

  async #read(): Promise<LinkedChange[]> {
    const { conversationId, sync, log } = this.#options
    const newSince = this.#newSince ?? this.lastChangeSeq
    try {
      const range = { conversationId, afterChangeSeq: this.lastChangeSeq, newSinceChangeSeq: newSince }
      const changes = await sync.changes(range, repairLimit)
      await this.#readReaches()
      // After one that fails, more may come by itself before the next.
      if (changes.length > 0) this.#newSince = newSince
      return changes
    } catch (error) {
      log.warn({ err: error, conversationId }, 'Could not read missed changes; trying again')
      return []
    }
  }

  /** Read after the changes: who left and came back is among them with the last number only, and may see less of what lies between. */
  async #readReaches(): Promise<void> {
    const { conversationId, sync } = this.#options
    const userIds = new Set([...this.#followers.keys()].map(({ actor }) => actor.userId))
    for (const { userId, firstSeq, joinedChangeSeq } of await sync.membershipsIn(conversationId, [...userIds])) {
      this.#reaches(userId, { firstSeq, asOfChangeSeq: joinedChangeSeq })
    }
  }
}

const newer = (reach: Reach, known: Reach = reach): Reach => (reach.asOfChangeSeq >= known.asOfChangeSeq ? reach : known)

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
