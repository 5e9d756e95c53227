/** Keeps a connection: opens it, and opens another one when it ends, after a wait that grows with every failure and is different for everybody. */
import { ForbiddenError, type ParleyError, UnauthorizedError } from '../errors.ts'
import type { HelloEvent } from '../generated/types.ts'
import type { Parley } from '../parley.ts'
import { backoff, type Runtime } from '../runtime.ts'
import { Connection, type WebSocketClass } from './connection.ts'
import type { ServerFrame } from './frames.ts'

interface LinkOptions {
  api: Parley
  WebSocket: WebSocketClass
  runtime: Runtime
  onConnecting(): void
  onOpen(): void
  /** Whether what the next connection gets has to be told to it first. */
  startsEmpty(): boolean
  onHello(hello: HelloEvent['data'], startedEmpty: boolean): void
  onFrame(frame: ServerFrame): void
  onDown(): void
  /** The tokens are not accepted and cannot be renewed, or the cookie is not accepted. */
  onRefused(error: ParleyError): void
}

/** A connection that lasted this long counts as good: the next wait is short again. */
const stableMilliseconds = 20_000
const tokenRefused = 4401
/** After these everybody comes back at once, or came too fast: the wait begins longer. */
const firstAttempt: Record<number, number> = { 1001: 2, 4408: 2, 4429: 4 }

export class Link {
  readonly #options: LinkOptions
  #connection: Connection | undefined
  #closed = false
  #attempt = 0
  /** Connections in a row that ended before the server said hello. */
  #unopened = 0
  #lastCode = 0
  #cancelWait: (() => void) | undefined
  #cancelStable: (() => void) | undefined

  constructor(options: LinkOptions) {
    this.#options = options
  }

  async connect(): Promise<void> {
    this.#cancelWait = undefined
    this.#options.onConnecting()
    try {
      const accessToken = await this.#acceptedToken()
      if (!this.#closed) this.#connection = this.#open(accessToken)
    } catch (error) {
      if (this.#closed) return
      if (error instanceof UnauthorizedError || error instanceof ForbiddenError) this.#options.onRefused(error)
      else this.#wait()
    }
  }

  send(text: string): void {
    this.#connection?.send(text)
  }

  /** Begins anew, as if the connection had broken. */
  restart(): void {
    if (!this.#connection) return
    this.#connection.end()
    this.#down(0)
  }

  /** While it waits: tries now. */
  hurry(): void {
    if (!this.#cancelWait) return
    this.#cancelWait()
    void this.connect()
  }

  close(): void {
    this.#closed = true
    this.#cancelWait?.()
    this.#cancelStable?.()
    this.#connection?.end()
  }

  #open(accessToken: string | undefined): Connection {
    const { api, WebSocket, runtime, startsEmpty, onOpen, onHello, onFrame } = this.#options
    const isEmpty = startsEmpty()
    const socket = new WebSocket(`${api.baseUrl.replace(/^http/, 'ws')}/v1/ws${isEmpty ? '?subscribe=none' : ''}`, [
      'parley.v1',
      ...(accessToken === undefined ? [] : [`bearer.${accessToken}`]),
    ])
    return new Connection(socket, {
      runtime,
      onOpen,
      onFrame,
      onHello: (hello) => {
        this.#cancelStable = runtime.after(stableMilliseconds, () => {
          this.#attempt = 0
        })
        onHello(hello, isEmpty)
      },
      onEnd: (code) => this.#down(code),
    })
  }

  #down(code: number): void {
    this.#cancelStable?.()
    this.#unopened = this.#connection?.greeted ? 0 : this.#unopened + 1
    this.#connection = undefined
    this.#lastCode = code
    this.#attempt = Math.max(this.#attempt, firstAttempt[code] ?? 0)
    this.#options.onDown()
    this.#wait()
  }

  #wait(): void {
    const { runtime, onConnecting } = this.#options
    onConnecting()
    this.#cancelWait = runtime.after(backoff(this.#attempt++, runtime), () => void this.connect())
  }

  /**
   * What cannot be renewed, such as an API key, is tried on the API. Browsers do not tell why a connection was refused: after every second
   * time the token is tried too, which renews it if need be. Undefined where the browser's cookie does instead.
   */
  async #acceptedToken(): Promise<string | undefined> {
    const { api } = this.#options
    const isRefused = this.#lastCode === tokenRefused
    if (isRefused && api.tokens?.refreshToken) await api.refreshTokens()
    else if (isRefused || (this.#unopened > 0 && this.#unopened % 2 === 0)) await api.auth.me({ retries: 0 })
    this.#lastCode = 0
    const accessToken = await api.getAccessToken()
    if (accessToken === undefined && !api.byCookie) throw new UnauthorizedError({ code: 'unauthorized', status: 401, message: 'Nobody is signed in' })
    return accessToken
  }
}
