/**
 * What each role may do in a group, all in one table. In a direct conversation two equals may change what stands in `directFields`, nobody is
 * added and nobody leaves. What is not asked here is open to every member: reading, writing, marking, muting, leaving.
 */
import { createHash } from 'node:crypto'
import type { MemberRole } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import { invalidField } from '../../errors/app-error.ts'
import type { SettingsChange } from './locked-row.ts'

const leading: readonly MemberRole[] = ['owner', 'admin']

export const permissions = {
  update: leading,
  archive: leading,
  addMembers: leading,
  removeMember: leading,
  removeAdmin: ['owner'],
  removeOwner: ['owner'],
  updateMember: ['owner'],
  /** Members too, in a group that allows it. */
  invite: leading,
  /** Invites that somebody else has made; everybody may revoke their own. */
  manageInvites: leading,
  /** Messages that somebody else has sent; everybody may delete their own. */
  deleteMessages: leading,
} as const satisfies Record<string, readonly MemberRole[]>

export type Act = keyof typeof permissions

export const mayDo = (role: MemberRole, act: Act): boolean => permissions[act].some((allowed) => allowed === role)

const removals = { owner: 'removeOwner', admin: 'removeAdmin', member: 'removeMember' } as const satisfies Record<MemberRole, Act>

/** Leaving is no removal and is not asked here. */
export const mayRemove = (role: MemberRole, target: MemberRole): boolean => mayDo(role, removals[target])

/** Whoever may make them at this moment; what they have made ends when they may not any more. */
export const mayInvite = (role: MemberRole, { allowInvites }: { allowInvites: boolean }): boolean => allowInvites || mayDo(role, 'invite')

/** What either of the two may change about a direct conversation; all else is for groups. */
const directFields: readonly string[] = ['status', 'summary', 'tags', 'metadata']

/** @throws `validation_error` for what is for groups */
export function requireDirectFields(given: SettingsChange): void {
  const wrong = Object.entries(given).find(([field, value]) => value !== undefined && !directFields.includes(field))
  if (wrong !== undefined) throw invalidField(`body.${wrong[0]}`, 'is for groups only')
}

/** What makes the direct conversation of a pair the only one. */
export const directKeyOf = (one: UserId, other: UserId): string => [one, other].sort().join(' ')

/** The `clientId` of a first message; whatever the creation is called, it is one too. */
export const firstMessageKey = (conversationId: ConversationId, clientId: string): string =>
  `first-message:${createHash('sha256').update(`${conversationId} ${clientId}`).digest('base64url')}`

/** Said to whoever was blocked by the other one of a direct conversation, or by somebody whom they bring into a group. */
export const cannotWrite = 'You cannot write to this user.'

/** Said to whoever writes where nothing is written any more. */
export const canOnlyRead = 'This conversation is archived or closed: it can only be read.'
