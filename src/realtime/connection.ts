/**
 * One socket of one actor. What goes out within a turn of the event loop goes out in one write; a client that does not read as fast as
 * events come is sent away to resume later, so that slow readers cost no memory.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { Actor } from '../actor.ts'

export interface Frame {
  changeSeq: number
  bytes: Buffer
}

interface Held {
  frames: Frame[]
  holders: number
  upToChangeSeq: number
}

/** What a client may have waiting before it counts as too slow. */
const maximumBufferedBytes = 1_048_576
/** What one catch-up may hold back. */
const maximumHeldFrames = 2_000
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
  /** Frames that were refused, one after another. */
  strikes = 0
  /** Commands that are being carried out. */
  running = 0
  readonly following = new Set<ConversationId>()
  /** Catch-ups follow one another. */
  #catchingUp: Promise<void> | undefined
  readonly #socket: WebSocket
  readonly #raw: Socket
  /** Live frames of conversations that are being caught up with: their turn comes after what is older. */
  #held: Map<ConversationId, Held> | undefined

  constructor(socket: WebSocket, raw: Socket, actor: Actor) {
    this.#socket = socket
    this.#raw = raw
    this.actor = actor
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
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
    if (held.frames.length > maximumHeldFrames) this.close('slow_reader')
  }

  /** Runs a catch-up after those before it. */
  inTurn(catchUp: () => Promise<void>): Promise<void> {
    const turn = (this.#catchingUp ?? Promise.resolve()).then(catchUp)
    const settled = turn
      .catch(() => undefined)
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
    for (const { changeSeq, bytes } of held.frames) if (changeSeq > held.upToChangeSeq) this.send(bytes)
  }

  /** Reads no further frames until `read` is called: what is under way has to end first. */
  pause(): void {
    this.#socket.pause()
  }

  read(): void {
    this.#socket.resume()
  }

  ping(): void {
    this.alive = false
    this.#socket.ping()
  }

  close(reason: CloseReason): void {
    this.#held = undefined
    this.#socket.close(closeCodeOf[reason], reason)
    setTimeout(() => this.#socket.terminate(), closeGraceMilliseconds).unref()
  }

  closeAndWait(reason: CloseReason): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve())
      this.close(reason)
    })
  }

  terminate(): void {
    this.#socket.terminate()
  }
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
