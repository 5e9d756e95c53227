/** What is told of messages after the commit. */

import { asSeenFrom } from '../../message-visibility.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { Mentioned, Written } from './completion.ts'
import type { MessageChange } from './locked-messages.ts'
import type { Incomplete } from './writer.ts'

/**
 * Of a message that an earlier send had stored the number is told: that answer may have been lost, and this process may not know of it; and what
 * has become of it since is for those to read who have not heard so far.
 */
export function publishStored(topics: Pick<Topics, 'publish'>, stored: Written | Incomplete): void {
  const { message, created } = stored
  const { conversationId, changeSeq } = message
  if (!created || 'error' in stored) return topics.publish('conversation', conversationId, { type: 'advanced', conversationId, changeSeq })
  topics.publish('conversation', conversationId, { type: 'message.created', conversationId, changeSeq, message })
  publishMentions(topics, message, stored.mentioned)
}

export function publishChanges(topics: Pick<Topics, 'publish'>, changes: readonly MessageChange[]): void {
  for (const change of changes) topics.publish('conversation', change.conversationId, change)
}

export function publishMentions(topics: Pick<Topics, 'publish'>, message: MessageEntity, mentioned: readonly Mentioned[]): void {
  for (const { userId, firstSeq } of mentioned) topics.publish('user', userId, { type: 'message.mentioned', message: asSeenFrom(firstSeq, message) })
}
