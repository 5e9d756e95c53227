/** What is told of messages after the commit. */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { MessageEntity, Topics } from '../../topics.ts'
import type { Written } from './insertion.ts'
import type { MessageChange } from './locked-messages.ts'

/** For a message that an earlier send had stored, too: its answer may have been lost, and this process may not know of it. */
export function publishStored(topics: Pick<Topics, 'publish'>, { message, created }: Written): void {
  const { conversationId, changeSeq } = message
  topics.publish('conversation', conversationId, { type: 'message.created', conversationId, changeSeq, message })
  if (created) publishMentions(topics, message, message.mentions)
}

export function publishChanges(topics: Pick<Topics, 'publish'>, changes: readonly MessageChange[]): void {
  for (const change of changes) topics.publish('conversation', change.conversationId, change)
}

/** Nobody has to be told that they mentioned themselves. */
export function publishMentions(topics: Pick<Topics, 'publish'>, message: MessageEntity, userIds: readonly UserId[]): void {
  for (const userId of userIds) if (userId !== message.senderId) topics.publish('user', userId, { type: 'message.mentioned', message })
}
