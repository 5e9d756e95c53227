/** One socket, until it ends. It notices when the other side is dead, which the network does not tell. */
import type { HelloEvent } from '../generated/types.ts'
import type { Runtime } from '../runtime.ts'
import { parseFrame, type ServerFrame } from './frames.ts'

/** What is used of a WebSocket: the platform's, or one such as that of the package `ws`. */
export interface WebSocketLike {
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void
  send(data: string): void
  close(): void
}

export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike

interface ConnectionOptions {
  runtime: Runtime
  onOpen(): void
  onHello(hello: HelloEvent['data']): void
  onFrame(frame: ServerFrame): void
  /** It ended by itself. The code is 0 where there is none. */
  onEnd(code: number): void
}

const helloTimeoutMilliseconds = 15_000
const pongTimeoutMilliseconds = 10_000

export class Connection {
  /** Whether the server said hello. */
  greeted = false
  readonly #socket: WebSocketLike
  readonly #options: ConnectionOptions
  #ended = false
  #heard = false
  #cancelTimer: () => void

  constructor(socket: WebSocketLike, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.#cancelTimer = options.runtime.after(helloTimeoutMilliseconds, () => this.#fail(0))
    socket.addEventListener('open', () => !this.#ended && options.onOpen())
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('close', ({ code }) => this.#fail(code))
    socket.addEventListener('error', () => this.#fail(0))
  }

  send(text: string): void {
    this.#socket.send(text)
  }

  /** Nothing is told of it from here on. */
  end(): void {
    this.#ended = true
    this.#cancelTimer()
    this.#socket.close()
  }

  #fail(code: number): void {
    if (this.#ended) return
    this.end()
    this.#options.onEnd(code)
  }

  #receive(data: unknown): void {
    const frame = this.#ended ? undefined : parseFrame(data)
    if (!frame) return
    this.#heard = true
    if (frame.type === 'hello') {
      this.greeted = true
      this.#cancelTimer()
      this.#listen(frame.data.heartbeatSeconds * 1000)
      this.#options.onHello(frame.data)
    } else {
      this.#options.onFrame(frame)
    }
  }

  #listen(milliseconds: number): void {
    this.#heard = false
    this.#cancelTimer = this.#options.runtime.after(milliseconds, () => (this.#heard ? this.#listen(milliseconds) : this.#ask(milliseconds)))
  }

  #ask(milliseconds: number): void {
    this.send('{"type":"ping","data":{}}')
    this.#cancelTimer = this.#options.runtime.after(pongTimeoutMilliseconds, () => (this.#heard ? this.#listen(milliseconds) : this.#fail(0)))
  }
}
