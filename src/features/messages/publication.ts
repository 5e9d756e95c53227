/** What is told of messages after the commit. */

import { asSeenFrom } from '../../message-visibility.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { Mentioned, Written } from './completion.ts'
import type { MessageChange } from './locked-messages.ts'
import type { Unread } from './writer.ts'

/** For a message that an earlier send had stored, too: its answer may have been lost, and this process may not know of it. */
export function publishStored(topics: Pick<Topics, 'publish'>, stored: Written | Unread): void {
  const { message, created } = stored
  const { conversationId, changeSeq } = message
  if ('error' in stored) return topics.publish('conversation', conversationId, { type: 'advanced', conversationId, changeSeq })
  topics.publish('conversation', conversationId, { type: 'message.created', conversationId, changeSeq, message })
  if (created) publishMentions(topics, message, stored.mentioned)
}

export function publishChanges(topics: Pick<Topics, 'publish'>, changes: readonly MessageChange[]): void {
  for (const change of changes) topics.publish('conversation', change.conversationId, change)
}

export function publishMentions(topics: Pick<Topics, 'publish'>, message: MessageEntity, mentioned: readonly Mentioned[]): void {
  for (const { userId, firstSeq } of mentioned) topics.publish('user', userId, { type: 'message.mentioned', message: asSeenFrom(firstSeq, message) })
}
