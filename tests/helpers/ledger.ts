/** Holds what was acknowledged, what is stored and what a listener was told against one another. Each finding is a sentence. */
import type { Message, Parley } from '@parley/sdk'
import type { Realtime } from '@parley/sdk/realtime'
import type { Acknowledged, AcknowledgedMark } from './traffic.ts'

/** All messages of a conversation, oldest first. */
export async function readAll(api: Parley, conversationId: string): Promise<Message[]> {
  const messages: Message[] = []
  for await (const message of api.messages.list(conversationId, { limit: 100 })) messages.push(message)
  return messages.reverse()
}

/** Every message that the connection emits from now on, by conversation. */
export function recordMessages(realtime: Realtime) {
  const received = new Map<string, Message[]>()
  realtime.on('message.created', ({ conversationId, data: { message } }) => {
    const messages = received.get(conversationId)
    if (messages === undefined) received.set(conversationId, [message])
    else messages.push(message)
  })
  return { of: (conversationId: string): Message[] => received.get(conversationId) ?? [] }
}

/** What is wrong with the messages stored in a conversation, given every acknowledgement of it. */
export function auditStored(stored: Message[], acknowledged: Acknowledged[]): string[] {
  const byId = new Map(stored.map((message) => [message.id, message]))
  const acknowledgedIds = new Set(acknowledged.map(({ message }) => message.id))
  return [
    ...stored.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`message ${index + 1} has seq ${seq}`])),
    ...acknowledged.flatMap(({ message, lane, number }) => {
      const kept = byId.get(message.id)
      if (kept === undefined) return [`${lane} ${number} was acknowledged as ${message.seq} and is lost`]
      return kept.seq === message.seq && kept.content === message.content
        ? []
        : [`${lane} ${number} was acknowledged as ${message.seq} and is stored as ${kept.seq}`]
    }),
    ...repeated(acknowledged.map(({ message }) => message.id)).map((id) => `${id} was acknowledged for two messages`),
    ...repeated(stored.map(({ clientId }) => clientId)).map((clientId) => `${clientId} is stored twice`),
    ...stored.flatMap(({ id, content }) => (acknowledgedIds.has(id) ? [] : [`${content} is stored, and was not acknowledged`])),
    ...disordered(acknowledged),
  ]
}

/** What is wrong with the messages that a listener was told, given those that are stored. */
export function auditReceived(received: Message[], stored: Message[]): string[] {
  const length = Math.max(received.length, stored.length)
  const index = Array.from({ length }).findIndex((_, at) => received[at]?.id !== stored[at]?.id)
  if (index === -1) return []
  return [`received ${received.length} of ${stored.length}; at ${index + 1} came seq ${received[index]?.seq} where ${stored[index]?.seq} is stored`]
}

/** What is wrong with what members have unread, given the messages that are stored and the marks that were acknowledged. */
export async function auditUnread(
  people: readonly { name: string; api: Parley }[],
  conversationId: string,
  stored: readonly Message[],
  marks: readonly AcknowledgedMark[],
): Promise<string[]> {
  const findings: string[] = []
  for (const { name, api } of people) {
    const { conversation } = await api.conversations.get(conversationId)
    const { readSeq, readRanges, unreadCount } = conversation
    const marked = Math.max(0, ...marks.filter((mark) => mark.name === name && mark.conversationId === conversationId).map((mark) => mark.readSeq))
    if (readSeq < marked) findings.push(`${name} has marked up to ${marked}, and the mark stands at ${readSeq}`)
    const isRead = (seq: number) => seq <= readSeq || readRanges.some(([first = 0, last = 0]) => seq >= first && seq <= last)
    const unread = stored.filter(({ seq, deletedAt }) => deletedAt === null && !isRead(seq)).length
    if (unread !== unreadCount) findings.push(`${name} has ${unread} messages unread, and ${unreadCount} are counted`)
  }
  return findings
}

/** A sender's later message has the higher number. */
function disordered(acknowledged: Acknowledged[]): string[] {
  const last = new Map<string, Acknowledged>()
  const findings: string[] = []
  for (const next of acknowledged.toSorted((a, b) => a.message.seq - b.message.seq)) {
    const before = last.get(next.lane)
    if ((before?.number ?? 0) + 1 !== next.number) findings.push(`${next.lane} ${next.number} follows ${before?.number}`)
    last.set(next.lane, next)
  }
  return findings
}

function repeated<T>(values: T[]): T[] {
  const seen = new Set<T>()
  return values.filter((value) => seen.has(value) || !seen.add(value))
}
