import { withClientId } from '../api-call.ts'
import { ParleyError } from '../errors.ts'
import type { Message, SendMessageRequest, SendMessageResult } from '../generated/types.ts'
import type { Commands } from './commands.ts'

/**
 * Messages on their way: one after another within a conversation, so that they are stored in the order in which they were sent.
 * @param limit of messages that wait
 */
export function createOutbox(commands: Commands, limit: number) {
  const last = new Map<string, Promise<unknown>>()
  let size = 0

  return async function send(conversationId: string, body: SendMessageRequest): Promise<Message> {
    if (size >= limit) throw new ParleyError({ code: 'outbox_full', message: `${limit} messages are waiting to be sent` })
    size++
    const data = { conversationId, ...withClientId(body) }
    const before = last.get(conversationId)
    const sent = (before ?? Promise.resolve()).then(() => commands.send('conversations.sendMessage', data, isSendResult))
    const settled = sent.catch(() => {})
    last.set(conversationId, settled)
    try {
      return (await sent).message
    } finally {
      size--
      if (last.get(conversationId) === settled) last.delete(conversationId)
    }
  }
}

const isSendResult = (data: unknown): data is SendMessageResult => typeof data === 'object' && data !== null && 'message' in data
