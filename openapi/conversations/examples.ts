import { conversationId, messageExample } from '../messages/examples.ts'
import { aliceSummary, bobSummary, ids } from '../users/examples.ts'
import type { Conversation, ConversationState, Member } from './schemas.ts'

const createdAt = '2026-11-20T09:00:00.000Z'

export const memberExample = { user: bobSummary, role: 'member', readSeq: 40, deliveredSeq: 41, joinedAt: createdAt } satisfies Record<keyof Member, unknown>

export const conversationState = {
  id: conversationId,
  type: 'group',
  title: 'Lunch',
  description: 'Where we go at noon',
  summary: null,
  status: 'active',
  tags: ['food'],
  metadata: {},
  isPrivate: true,
  allowInvites: false,
  historyVisibility: 'all',
  messageRetentionDays: null,
  firstSeq: 1,
  createdBy: ids.alice,
  createdAt,
} satisfies Record<keyof ConversationState, unknown>

export const conversationExample = {
  ...conversationState,
  role: 'owner',
  memberCount: 2,
  members: [{ user: aliceSummary, role: 'owner', readSeq: 41, deliveredSeq: 41, joinedAt: createdAt }, memberExample],
  lastMessage: messageExample,
  lastSeq: 41,
  messageCount: 41,
  changeSeq: 57,
  readSeq: 41,
  readRanges: [],
  muted: false,
  pinned: false,
  unreadCount: 0,
  updatedAt: messageExample.createdAt,
} satisfies Record<keyof Conversation, unknown>
