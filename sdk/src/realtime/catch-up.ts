/**
 * Turns what arrives, with its holes, repetitions and reconnections, into every change once and in order, per conversation.
 *
 * A cursor is the number of the last change that was emitted. A change that is not newer is dropped; one that follows the cursor is
 * emitted; one that follows something newer reveals a hole and is dropped as well, but its number is kept in `known`: a conversation
 * whose `known` is beyond its cursor is behind, and as long as one is behind, the server is asked for what is newer than the cursors.
 * What is too much for the socket (`gap`) is pulled over REST.
 */
import type { Change, GapEvent, PullResult, ReadyEvent } from '../generated/types.ts'
import { backoff, type Runtime, wait } from '../runtime.ts'

interface CatchUpOptions {
  /** Undefined begins at the present. */
  cursors: Record<string, number> | undefined
  runtime: Runtime
  onChange(change: Change): void
  onGone(conversationId: string): void
  /** The server knows less than was emitted: the cursor went back. */
  onRewound(conversationId: string, from: number, to: number): void
  /** The cursors changed. */
  onCursors(): void
  /** Whether anything is behind, while connected. */
  onProgress(isBehind: boolean): void
  sendResume(cursors: Record<string, number>): void
  pull(cursors: Record<string, number>, signal: AbortSignal): Promise<PullResult>
  /** The server cannot bring what it announced: connect again, later. */
  onStuck(): void
}

interface Resume {
  cursors: Record<string, number>
  /** Conversations of which nothing has come yet. */
  silent: Set<string>
  cancelTimer(): void
}

/** As many as the contract allows. */
const cursorsPerRequest = 500
const resumeTimeoutMilliseconds = 30_000

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #cursors: Map<string, number>
  /** The cursors as they were before the connection was opened: what is pulled meanwhile may be newer than the positions of its hello. */
  #cursorsBefore: Map<string, number>
  readonly #known = new Map<string, number>()
  /** Conversations of which too much is missing for the socket. */
  readonly #toPull = new Set<string>()
  readonly #end = new AbortController()
  /** Undefined: all of them. */
  #wanted: Set<string> | undefined
  /** Of those that were named: where they stand is not known on this connection yet. */
  readonly #untold = new Set<string>()
  #startsAtPresent: boolean
  #connected = false
  #resume: Resume | undefined
  #pulling = false
  #failures = 0

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#cursors = new Map(Object.entries(options.cursors ?? {}))
    this.#cursorsBefore = new Map(this.#cursors)
    this.#startsAtPresent = options.cursors === undefined
  }

  get cursors(): Record<string, number> {
    return Object.fromEntries(this.#cursors)
  }

  /** The conversations that are emitted; undefined for all. */
  get wanted(): string[] | undefined {
    return this.#wanted && [...this.#wanted]
  }

  want(ids: Iterable<string> | undefined): void {
    this.#wanted = ids && new Set(ids)
    for (const id of [...this.#known.keys(), ...this.#toPull]) {
      if (this.#wants(id)) continue
      this.#known.delete(id)
      this.#toPull.delete(id)
    }
    for (const id of this.#untold) if (!this.#wants(id)) this.#untold.delete(id)
    this.#next()
  }

  /** Where conversations stand that the socket gets from now on. One that is new here begins there. */
  follow(positions: Record<string, number>): void {
    this.#learn(positions, true)
  }

  /** @param positions undefined: the connection gets nothing but what it is told to get, which `follow` hears of. */
  hello(positions: Record<string, number> | undefined): void {
    this.#connected = true
    this.#known.clear()
    if (positions) for (const id of this.#cursors.keys()) if (!(id in positions)) this.gone(id)
    if (!positions) for (const id of this.#wanted ?? []) this.#untold.add(id)
    this.#learn(positions ?? {}, this.#startsAtPresent)
    this.#startsAtPresent = false
  }

  change(change: Change): void {
    const { conversationId: id, changeSeq, previousChangeSeq = changeSeq - 1 } = change
    const cursor = this.#cursors.get(id)
    // What comes before hello is within its positions.
    if (!this.#connected || (cursor !== undefined && changeSeq <= cursor)) return
    this.#resume?.silent.delete(id)
    if (!this.#wants(id)) return
    if (cursor === undefined || previousChangeSeq <= cursor) this.#apply(change)
    else this.#expect(id, changeSeq)
    this.#next()
  }

  gap({ conversationId: id, changeSeq }: GapEvent['data']): void {
    this.#resume?.silent.delete(id)
    if (!this.#wants(id)) return
    this.#expect(id, changeSeq)
    this.#toPull.add(id)
    void this.#pull()
  }

  /** Everything that is ours has been told. @param before the cursors when that was asked: of what has moved since, more is known by now. */
  toldAll(all: Record<string, number>, before: Record<string, number>): void {
    for (const [id, cursor] of Object.entries(before)) {
      if (!(id in all) && this.#cursors.get(id) === cursor && !this.#known.has(id)) this.gone(id)
    }
  }

  /** It stays wanted: this connection goes on to bring it, unannounced, should it be ours again. The next one is asked for it and finds out. */
  gone(id: string): void {
    this.#known.delete(id)
    this.#toPull.delete(id)
    this.#untold.delete(id)
    this.#resume?.silent.delete(id)
    if (!this.#cursors.delete(id)) return
    this.#options.onCursors()
    this.#options.onGone(id)
  }

  ready({ cursors: reached }: ReadyEvent['data']): void {
    const ended = this.#endResume()
    if (!ended) return
    this.#failures = 0
    for (const [id, position] of Object.entries(reached)) {
      // What came of it was dropped: it is asked for when it is wanted again.
      if (!this.#wants(id)) continue
      // Nothing newer exists where nothing came. Elsewhere the end may be missing: it is asked for again.
      if (ended.silent.has(id)) this.#advance(id, position)
      else this.#expect(id, position)
    }
    const isStuck = Object.entries(ended.cursors).every(([id, cursor]) => this.#known.has(id) && this.#cursors.get(id) === cursor && !this.#toPull.has(id))
    if (isStuck) this.#options.onStuck()
    else this.#next()
  }

  /** The server refused the resume for a passing reason. */
  refused(): void {
    this.#endResume()
    void this.#waitAfterFailure().then(() => this.#next())
  }

  disconnected(): void {
    this.#connected = false
    this.#untold.clear()
    this.#cursorsBefore = new Map(this.#cursors)
    this.#endResume()
  }

  close(): void {
    this.disconnected()
    this.#toPull.clear()
    this.#end.abort()
  }

  #wants(id: string): boolean {
    return this.#wanted?.has(id) ?? true
  }

  #learn(positions: Record<string, number>, startsAtPresent: boolean): void {
    for (const [id, position] of Object.entries(positions)) {
      if (!this.#wants(id)) continue
      this.#untold.delete(id)
      if (!this.#cursors.has(id)) this.#cursors.set(id, startsAtPresent ? position : 0)
      if (position < (this.#cursorsBefore.get(id) ?? 0)) this.#rewind(id, position)
      this.#expect(id, position)
    }
    this.#options.onCursors()
    this.#next()
  }

  /** Beyond the position everything new would be taken for known. */
  #rewind(id: string, position: number): void {
    const cursor = this.#cursors.get(id) ?? 0
    this.#cursorsBefore.set(id, position)
    this.#cursors.set(id, position)
    this.#toPull.delete(id)
    this.#options.onRewound(id, cursor, position)
  }

  #apply(change: Change): void {
    this.#advance(change.conversationId, change.changeSeq)
    this.#options.onChange(change)
  }

  #advance(id: string, changeSeq: number): void {
    const cursor = Math.max(changeSeq, this.#cursors.get(id) ?? 0)
    this.#cursors.set(id, cursor)
    if (cursor >= (this.#known.get(id) ?? 0)) this.#known.delete(id)
    this.#options.onCursors()
  }

  #expect(id: string, changeSeq: number): void {
    if (changeSeq > Math.max(this.#cursors.get(id) ?? 0, this.#known.get(id) ?? 0)) this.#known.set(id, changeSeq)
  }

  /** Asks for the next turn of what is behind, unless one is under way. */
  #next(): void {
    if (!this.#connected) return
    this.#options.onProgress(this.#known.size + this.#untold.size > 0)
    const behind = [...this.#known.keys()].filter((id) => !this.#toPull.has(id)).slice(0, cursorsPerRequest)
    if (this.#resume || behind.length === 0) return
    const { runtime, onStuck, sendResume } = this.#options
    const cursors = this.#cursorsOf(behind)
    this.#resume = { cursors, silent: new Set(behind), cancelTimer: runtime.after(resumeTimeoutMilliseconds, onStuck) }
    sendResume(cursors)
  }

  #endResume(): Resume | undefined {
    const ended = this.#resume
    ended?.cancelTimer()
    this.#resume = undefined
    return ended
  }

  /** Pulls what is too much for the socket, all conversations together, until nothing is left. */
  async #pull(): Promise<void> {
    if (this.#pulling) return
    this.#pulling = true
    while (this.#toPull.size > 0) {
      const ids = [...this.#toPull].slice(0, cursorsPerRequest)
      try {
        this.#pulled(ids, await this.#options.pull(this.#cursorsOf(ids), this.#end.signal))
        this.#failures = 0
      } catch {
        await this.#waitAfterFailure()
      }
    }
    this.#pulling = false
    this.#next()
  }

  /** What is pulled is in order and complete; some of it may have come over the socket meanwhile, or be ours no more. */
  #pulled(ids: string[], { changes, cursors, gone, hasMore }: PullResult): void {
    for (const change of changes) {
      const { conversationId: id, changeSeq } = change
      if (this.#toPull.has(id) && changeSeq > (this.#cursors.get(id) ?? 0)) this.#apply(change)
    }
    for (const id of gone) this.gone(id)
    for (const id of ids.filter((id) => this.#toPull.has(id))) {
      this.#advance(id, cursors[id] ?? 0)
      if (!hasMore) this.#toPull.delete(id)
    }
  }

  #waitAfterFailure(): Promise<void> {
    const { runtime } = this.#options
    return wait(backoff(this.#failures++, runtime), runtime, this.#end.signal).catch(() => {})
  }

  #cursorsOf(ids: string[]): Record<string, number> {
    return Object.fromEntries(ids.map((id) => [id, this.#cursors.get(id) ?? 0]))
  }
}
