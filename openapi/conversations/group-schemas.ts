/** What leads into groups: invite links, and groups that everybody finds. */
import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, ref } from '../contract.ts'
import { ConversationId, InviteId, UserId } from '../shared/ids.ts'
import { Count, Timestamp } from '../shared/scalars.ts'

export const InviteCode = Type.String({
  minLength: 16,
  maxLength: 64,
  pattern: '^[A-Za-z0-9_-]{16,64}$',
  description: 'The secret of an invite: whoever has it may join',
})

const shared = {
  title: nullable(Type.String({ description: 'What the group is called; null where nobody said' })),
  description: nullable(Type.String({ description: 'What the group is for; null where nobody said' })),
  memberCount: described(Count, 'How many members it has'),
  expiresAt: nullable(described(Timestamp, 'Until when it lets somebody in: ISO 8601, UTC; null: without end')),
}

export const Invite = component(
  'Invite',
  Type.Object(
    {
      id: InviteId,
      code: Type.String({ description: 'What `conversations.acceptInvite` takes; put it into a link of yours' }),
      createdBy: described(UserId, 'Who made it'),
      createdAt: described(Timestamp, 'When it was made: ISO 8601, UTC, milliseconds'),
      expiresAt: shared.expiresAt,
      maxUses: nullable(Type.Integer({ minimum: 1, description: 'How many may join by it; null: any number' })),
      uses: described(Count, 'How many have joined by it'),
    },
    {
      description:
        'An invite to a group: it works, while the group is active, until it expires, is used up or revoked; it ends for good when whoever made it leaves or may not invite any more',
    },
  ),
)
export type Invite = Static<typeof Invite>

export const InviteResult = component(
  'InviteResult',
  Type.Object({ invite: described(ref(Invite), 'What was made') }, { description: 'An invite that was made' }),
)
export type InviteResult = Static<typeof InviteResult>

export const CreateInviteRequest = component(
  'CreateInviteRequest',
  closed(
    {
      expiresInSeconds: Type.Optional(
        nullable(
          Type.Integer({ minimum: 60, maximum: 31_536_000, default: 604_800, description: 'A minute to a year; a week when left out; null: without end' }),
        ),
      ),
      maxUses: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'How many may join by it; any number when left out' })),
    },
    { description: 'An invite to make' },
  ),
)

export const InvitePreview = component(
  'InvitePreview',
  Type.Object(
    { title: shared.title, description: shared.description, memberCount: shared.memberCount, expiresAt: shared.expiresAt },
    { description: 'What one sees of a group before one accepts an invite to it' },
  ),
)
export type InvitePreview = Static<typeof InvitePreview>

export const PublicGroup = component(
  'PublicGroup',
  Type.Object(
    {
      id: ConversationId,
      title: shared.title,
      description: shared.description,
      tags: Type.Array(Type.String(), { description: 'Words that its owners and admins have given it' }),
      memberCount: shared.memberCount,
      createdAt: described(Timestamp, 'When it was created: ISO 8601, UTC, milliseconds'),
      updatedAt: described(Timestamp, 'When there was last a message, or a change of the group or its members'),
    },
    { description: 'A group that everybody may join' },
  ),
)
export type PublicGroup = Static<typeof PublicGroup>
