import type { ConversationState, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationRow } from '../../db/schema/conversations.ts'
import type { MemberEntity } from '../../topics.ts'
import { serializeUserSummary } from '../users/serialize.ts'

export const serializeMember = ({ user, role, readSeq, joinedAt }: MemberEntity): Member => ({
  user: serializeUserSummary(user),
  role,
  readSeq,
  joinedAt: joinedAt.toISOString(),
})

export const serializeConversationState = ({ id, type, title, createdBy, createdAt }: ConversationRow): ConversationState => ({
  id,
  type,
  title,
  createdBy,
  createdAt: createdAt.toISOString(),
})
