/**
 * A connection over which processes hear each other, kept alive. That it lives is known by hearing oneself over it every second; when it
 * does not, another one is opened, and whoever listens is told that something may have been missed.
 */
import { setImmediate } from 'node:timers/promises'
import type { Log } from '../log.ts'

/** How payloads travel. */
export interface Carrier {
  /** A longer payload is refused. */
  maximumBytes: number
  /** Listens when it resolves. @param signal ends what is being opened: nothing of it is left then */
  open(on: { payload(text: string): void; lost(): void }, signal: AbortSignal): Promise<Channel>
  /** Whether there is no use in opening it again. */
  isOver(): boolean
}

export interface Channel {
  send(payloads: string[]): Promise<unknown>
  /** Does not wait for a connection that never answers. */
  close(): Promise<unknown>
}

interface LinkOptions {
  /** For the log. */
  name: string
  carrier: Carrier
  /** What is said every second. */
  formatBeat(): string
  /** @returns whether this process has said it itself */
  hear(payload: string): boolean
  /** It listens again. */
  onGap(): void
  /** Every second, after what has come was heard, whether or not there is a connection. */
  onTick?(): void
  log: Log
}

const beatMilliseconds = 1_000
/** Unheard for this long, a process or a connection is taken for dead. */
export const silenceMilliseconds = 3_000
/** What accepts a connection and never answers is given up after this long. */
const openMilliseconds = 5_000

interface Opened {
  channel: Channel
  /** Ends the waiting for what a dead connection will never answer. */
  lost: PromiseWithResolvers<void>
}

export function createLink({ name, carrier, formatBeat, hear, onGap, onTick, log }: LinkOptions) {
  let opened: Opened | undefined
  let heardAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  let ticking: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  const end = new AbortController()

  const open = async (): Promise<void> => {
    const lost = Promise.withResolvers<void>()
    let isLost = false
    const onLost = (): void => {
      isLost = true
      lost.resolve()
      if (opened?.lost === lost) void disconnect().then(() => beatIn(0))
    }
    const onPayload = (payload: string): void => {
      if (hear(payload)) heardAt = performance.now()
    }
    const channel = await inTime((signal) => carrier.open({ payload: onPayload, lost: onLost }, signal), end.signal)
    if (end.signal.aborted || isLost) await soon(channel.close())
    if (end.signal.aborted) return
    if (isLost) throw new Error('The connection was lost at once')
    opened = { channel, lost }
    heardAt = performance.now()
  }

  const disconnect = async (): Promise<void> => {
    const last = opened
    opened = undefined
    last?.lost.resolve()
    await soon(last?.channel.close())
  }

  const reopen = async (): Promise<void> => {
    await disconnect()
    await open()
    if (end.signal.aborted) return
    log.warn(`${name}: what other processes said may have been missed; compared with the database`)
    onGap()
  }

  const send = async (payloads: string[]): Promise<void> => {
    if (opened !== undefined) await Promise.race([opened.channel.send(payloads), opened.lost.promise])
  }

  /** On a connection that is broken it may never be answered; the silence tells. */
  const beat = (): void => void send([formatBeat()]).catch(() => undefined)

  /** What has come already is read before its absence is judged: the process may have been busy. */
  const tick = async (): Promise<void> => {
    await setImmediate()
    if (!end.signal.aborted) onTick?.()
  }

  const keepAlive = async (): Promise<void> => {
    await setImmediate()
    if (opened === undefined || performance.now() - heardAt > silenceMilliseconds) await reopen()
    beat()
  }

  const run = async (): Promise<void> => {
    if (running !== undefined) return
    running = keepAlive().catch((error: unknown) => log.debug({ err: error }, `${name} is out of reach`))
    await running
    running = undefined
    beatIn(beatMilliseconds)
  }

  const beatIn = (milliseconds: number): void => {
    clearTimeout(timer)
    if (end.signal.aborted || carrier.isOver()) return
    timer = setTimeout(() => void run(), milliseconds).unref()
  }

  return {
    /** Listens when it resolves; while it cannot, it tries to, and does not keep anybody waiting for that. */
    async start(): Promise<void> {
      await open().catch((error: unknown) => log.warn({ err: error }, `${name} is out of reach; tried again every second`))
      beat()
      beatIn(beatMilliseconds)
      ticking = setInterval(() => void tick(), beatMilliseconds).unref()
    },

    get isUp(): boolean {
      return opened !== undefined
    },

    /** To all who listen; nowhere while there is no connection. @throws what the carrier does */
    send,

    /** Now, too. */
    beat,

    async close(): Promise<void> {
      end.abort()
      clearTimeout(timer)
      clearInterval(ticking)
      await disconnect()
      await soon(running)
    },
  }
}

/** @throws when it takes too long or the link ends: what is half open by then is closed, and what opens after all is too. */
async function inTime(open: (signal: AbortSignal) => Promise<Channel>, end: AbortSignal): Promise<Channel> {
  const attempt = new AbortController()
  const abandoned = Promise.withResolvers<never>()
  const abandon = (reason: string): void => {
    attempt.abort()
    abandoned.reject(new Error(reason))
  }
  const onEnd = (): void => abandon('The link was closed')
  const timer = setTimeout(() => abandon(`No answer within ${openMilliseconds} ms`), openMilliseconds)
  end.addEventListener('abort', onEnd, { once: true })
  try {
    const opening = open(attempt.signal)
    opening.then((channel) => (attempt.signal.aborted ? soon(channel.close()) : undefined)).catch(() => undefined)
    return await Promise.race([opening, abandoned.promise])
  } finally {
    clearTimeout(timer)
    end.removeEventListener('abort', onEnd)
  }
}

/** Waits, but not long: a connection that is broken may never say that it has ended. */
async function soon(work: Promise<unknown> | undefined): Promise<void> {
  await Promise.race([work?.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, beatMilliseconds).unref())])
}
