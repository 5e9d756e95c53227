import type { ConversationState, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationRow } from '../../db/schema/conversations.ts'
import type { MemberEntity } from '../../topics.ts'
import { serializeUserSummary } from '../users/serialize.ts'

export const serializeMember = ({ user, role, readSeq, readRanges, deliveredSeq, joinedAt }: MemberEntity): Member => ({
  user: serializeUserSummary(user),
  role,
  readSeq,
  readRanges,
  deliveredSeq,
  joinedAt: joinedAt.toISOString(),
})

export const serializeConversationState = (row: ConversationRow): ConversationState => ({
  id: row.id,
  type: row.type,
  title: row.title,
  description: row.description,
  summary: row.summary,
  status: row.status,
  tags: row.tags,
  metadata: row.metadata,
  isPrivate: row.isPrivate,
  allowInvites: row.allowInvites,
  historyVisibility: row.historyVisibility,
  messageRetentionDays: row.messageRetentionDays,
  firstSeq: row.firstSeq,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
})
