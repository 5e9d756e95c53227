/** People who write without a pause and do not give up: what was not acknowledged is sent again, under the same `clientId`. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Message, type Parley, ParleyError } from '@parley/sdk'
import type { Realtime } from '@parley/sdk/realtime'

/** Messages that one sender sends to one conversation, one after another. */
interface Lane {
  name: string
  conversationId: string
  /** Resolves when the message is acknowledged. */
  send(body: Body): Promise<Delivery>
  /** Messages that are sent without waiting for the acknowledgements before them. */
  width: number
}

interface Body {
  content: string
  clientId: string
}

interface Delivery {
  message: Message
  attempts: number
  /** It had been stored by an earlier attempt, whose acknowledgement was lost. */
  wasStored: boolean
}

export interface Acknowledged extends Delivery {
  lane: string
  number: number
}

/** Over REST; every attempt that fails is told. @throws what is not a passing failure. */
export const restLane = (name: string, api: Parley, conversationId: string, onFailure: (error: ParleyError) => void): Lane => ({
  name,
  conversationId,
  width: 1,
  async send(body) {
    for (let attempts = 1; ; attempts++) {
      const startedAt = Date.now()
      try {
        const { message } = await api.conversations.sendMessage(conversationId, body, { retries: 0 })
        return { message, attempts, wasStored: Date.parse(message.createdAt) < startedAt }
      } catch (error) {
        if (!(error instanceof ParleyError) || (error.status ?? 500) < 500) throw error
        onFailure(error)
        await pause(20 + 80 * Math.random())
      }
    }
  },
})

/** Over the socket, several at a time; the SDK sends again what was not acknowledged. */
export const socketLane = (name: string, realtime: Realtime, conversationId: string): Lane => ({
  name,
  conversationId,
  width: 10,
  send: async (body) => ({ message: await realtime.sendMessage(conversationId, body), attempts: 1, wasStored: false }),
})

/** All lanes at once, until `stop`. */
export function startTraffic(lanes: Lane[]) {
  const acknowledged: Acknowledged[] = []
  const waiting = new Map<number, () => void>()
  let isStopping = false

  const sendNext = async (lane: Lane, number: number): Promise<void> => {
    const content = `${lane.name} ${number}`
    const delivery = await lane.send({ content, clientId: `${lane.conversationId} ${content}` })
    acknowledged.push({ ...delivery, lane: `${lane.conversationId} ${lane.name}`, number })
    waiting.get(acknowledged.length)?.()
  }
  const run = async (lane: Lane): Promise<void> => {
    const underWay: Promise<void>[] = []
    for (let number = 1; !isStopping; number++) {
      const sending = sendNext(lane, number)
      // Awaited below, in their turn.
      sending.catch(() => undefined)
      underWay.push(sending)
      if (underWay.length >= lane.width) await underWay.shift()
    }
    await Promise.all(underWay)
  }
  const running = Promise.all(lanes.map(run))
  // A lane that fails says so in `stop`, or to whoever is waiting.
  running.catch(() => undefined)

  return {
    acknowledged,
    /** Waits for so many more acknowledgements. */
    async progress(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(acknowledged.length + count, resolve)
      await Promise.race([promise, running])
    },
    /** Everything that was sent is acknowledged then. */
    async stop(): Promise<void> {
      isStopping = true
      await running
    },
  }
}

interface Reader {
  name: string
  api: Parley
}

/** A read mark that was acknowledged: what it covered is read, whatever happens. */
export interface AcknowledgedMark {
  name: string
  conversationId: string
  readSeq: number
}

/** People who mark what they see as read, up to a message at random, until `stop`. */
export function startReading(
  readers: readonly Reader[],
  conversationIds: readonly string[],
  { random, onFailure }: { random(): number; onFailure(error: ParleyError): void },
) {
  const acknowledged: AcknowledgedMark[] = []
  let isStopping = false

  const markOne = async ({ name, api }: Reader, conversationId: string): Promise<void> => {
    try {
      const { conversation } = await api.conversations.get(conversationId, { retries: 0 })
      const { readSeq } = await api.conversations.markRead(conversationId, { seq: Math.floor(conversation.lastSeq * random()) }, { retries: 0 })
      acknowledged.push({ name, conversationId, readSeq })
    } catch (error) {
      if (!(error instanceof ParleyError) || (error.status ?? 500) < 500) throw error
      onFailure(error)
    }
  }
  const run = async (reader: Reader): Promise<void> => {
    for (let turn = 0; !isStopping; turn++) {
      await markOne(reader, conversationIds[turn % conversationIds.length] ?? '')
      await pause(50 + 100 * Math.random())
    }
  }
  const running = Promise.all(readers.map(run))
  running.catch(() => undefined)

  return {
    acknowledged,
    async stop(): Promise<void> {
      isStopping = true
      await running
    },
  }
}
