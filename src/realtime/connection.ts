/**
 * One socket of one actor. What goes out within a turn of the event loop goes out in one write; a client that does not read as fast as
 * events come is sent away to resume later, so that slow readers cost no memory.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { Actor } from '../actor.ts'
import type { ConversationJoined } from '../topics.ts'

export interface Frame {
  changeSeq: number
  bytes: Buffer
}

/** What is kept of the request that opened a socket. */
export interface Handshake {
  /** The stream below the socket. */
  raw: Socket
  actor: Actor
  requestId: string
  /** Gets nothing but what the client then names. */
  startsEmpty?: boolean
}

interface Held {
  frames: Frame[]
  holders: number
  upToChangeSeq: number
}

/** What a client may have waiting before it counts as too slow: more than comes in one turn. All sockets of a conversation share it. */
const maximumBufferedBytes = 4_194_304
/** What may be held back during catch-ups: it is sent at once afterwards. */
const maximumHeldBytes = 2_097_152
/** A catch-up waits for the client when this much is on its way. */
const busyBytes = 131_072
/** Commands under way; more wait unread. */
const maximumRunning = 256
/** A client that does not read does not see the close frame either. */
const closeGraceMilliseconds = 2_000

export type CloseReason = keyof typeof closeCodeOf
const closeCodeOf = { bad_frames: 4400, unauthorized: 4401, slow_reader: 4408, rate_limit_exceeded: 4429, going_away: 1001 } as const

const asText = { binary: false }

const corked = new Set<Socket>()

export class Connection {
  readonly actor: Actor
  /** Whether anything was heard since the last ping. */
  alive = true
  /** Of the handshake: what the log and the errors of this socket bear. */
  readonly requestId: string
  /** Frames that were refused and that accepted ones have not made up for. */
  strikes = 0
  readonly following = new Set<ConversationId>()
  readonly openedAt: Date
  /** Whether the hello was sent. */
  greeted = false
  /** What was joined while the socket was being opened has its turn afterwards; undefined from then on. */
  joinedMeanwhile: ConversationJoined[] | undefined = []
  /** Undefined: all conversations of the user, also those to come. */
  #wanted: Set<ConversationId> | undefined
  /** Catch-ups follow one another. */
  #catchingUp: Promise<void> | undefined
  readonly #socket: WebSocket
  readonly #raw: Socket
  /** Live frames of conversations that are being caught up with: their turn comes after what is older. */
  #held: Map<ConversationId, Held> | undefined
  #heldBytes = 0
  /** Commands that are being carried out. */
  #running = 0
  #finishing: (() => void) | undefined

  constructor(socket: WebSocket, { raw, actor, requestId, startsEmpty }: Handshake, openedAt: Date) {
    this.openedAt = openedAt
    this.#socket = socket
    this.#raw = raw
    this.actor = actor
    this.requestId = requestId
    if (startsEmpty) this.#wanted = new Set()
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  wants(conversationId: ConversationId): boolean {
    return this.#wanted?.has(conversationId) ?? true
  }

  /** Whether the client gets all conversations of its user. */
  get wantsAll(): boolean {
    return this.#wanted === undefined
  }

  /** Those that the client has named; undefined: all. */
  get wanted(): Iterable<ConversationId> | undefined {
    return this.#wanted
  }

  /** @param conversationIds undefined for all */
  want(conversationIds: Iterable<ConversationId> | undefined): void {
    this.#wanted = conversationIds && new Set(conversationIds)
  }

  send(bytes: Buffer): void {
    if (!this.isOpen) return
    if (this.#socket.bufferedAmount > maximumBufferedBytes) return this.close('slow_reader')
    cork(this.#raw)
    this.#socket.send(bytes, asText)
  }

  sendJson(frame: object): void {
    this.send(Buffer.from(JSON.stringify(frame)))
  }

  /** A live change: sent, or held while its conversation is being caught up with. */
  deliver(conversationId: ConversationId, frame: Frame): void {
    const held = this.#held?.get(conversationId)
    if (held === undefined) return this.send(frame.bytes)
    held.frames.push(frame)
    this.#heldBytes += frame.bytes.length
    if (this.#heldBytes > maximumHeldBytes) this.close('slow_reader')
  }

  /** Resolves when the client has taken enough of what was sent, or is gone. */
  async taken(): Promise<void> {
    if (this.#socket.bufferedAmount <= busyBytes) return
    await new Promise<void>((resolve) => {
      const raw = this.#raw
      const done = () => {
        raw.off('drain', done).off('close', done)
        resolve()
      }
      raw.on('drain', done).on('close', done)
      if (raw.destroyed) done()
    })
  }

  /** Runs a catch-up after those before it. */
  inTurn<T>(catchUp: () => Promise<T>): Promise<T> {
    const turn = (this.#catchingUp ?? Promise.resolve()).then(catchUp)
    const settled: Promise<void> = turn
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        if (this.#catchingUp === settled) this.#catchingUp = undefined
      })
    this.#catchingUp = settled
    return turn
  }

  /** Each call needs a `release` of its own. */
  hold(conversationId: ConversationId): void {
    this.#held ??= new Map()
    const held = this.#held.get(conversationId) ?? { frames: [], holders: 0, upToChangeSeq: 0 }
    held.holders += 1
    this.#held.set(conversationId, held)
  }

  /** Sends what was held and is newer than what the catch-ups brought, after the last of them. */
  release(conversationId: ConversationId, upToChangeSeq: number): void {
    const held = this.#held?.get(conversationId)
    if (held === undefined) return
    held.holders -= 1
    held.upToChangeSeq = Math.max(held.upToChangeSeq, upToChangeSeq)
    if (held.holders > 0) return
    this.#held?.delete(conversationId)
    for (const { changeSeq, bytes } of held.frames) {
      this.#heldBytes -= bytes.length
      if (changeSeq > held.upToChangeSeq) this.send(bytes)
    }
  }

  /** What the client says waits unread until `listen`. */
  deafen(): void {
    this.#socket.pause()
  }

  listen(): void {
    if (this.#finishing === undefined) this.#socket.resume()
  }

  /** A command is being carried out. With too many of them no further frames are read until one has ended. */
  beginCommand(): void {
    this.#running += 1
    if (this.#running === maximumRunning) this.#socket.pause()
  }

  endCommand(): void {
    if (this.#running === maximumRunning && this.#finishing === undefined) this.#socket.resume()
    this.#running -= 1
    if (this.#running === 0) this.#finishing?.()
  }

  /** Reads no more. Resolves when the commands that were read have been answered. */
  finish(): Promise<void> {
    this.#socket.pause()
    return new Promise((resolve) => {
      this.#finishing = resolve
      if (this.#running === 0) resolve()
    })
  }

  /** Ends the connection when nothing was heard since the last ping, though it was listened for. */
  ping(): void {
    const { isPaused } = this.#socket
    if (!this.alive && !isPaused) return this.terminate()
    this.alive = isPaused
    this.#socket.ping()
  }

  close(reason: CloseReason): void {
    this.#held = undefined
    closeSocket(this.#socket, reason)
  }

  closeAndWait(reason: CloseReason): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.readyState === this.#socket.CLOSED) return resolve()
      this.#socket.once('close', () => resolve())
      this.close(reason)
    })
  }

  terminate(): void {
    this.#socket.terminate()
  }
}

export function closeSocket(socket: WebSocket, reason: CloseReason): void {
  // A paused socket would not see the other side's part of the closing.
  socket.resume()
  socket.close(closeCodeOf[reason], reason)
  setTimeout(() => socket.terminate(), closeGraceMilliseconds).unref()
}

function cork(socket: Socket): void {
  if (corked.has(socket)) return
  if (corked.size === 0) setImmediate(uncorkAll)
  corked.add(socket)
  socket.cork()
}

function uncorkAll(): void {
  for (const socket of corked) socket.uncork()
  corked.clear()
}
