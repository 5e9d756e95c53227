import type { Invite, InvitePreview } from '../../../openapi/conversations/group-schemas.ts'
import type { ConversationState, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationRow, InviteRow } from '../../db/schema/conversations.ts'
import type { MemberEntity } from '../../topics.ts'
import { serializeUserSummary } from '../users/serialize.ts'
import type { InvitedGroup } from './invite-repository.ts'

export const serializeMember = ({ user, role, readSeq, deliveredSeq, joinedAt }: MemberEntity): Member => ({
  user: serializeUserSummary(user),
  role,
  readSeq,
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

export const serializeInvite = ({ id, code, createdBy, createdAt, expiresAt, maxUses, uses }: InviteRow): Invite => ({
  id,
  code,
  createdBy,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  maxUses,
  uses,
})

export const serializeInvitePreview = ({ title, description, memberCount, expiresAt }: InvitedGroup): InvitePreview => ({
  title,
  description,
  memberCount,
  expiresAt: expiresAt?.toISOString() ?? null,
})
