/**
 * What happens in this process, told to the others after the commit: changes, typing, joining. No promise rests on it. Each process
 * numbers its events and tells the number that comes next every second; who sees a hole, hears no more from a process, or could not
 * listen for a while, compares with the database. A process that hears no other one counts on and says nothing: the hole that a
 * newcomer then sees between its first beat and its first event has it compare, so it makes no difference who heard of whom first.
 */
import { randomUUID } from 'node:crypto'
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import type { Log } from '../log.ts'
import type { Kind, MessageEntity, TopicEvents, Topics } from '../topics.ts'
import { type Carrier, createLink, silenceMilliseconds } from './link.ts'
import { type Carried, formatBeat, formatFrames, formatLine, type Line, type MentionPointer, parseFrame, parseLine } from './live-frames.ts'

interface Dependencies {
  carrier: Carrier
  topics: Topics
  /** The changes of a conversation after a number, in order, as the reader may see them. */
  readChanges(
    range: { conversationId: ConversationId; afterChangeSeq: number; readerId: UserId },
    limit: number,
  ): Promise<{ type: string; message?: MessageEntity }[]>
  log: Log
}

interface Peer {
  /** The number of its next event. */
  next: number
  heardAt: number
}

/** For events that happen together to travel together. */
const gatherMilliseconds = 3
/** Of events that wait for a carrier that is slow, in characters; the hole that the others leave is noticed. */
const maximumWaiting = 8_388_608
/** While nothing can be heard: the database may be there all the same. */
const compareMilliseconds = 5_000
/** What is not understood within this time is compared at once. */
const misunderstandingMilliseconds = 1_000
/** PostgreSQL carries out the last statement of a process that was killed, within its statement timeout. */
const lastStatementMilliseconds = 31_000

export type LiveBus = Awaited<ReturnType<typeof createLiveBus>>

/** Listens when it resolves; while it cannot, it tries to. */
export async function createLiveBus({ carrier, topics, readChanges, log }: Dependencies) {
  const processId = randomUUID()
  const peers = new Map<string, Peer>()
  let next = 1
  let waiting: Line[] = []
  let waitingLength = 0
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined
  let comparedAt = 0
  let lateCompare: NodeJS.Timeout | undefined
  let misunderstanding: NodeJS.Timeout | undefined

  const compare = (): void => {
    comparedAt = performance.now()
    topics.publishStale()
  }

  const carry = <K extends Kind>(kind: K, id: TopicEvents[K]['id'], event: TopicEvents[K]['event']): void => {
    if (!isCarried(kind, event)) return
    const number = next++
    if (peers.size === 0 || waitingLength >= maximumWaiting) return
    const text = formatLine({ kind, id, event } as Carried, carrier.maximumBytes)
    if (text === undefined) return
    waiting.push({ number, text })
    waitingLength += text.length
    timer ??= setTimeout(() => void send(), gatherMilliseconds)
  }

  const send = async (): Promise<void> => {
    timer = undefined
    if (sending !== undefined) return
    sending = sendWaiting()
    await sending
    sending = undefined
  }

  const sendWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const payloads = formatFrames(processId, waiting, carrier.maximumBytes)
      waiting = []
      waitingLength = 0
      await link.send(payloads).catch((error: unknown) => log.debug({ err: error }, 'The live bus could not send; the others will compare'))
    }
  }

  const hear = (payload: string): boolean => {
    const frame = parseFrame(payload)
    if (frame === undefined) return false
    if (frame.processId === processId) return true
    for (const line of frame.lines) {
      const carried = parseLine(line, topics.isHeard)
      if (carried === 'unwanted') continue
      if (carried === 'not understood') compareSoon()
      else if (carried.kind === 'mention') void tellMention(carried.id, carried.event)
      else topics.deliver(carried.kind, carried.id, carried.event)
    }
    count(frame.processId, frame.number, frame.lines.length)
    return false
  }

  /** A process of a newer version may tell of changes that this one does not know, and of many: what they led to can be read. */
  const compareSoon = (): void => {
    misunderstanding ??= setTimeout(() => {
      misunderstanding = undefined
      compare()
    }, misunderstandingMilliseconds).unref()
  }

  /** One that has changed again meanwhile is not told any more. */
  const tellMention = async (readerId: UserId, { conversationId, changeSeq }: MentionPointer): Promise<void> => {
    const changes = await readChanges({ conversationId, afterChangeSeq: changeSeq - 1, readerId }, 1).catch(() => [])
    const [{ message } = {}] = changes
    if (message?.changeSeq === changeSeq) topics.deliver('user', readerId, { type: 'message.mentioned', message })
  }

  const count = (id: string, number: number, events: number): void => {
    const peer = peers.get(id)
    peers.set(id, { next: Math.max(peer?.next ?? 0, number + events), heardAt: performance.now() })
    if (peer === undefined) {
      log.debug({ process: id }, 'Another process is there')
      // It may not know of this one yet.
      link.beat()
    }
    if (peer === undefined || number > peer.next) compare()
  }

  const onTick = (): void => {
    const now = performance.now()
    for (const [id, { heardAt }] of peers) if (now - heardAt > silenceMilliseconds) forget(id)
    if (!link.isUp && now - comparedAt > compareMilliseconds) compare()
  }

  const forget = (id: string): void => {
    peers.delete(id)
    log.debug({ process: id }, 'Another process is silent')
    compare()
    clearTimeout(lateCompare)
    lateCompare = setTimeout(compare, lastStatementMilliseconds).unref()
  }

  const link = createLink({
    name: 'The live bus',
    carrier,
    formatBeat: () => formatBeat(processId, waiting[0]?.number ?? next),
    hear,
    onGap: compare,
    onTick,
    log,
  })
  await link.start()
  topics.carryBy(carry)

  return {
    /** Whether other processes can be reached. */
    isUp: (): boolean => link.isUp,

    /** Says what is left to say. */
    async close(): Promise<void> {
      clearTimeout(timer)
      clearTimeout(lateCompare)
      clearTimeout(misunderstanding)
      await Promise.race([Promise.resolve(sending).then(send), new Promise((resolve) => setTimeout(resolve, gatherMilliseconds * 100).unref())])
      await link.close()
    },
  }
}

/** Presence and credentials have a way of their own: see `event-bus.ts`. */
const isCarried = (kind: Kind, event: { type: string }): boolean => kind === 'conversation' || (kind === 'user' && event.type !== 'presence.changed')
