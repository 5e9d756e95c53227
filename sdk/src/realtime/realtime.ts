import { ConnectionError, type ParleyError, TimeoutError } from '../errors.ts'
import type { HelloEvent, Message, PositionsEvent, ReadMark, SendMessageRequest } from '../generated/types.ts'
import type { Parley } from '../parley.ts'
import type { Runtime } from '../runtime.ts'
import { CatchUp } from './catch-up.ts'
import { answerTimeoutMilliseconds, Commands, isAnything } from './commands.ts'
import type { WebSocketClass } from './connection.ts'
import { createDeliveries } from './deliveries.ts'
import { createEmitter, type RealtimeEvents, type RealtimeState } from './events.ts'
import { isChange, isSignal, type ServerFrame } from './frames.ts'
import { Link } from './link.ts'
import { createOutbox } from './outbox.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'

/** Everything has a default. */
export interface RealtimeOptions {
  /** Where an earlier run stopped (see `onCursors`): what happened since is emitted first. Without them, what happens from now on is emitted. */
  cursors?: Record<string, number>
  /** Called with the cursors when they have changed, at most ten times a second, and when the connection is closed: the place to store them. */
  onCursors?(cursors: Record<string, number>): void
  /** Tells senders that their messages have reached this device, which their status shows as `delivered`. Default: false. */
  confirmDelivery?: boolean
  /** How many messages may wait to be sent. Default: 1,000. */
  outboxLimit?: number
  /** Instead of the platform's: on Node 20, pass the one of the package `ws`. */
  WebSocket?: WebSocketClass
  /** Time and chance, for deterministic tests. Default: those of the client. */
  runtime?: Runtime
}

const cursorsIntervalMilliseconds = 100
const typingTimeoutMilliseconds = 5_000

/**
 * Connects to the realtime side of the API, as whoever `api` is signed in as.
 *
 *     const realtime = connect(api)
 *     realtime.on('message.created', ({ data }) => show(data.message))
 *     await realtime.sendMessage(conversationId, { content: 'Hello' })
 *
 * @throws {TypeError} when the platform has no WebSocket and none is given
 */
export const connect = (api: Parley, options: RealtimeOptions = {}): Realtime => new Realtime(api, options)

/** A connection that lasts until it is closed: it reconnects by itself, and what happened meanwhile is emitted then. */
export class Realtime {
  readonly #options: RealtimeOptions
  readonly #runtime: Runtime
  readonly #emitter = createEmitter()
  readonly #link: Link
  readonly #catchUp: CatchUp
  readonly #commands: Commands
  readonly #sendMessage: (conversationId: string, body: SendMessageRequest) => Promise<Message>
  readonly #subscriptions: Subscriptions
  readonly #hurry = (): void => this.#link.hurry()
  /** The hello of this connection, with the positions that have come so far. */
  #greeted: { hello: HelloEvent['data']; startedEmpty: boolean } | undefined
  #state: RealtimeState = 'connecting'
  #endedBy: ParleyError | undefined
  #cancelCursors: (() => void) | undefined

  /** Use `connect`. */
  constructor(api: Parley, options: RealtimeOptions) {
    const { runtime = api.runtime, WebSocket = globalThis.WebSocket, outboxLimit = 1000 } = options
    if (!WebSocket) throw new TypeError('This platform has no WebSocket: pass one as `WebSocket`, such as that of the package `ws`')
    this.#options = options
    this.#runtime = runtime
    this.#commands = new Commands(runtime, (text) => this.#link.send(text))
    this.#sendMessage = createOutbox(this.#commands, outboxLimit)
    const confirm = options.confirmDelivery ? createDeliveries(api, this.#commands, runtime) : undefined
    this.#catchUp = new CatchUp({
      cursors: options.cursors,
      runtime,
      onChange: (change) => {
        this.#emitter.emit(change, 'change')
        this.#emitter.emit(change)
        void confirm?.(change)
      },
      onGone: (conversationId) => this.#emitter.emit({ type: 'gone', data: { conversationId } }),
      onRewound: (conversationId, from, to) => this.#emitter.emit({ type: 'rewound', data: { conversationId, from, to } }),
      onCursors: () => this.#scheduleCursors(),
      onProgress: (isBehind) => this.#setState(isBehind ? 'resuming' : 'ready'),
      sendResume: (cursors) => this.#link.send(JSON.stringify({ type: 'resume', id: resumeId, data: { cursors } })),
      pull: (cursors, signal) => api.sync.pull({ cursors }, { signal }),
      onStuck: () => this.#link.restart(),
    })
    this.#subscriptions = createSubscriptions({
      commands: this.#commands,
      catchUp: this.#catchUp,
      fetchPositions: async () => (await api.sync.pull({})).positions,
      restart: () => this.#link.restart(),
    })
    this.#link = new Link({
      api,
      WebSocket,
      runtime,
      onConnecting: () => this.#setState('connecting'),
      onOpen: () => this.#setState('open'),
      startsEmpty: () => this.#catchUp.wanted !== undefined,
      onHello: (hello, startedEmpty) => this.#greet(hello, startedEmpty),
      onFrame: (frame) => this.#receive(frame),
      onDown: () => {
        this.#greeted = undefined
        this.#catchUp.disconnected()
        this.#commands.disconnected()
      },
      onRefused: (error) => this.#end(error),
    })
    globalThis.addEventListener?.('online', this.#hurry)
    void this.#link.connect()
  }

  get state(): RealtimeState {
    return this.#state
  }

  /** The number of the last change that was emitted, by conversation id. Give them to `connect` to go on from here. */
  get cursors(): Record<string, number> {
    return this.#catchUp.cursors
  }

  /**
   * Listens to one kind of event: `message.created`, `change` for every change, `state` …
   * Every change is emitted once, and in order within its conversation; a listener that is asynchronous is not waited for.
   * Returns what stops listening.
   */
  on<T extends keyof RealtimeEvents>(type: T, listener: (event: RealtimeEvents[T]) => unknown): () => void {
    return this.#emitter.on(type, listener)
  }

  /**
   * Resolves when everything that is known to have happened has been emitted.
   * @throws {ParleyError} when the connection is closed before
   */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.#state === 'ready') resolve()
        else if (this.#endedBy) reject(this.#endedBy)
        else return
        stop()
      }
      const stop = this.on('state', check)
      check()
    })
  }

  /**
   * Sends a message, now or when there is a connection again, in the order of the calls within a conversation, and never twice.
   * Returns it as it is stored.
   * @throws {ParleyError} what the server answers; `outbox_full`; `closed` when the connection is closed before it is sent
   */
  sendMessage(conversationId: string, body: SendMessageRequest): Promise<Message> {
    return this.#sendMessage(conversationId, body)
  }

  /**
   * Marks a conversation as read up to a message; without a connection it waits for one.
   * @throws {NotFoundError}
   * @throws {TimeoutError} after 15 seconds
   */
  markRead(conversationId: string, seq: number): Promise<ReadMark> {
    return this.#commands.send('conversations.markRead', { conversationId, seq }, isReadMark, answerTimeoutMilliseconds)
  }

  /**
   * Says that you are typing, or not any more; it ends by itself after 6 seconds. Returns false when it could not be said, for want of a connection.
   * @throws {NotFoundError}
   */
  async setTyping(conversationId: string, typing: boolean): Promise<boolean> {
    if (!this.#commands.isConnected) return false
    try {
      await this.#commands.send('conversations.setTyping', { conversationId, typing }, isAnything, typingTimeoutMilliseconds)
      return true
    } catch (error) {
      if (error instanceof TimeoutError || error === this.#endedBy) return false
      throw error
    }
  }

  /**
   * Gets these conversations alone, or beside those that were named before, also after reconnections; at most 500 in one call. Until this is
   * called it gets all. What was missed of them since their cursors is emitted; one that has no cursor begins at the present.
   * @throws {NotFoundError} when one of them is not yours; then nothing changes
   * @throws {TimeoutError} after 15 seconds
   */
  subscribe(conversationIds: string[]): Promise<void> {
    return this.#subscriptions.subscribe(conversationIds)
  }

  /**
   * Gets all conversations again, also those to come.
   * @throws {TimeoutError} after 15 seconds
   */
  subscribeAll(): Promise<void> {
    return this.#subscriptions.subscribeAll()
  }

  /**
   * Gets these conversations no more, nor new ones by itself; at most 500 in one call.
   * @throws {TimeoutError} after 15 seconds
   */
  unsubscribe(conversationIds: string[]): Promise<void> {
    return this.#subscriptions.unsubscribe(conversationIds)
  }

  /** While disconnected: tries now instead of after the wait. In browsers this happens by itself when the network is back. */
  reconnect(): void {
    this.#hurry()
  }

  /** Ends the connection for good. What is not sent yet fails with `closed`. */
  close(): void {
    this.#end()
  }

  #receive(frame: ServerFrame): void {
    if (isChange(frame)) this.#catchUp.change(frame)
    else if (frame.type === 'ready') this.#catchUp.ready(frame.data)
    else if (frame.type === 'gap') this.#catchUp.gap(frame.data)
    else if (frame.type === 'gone') this.#catchUp.gone(frame.data.conversationId)
    else if (frame.type === 'positions') this.#addPositions(frame.data)
    else if (isSignal(frame)) this.#emitter.emit(frame)
    else if (frame.type === 'ack') this.#commands.acknowledged(frame)
    else if (frame.type === 'error' && frame.id === resumeId) this.#catchUp.refused()
    else if (frame.type === 'error') this.#commands.refused(frame)
  }

  #greet(hello: HelloEvent['data'], startedEmpty: boolean): void {
    this.#greeted = { hello, startedEmpty }
    if (hello.hasMore) return
    const greeted = this.#greeted
    this.#commands.connected(hello.maxFrameBytes)
    this.#catchUp.hello(startedEmpty ? undefined : hello.positions)
    if (startedEmpty) this.#subscriptions.renew(() => this.#greeted === greeted)
  }

  #addPositions({ positions, hasMore }: PositionsEvent['data']): void {
    const { hello, startedEmpty } = this.#greeted ?? {}
    if (hello?.hasMore && startedEmpty !== undefined) this.#greet({ ...hello, hasMore, positions: { ...hello.positions, ...positions } }, startedEmpty)
    else this.#subscriptions.follow(positions)
  }

  #setState(state: RealtimeState): void {
    if (state === this.#state || this.#state === 'closed') return
    this.#state = state
    this.#emitter.emit({ type: 'state', state })
  }

  #scheduleCursors(): void {
    if (this.#options.onCursors) this.#cancelCursors ??= this.#runtime.after(cursorsIntervalMilliseconds, () => this.#tellCursors())
  }

  #tellCursors(): void {
    this.#cancelCursors?.()
    this.#cancelCursors = undefined
    this.#options.onCursors?.(this.cursors)
  }

  /** @param refusal why the server does not accept us any more; undefined when it is our own wish */
  #end(refusal?: ParleyError): void {
    if (this.#endedBy) return
    this.#endedBy = refusal ?? new ConnectionError({ code: 'closed', message: 'The connection is closed' })
    globalThis.removeEventListener?.('online', this.#hurry)
    this.#link.close()
    this.#catchUp.close()
    this.#commands.close(this.#endedBy)
    if (this.#cancelCursors) this.#tellCursors()
    this.#setState('closed')
    if (refusal) this.#emitter.emit({ type: 'signedOut', error: refusal })
  }
}

/** Commands have numbers, so this is nobody else's. */
const resumeId = 'resume'

const isReadMark = (data: unknown): data is ReadMark => typeof data === 'object' && data !== null && 'readSeq' in data
