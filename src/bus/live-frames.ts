/**
 * What the live bus carries, as text: a head of `parley1 <process> <number>`, and under it one line for each event, numbered on from
 * there: its topic, and the event as JSON. A head alone is a beat: it tells the number of the next event. Lines are told apart, and
 * found to be of no interest, without parsing them.
 */

import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import { parseConversation, parseMember, parseMessage } from '../db/json.ts'
import type { Advanced, Kind, PresenceChanged, TopicEvents } from '../topics.ts'

type CarriedKind = Exclude<Kind, 'credential'>

export interface Carried<K extends CarriedKind = CarriedKind> {
  kind: K
  id: TopicEvents[K]['id']
  event: TopicEvents[K]['event']
}

/** A mention whose message has to be read. */
export interface MentionPointer {
  type: 'mentioned'
  conversationId: ConversationId
  changeSeq: number
}

interface CarriedMention {
  kind: 'mention'
  id: UserId
  event: MentionPointer
}

/** An event, written. */
export interface Line {
  number: number
  text: string
}

export interface LiveFrame {
  processId: string
  /** Of the first line; of the next event where there is none. */
  number: number
  lines: string[]
}

const header = /^parley1 ([0-9a-f-]{36}) (\d{1,15})$/
const line = /^(conversation|user) ([0-9a-f-]{36}) (.+)$/s

export const formatBeat = (processId: string, number: number): string => `parley1 ${processId} ${number}`

/** As few payloads as hold them. */
export function formatFrames(processId: string, lines: readonly Line[], maximumBytes: number): string[] {
  const payloads: string[] = []
  let payload = ''
  let bytes = 0
  let next = -1
  for (const { number, text } of lines) {
    const textBytes = Buffer.byteLength(text) + 1
    if (number !== next || bytes + textBytes > maximumBytes) {
      if (payload !== '') payloads.push(payload)
      payload = formatBeat(processId, number)
      bytes = payload.length
    }
    payload += `\n${text}`
    bytes += textBytes
    next = number + 1
  }
  return payload === '' ? payloads : [...payloads, payload]
}

/** Of the process, the number and what is between them. */
const headBytes = formatBeat(''.padEnd(36), Number.MAX_SAFE_INTEGER).length + 1

/** What is too large for a payload of its own is told by its number alone. Undefined for what cannot be told: the hole in the numbers tells that there was something. */
export function formatLine({ kind, id, event }: Carried, maximumBytes: number): string | undefined {
  const limit = maximumBytes - headBytes
  const text = `${kind} ${id} ${JSON.stringify(event)}`
  if (Buffer.byteLength(text) <= limit) return text
  const pointer = pointerOf(event)
  return pointer && `${kind} ${id} ${JSON.stringify(pointer)}`
}

function pointerOf(event: Carried['event']): Advanced | MentionPointer | undefined {
  if (event.type === 'message.mentioned') return { type: 'mentioned', conversationId: event.message.conversationId, changeSeq: event.message.changeSeq }
  return 'changeSeq' in event ? { type: 'advanced', conversationId: event.conversationId, changeSeq: event.changeSeq } : undefined
}

/** Undefined for what is not ours: anybody may write to where the bus is. */
export function parseFrame(payload: string): LiveFrame | undefined {
  const [head = '', ...lines] = payload.split('\n')
  const [, processId, number] = header.exec(head) ?? []
  return processId === undefined ? undefined : { processId, number: Number(number), lines }
}

/** What nobody wants is not looked at. */
export function parseLine(text: string, isWanted: (kind: CarriedKind, id: string) => boolean): Carried | CarriedMention | 'unwanted' | 'not understood' {
  const [, kind, id, json = ''] = line.exec(text) ?? []
  if ((kind !== 'conversation' && kind !== 'user') || id === undefined || !isWanted(kind, id)) return 'unwanted'
  try {
    const event = JSON.parse(json)
    if (!isUnderstood(kind, event) || (kind === 'conversation' && event.conversationId !== id)) return 'not understood'
    return { kind: event.type === 'mentioned' ? 'mention' : kind, id, event: revive(event) } as Carried | CarriedMention
  } catch {
    return 'not understood'
  }
}

/** What an event of each type is nothing without. */
const needs: { [K in CarriedKind]: Readonly<Record<string, readonly string[]>> } = {
  conversation: {
    'message.created': ['changeSeq', 'message'],
    'message.updated': ['changeSeq', 'message'],
    'message.deleted': ['changeSeq', 'message'],
    'conversation.updated': ['changeSeq', 'conversation'],
    'member.joined': ['changeSeq', 'member'],
    'member.updated': ['changeSeq', 'member'],
    'member.left': ['changeSeq', 'userId'],
    read: ['changeSeq', 'userId', 'readSeq', 'readRanges'],
    delivered: ['changeSeq', 'userId', 'deliveredSeq'],
    'membership.updated': ['changeSeq', 'userId', 'muted', 'pinned'],
    typing: ['userId', 'typing'],
    advanced: ['changeSeq'],
  } satisfies Record<TopicEvents['conversation']['event']['type'], string[]>,
  user: {
    'conversation.joined': ['conversationId', 'afterChangeSeq', 'firstSeq'],
    'message.mentioned': ['message'],
    mentioned: ['conversationId', 'changeSeq'],
  } satisfies Record<Exclude<TopicEvents['user']['event'] | MentionPointer, PresenceChanged>['type'], string[]>,
}

/** A process of another version may say what this one does not know. */
function isUnderstood(kind: CarriedKind, event: Record<string, never>): boolean {
  const { type } = event
  if (typeof type !== 'string' || !Object.hasOwn(needs[kind], type)) return false
  return needs[kind][type]?.every((name) => (name.endsWith('Seq') ? Number.isSafeInteger(event[name]) : (event[name] ?? undefined) !== undefined)) ?? false
}

/** With its times as such. */
function revive(event: Record<string, never>): object {
  return {
    ...event,
    ...(event.message !== undefined && { message: parseMessage(event.message) }),
    ...(event.conversation !== undefined && { conversation: parseConversation(event.conversation) }),
    ...(event.member !== undefined && { member: parseMember(event.member) }),
  }
}
