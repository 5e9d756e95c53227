import { bobSummary, ids } from '../users/examples.ts'
import type { Message, MessageVersion, UserReaction } from './schemas.ts'

export const conversationId = '0193a1b2-0000-7000-8000-0000000000c1'

export const messageExample = {
  id: '0193a1b2-0000-7000-8000-0000000000a1',
  conversationId,
  seq: 41,
  changeSeq: 57,
  senderId: ids.alice,
  type: 'text',
  content: 'Shall we meet at noon?',
  clientId: 'b2c1f0de-1',
  metadata: {},
  replyTo: null,
  mentions: [],
  attachments: [],
  reactions: [],
  createdAt: '2026-11-20T10:00:00.000Z',
  editedAt: null,
  deletedAt: null,
} satisfies Record<keyof Message, unknown>

export const versionExample = {
  version: 1,
  content: messageExample.content,
  metadata: {},
  mentions: [],
  createdAt: messageExample.createdAt,
} satisfies Record<keyof MessageVersion, unknown>

export const reactionExample = { emoji: '👍', user: bobSummary, createdAt: '2026-11-20T10:01:00.000Z' } satisfies Record<keyof UserReaction, unknown>
