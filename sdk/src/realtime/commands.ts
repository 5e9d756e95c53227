/**
 * Commands and their answers. A command is kept until it is answered: it waits while there is no connection, and is sent again after
 * a reconnection, which changes nothing for commands that bear a `clientId` or set a mark. How many may be unanswered at once follows
 * the server: one after it refused a command for a passing reason, twice as many after each answer.
 */
import { ParleyError, TimeoutError } from '../errors.ts'
import { statuses } from '../generated/errors.ts'
import type { AckFrame, ErrorFrame } from '../generated/types.ts'
import { newError } from '../new-error.ts'
import { backoff, type Runtime } from '../runtime.ts'

interface Pending {
  text: string
  isSent: boolean
  /** Nobody waits for it: the others go first. */
  yields: boolean
  failures: number
  /** Of the answer, once it is sent. */
  cancelTimer(): void
  settle(error: ParleyError | undefined, data?: unknown): void
}

const mostUnanswered = 32
export const answerTimeoutMilliseconds = 15_000
export const markDelivered = 'conversations.markDelivered'
/** A server that fails without saying why may fail because of this command. */
const mostInternalErrors = 3

export class Commands {
  readonly #runtime: Runtime
  readonly #transmit: (text: string) => void
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #connected = false
  #maxFrameBytes = 65_536
  /** How many may be unanswered at the moment. */
  #allowed = mostUnanswered
  #refusals = 0
  #cancelPause: (() => void) | undefined
  #ended: ParleyError | undefined

  constructor(runtime: Runtime, transmit: (text: string) => void) {
    this.#runtime = runtime
    this.#transmit = transmit
  }

  get isConnected(): boolean {
    return this.#connected
  }

  /**
   * @param onResult hears the result before the next frame is looked at
   * @throws what the server answers, and `timeout` after the given time; without one it is tried for as long as it takes.
   */
  send<T>(type: string, data: object, isResult: (data: unknown) => data is T, timeoutMilliseconds?: number, onResult?: (result: T) => void): Promise<T> {
    const id = ++this.#lastId
    const text = JSON.stringify({ type, id, data })
    if (this.#ended) return Promise.reject(this.#ended)
    if (new TextEncoder().encode(text).length > this.#maxFrameBytes) return Promise.reject(tooLarge(this.#maxFrameBytes))
    return new Promise<T>((resolve, reject) => {
      const cancelTimeout =
        timeoutMilliseconds === undefined ? undefined : this.#runtime.after(timeoutMilliseconds, () => command.settle(timeout(timeoutMilliseconds)))
      const command: Pending = {
        text,
        isSent: false,
        yields: type === markDelivered,
        failures: 0,
        cancelTimer() {},
        settle: (error, result) => {
          command.cancelTimer()
          cancelTimeout?.()
          this.#pending.delete(id)
          if (error) reject(error)
          else if (isResult(result)) {
            onResult?.(result)
            resolve(result)
          } else reject(new ParleyError({ code: 'unexpected_answer', message: `The server answered ${type} with something else` }))
          this.#pump()
        },
      }
      this.#pending.set(id, command)
      this.#pump()
    })
  }

  acknowledged({ id, data }: AckFrame): void {
    this.#allowed = Math.min(this.#allowed * 2, mostUnanswered)
    this.#refusals = 0
    this.#pending.get(Number(id))?.settle(undefined, data)
  }

  refused({ id, error }: ErrorFrame): void {
    const command = this.#pending.get(Number(id))
    if (!command) return
    const isPassing = passing.has(error.code) || (error.code === 'internal_error' && ++command.failures < mostInternalErrors)
    if (isPassing) {
      unsend(command)
      this.#pause()
    } else {
      command.settle(newError({ ...error, requestId: error.requestId ?? undefined, status: statuses[error.code] ?? 500 }))
    }
  }

  connected(maxFrameBytes: number): void {
    this.#connected = true
    this.#maxFrameBytes = maxFrameBytes
    this.#pump()
  }

  disconnected(): void {
    this.#connected = false
    for (const command of this.#pending.values()) unsend(command)
  }

  /** Fails what is not answered and whatever comes. */
  close(error: ParleyError): void {
    this.#ended = error
    this.#connected = false
    this.#cancelPause?.()
    for (const command of [...this.#pending.values()]) command.settle(error)
  }

  #pause(): void {
    this.#allowed = 1
    this.#cancelPause ??= this.#runtime.after(backoff(this.#refusals++, this.#runtime), () => {
      this.#cancelPause = undefined
      this.#pump()
    })
  }

  #pump(): void {
    if (!this.#connected || this.#cancelPause) return
    const commands = [...this.#pending.values()]
    const unanswered = commands.filter(({ isSent }) => isSent).length
    const waiting = commands.filter(({ isSent }) => !isSent).sort((one, other) => Number(one.yields) - Number(other.yields))
    for (const command of waiting.slice(0, Math.max(0, this.#allowed - unanswered))) {
      command.isSent = true
      command.cancelTimer = this.#runtime.after(answerTimeoutMilliseconds, () => {
        unsend(command)
        this.#pump()
      })
      this.#transmit(command.text)
    }
  }
}

/** Of a command whose answer says nothing but that it is done. */
export const isAnything = (_data: unknown): _data is unknown => true

const passing = new Set(['rate_limit_exceeded', 'unavailable'])

function unsend(command: Pending): void {
  command.isSent = false
  command.cancelTimer()
}

const timeout = (milliseconds: number) => new TimeoutError({ code: 'timeout', message: `No answer came within ${milliseconds} milliseconds` })

const tooLarge = (limit: number) => newError({ code: 'payload_too_large', status: 413, message: `It is larger than the ${limit} bytes that fit into a frame` })
