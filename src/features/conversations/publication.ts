import type { Topics } from '../../topics.ts'
import type { LockedConversation } from './locked-conversation.ts'

/** Who joins follows the conversation before its changes are told. */
export function publishConversation(topics: Topics, { state, changes }: LockedConversation): void {
  const afterChangeSeq = (changes[0]?.changeSeq ?? 1) - 1
  for (const change of changes) {
    if (change.type !== 'member.joined') continue
    const { userId, firstSeq } = change.member
    topics.publish('user', userId, { type: 'conversation.joined', conversationId: state.id, afterChangeSeq, firstSeq })
  }
  for (const change of changes) topics.publish('conversation', state.id, change)
}
