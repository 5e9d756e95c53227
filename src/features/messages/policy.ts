/** Who may do what with a message that they can see. Whoever is no member, or whose membership began after it, sees none. */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { ConversationRow, MemberRow } from '../../db/schema/conversations.ts'
import type { MessageRow } from '../../db/schema/messages.ts'
import { AppError } from '../../errors/app-error.ts'
import { cannotWrite, canOnlyRead, mayDo } from '../conversations/service.ts'

export const canSee = (member: Pick<MemberRow, 'firstSeq'>, { seq }: Pick<MessageRow, 'seq'>): boolean => seq >= member.firstSeq

export const mayEdit = (userId: UserId, { senderId }: Pick<MessageRow, 'senderId'>): boolean => senderId === userId

/** Its sender; in a group its owners and admins too. */
export const mayDelete = ({ userId, role }: Pick<MemberRow, 'userId' | 'role'>, { senderId }: MessageRow, { type }: Pick<ConversationRow, 'type'>): boolean =>
  senderId === userId || (type === 'group' && mayDo(role, 'deleteMessages'))

/** What is true of every change but taking something back. @throws `forbidden` for whoever is blocked, `conflict` when there is nothing to change any more */
export function requireChangeable({ status }: Pick<ConversationRow, 'status'>, { blocked }: Pick<MemberRow, 'blocked'>, { deletedAt }: MessageRow): void {
  if (blocked) throw new AppError('forbidden', cannotWrite)
  if (status !== 'active') throw new AppError('conflict', canOnlyRead)
  if (deletedAt !== null) throw new AppError('conflict', 'This message is deleted.')
}
