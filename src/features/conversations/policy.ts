/** What each role may do in a group. Direct conversations have two members who are equals, no title, and nobody leaves. */
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { UserId } from '../../../openapi/shared/ids.ts'

type Act = 'update' | 'addMembers' | 'updateMember'

const allowed: Record<Act, readonly MemberRole[]> = {
  update: ['owner', 'admin'],
  addMembers: ['owner', 'admin'],
  updateMember: ['owner'],
}

export const mayDo = (role: MemberRole, act: Act): boolean => allowed[act].includes(role)

/** Owners remove anybody, admins remove members. Leaving is always allowed and is not asked here. */
export const mayRemove = (role: MemberRole, target: MemberRole): boolean => role === 'owner' || (role === 'admin' && target === 'member')

/** What makes the direct conversation of a pair the only one. */
export const directKeyOf = (one: UserId, other: UserId): string => [one, other].sort().join(' ')

/** Said to whoever was blocked by the other one of a direct conversation, or by somebody whom they bring into a group. */
export const cannotWrite = 'You cannot write to this user.'
