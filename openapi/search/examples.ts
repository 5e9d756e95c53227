import { conversationId, messageExample } from '../messages/examples.ts'
import type { ExcerptPart, FoundConversation, FoundMessage } from './schemas.ts'

const excerpt = [
  { text: 'Shall we meet at ', marked: false },
  { text: 'noon', marked: true },
  { text: '?', marked: false },
] satisfies ExcerptPart[]

export const foundMessageExample = {
  message: messageExample,
  conversation: { id: conversationId, type: 'group', title: 'Lunch' },
  excerpt,
  relevanceScore: 0.5,
} satisfies Record<keyof FoundMessage, unknown>

export const foundConversationExample = {
  conversation: { id: conversationId, type: 'group', title: 'Lunch', status: 'active', otherMember: null },
  matchedField: 'message',
  excerpt,
  relevanceScore: 0.4,
  messageCount: 41,
  lastActivity: messageExample.createdAt,
  matchedMessage: messageExample,
} satisfies Record<keyof FoundConversation, unknown>
