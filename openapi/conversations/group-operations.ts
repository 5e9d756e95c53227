import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { conversationId } from '../messages/examples.ts'
import { ConversationId, ConversationParams, InviteId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { storableText } from '../shared/scalars.ts'
import { ids } from '../users/examples.ts'
import { conversationExample, conversationState } from './examples.ts'
import { CreateInviteRequest, Invite, InviteCode, InvitePreview, InviteResult, PublicGroup } from './group-schemas.ts'
import { ConversationResult } from './schemas.ts'

const CodeParams = Type.Object({ code: InviteCode })

const conversationResult = { conversation: conversationExample }
const { title, description, tags, createdAt } = conversationState
const expiresAt = '2026-11-27T09:00:00.000Z'

const inviteExample = {
  id: '01890a5d-ac96-774b-bcce-b302099a8061',
  code: 'q3JkV0m8T1yZx5wR7nLbCe2h',
  createdBy: ids.alice,
  createdAt,
  expiresAt,
  maxUses: 5,
  uses: 2,
}

export const createInvite = defineOperation({
  operationId: 'conversations.createInvite',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/invites',
  summary: 'Make an invite to a group',
  description:
    'Whoever has its code may join. For owners and admins, and for every member of a group that says so (`allowInvites`); at most 100 at a time. It ends for good when you may not invite any more.',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  body: ref(CreateInviteRequest),
  examples: { any: { expiresInSeconds: 604_800, maxUses: 5 } },
  responses: { 201: { description: 'The invite', body: ref(InviteResult), example: { invite: { ...inviteExample, uses: 0 } } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const listInvites = defineOperation({
  operationId: 'conversations.listInvites',
  method: 'GET',
  path: '/v1/conversations/{conversationId}/invites',
  summary: 'List invites to a group',
  description: 'Those that work, the latest first: owners and admins see all, other members their own where they may invite.',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  query: Type.Object({ cursor: Type.Optional(Cursor), limit: limit(100, 20) }),
  responses: { 200: { description: 'A page of invites', body: page(ref(Invite)), example: { items: [inviteExample], nextCursor: null, hasMore: false } } },
  errors: ['not_found', 'forbidden'],
})

export const revokeInvite = defineOperation({
  operationId: 'conversations.revokeInvite',
  method: 'DELETE',
  path: '/v1/conversations/{conversationId}/invites/{inviteId}',
  summary: 'Revoke an invite',
  description: 'Your own, or as owner or admin anybody’s. Revoking one that is not there succeeds.',
  access: 'user',
  rateLimit: 'default',
  params: Type.Object({ conversationId: ConversationId, inviteId: InviteId }),
  responses: { 204: { description: 'It lets nobody in, or not any more' } },
  errors: ['not_found', 'forbidden'],
})

export const getInvite = defineOperation({
  operationId: 'conversations.getInvite',
  method: 'GET',
  path: '/v1/invites/{code}',
  summary: 'See what an invite leads to',
  description:
    'One that has expired, is used up or revoked, whose maker has left or may not invite any more, or whose group is archived or closed, is `not_found`.',
  access: 'user',
  rateLimit: 'default',
  params: CodeParams,
  responses: { 200: { description: 'The group', body: ref(InvitePreview), example: { title, description, memberCount: 2, expiresAt } } },
  errors: ['not_found'],
})

export const acceptInvite = defineOperation({
  operationId: 'conversations.acceptInvite',
  method: 'POST',
  path: '/v1/invites/{code}/accept',
  summary: 'Join a group by an invite',
  description: 'A member already stays as they are, and no use is counted. What `conversations.getInvite` does not find lets nobody in.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: CodeParams,
  responses: { 200: { description: 'The group, of which you are a member', body: ref(ConversationResult), example: conversationResult } },
  errors: ['not_found'],
})

export const listPublic = defineOperation({
  operationId: 'conversations.listPublic',
  method: 'GET',
  path: '/v1/conversations/public',
  summary: 'List public groups',
  description:
    'Groups that everybody may join, the newest first. For one page 1,000 groups are looked at, so a page may hold fewer than `limit`, or none, and `hasMore` still be true.',
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({
    search: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, pattern: storableText, description: 'What title, description or a tag contains, whatever its letter case' }),
    ),
    cursor: Type.Optional(Cursor),
    limit: limit(100, 20),
  }),
  responses: {
    200: {
      description: 'A page of groups',
      body: page(ref(PublicGroup)),
      example: {
        items: [{ id: conversationId, title, description, tags, memberCount: 2, createdAt, updatedAt: createdAt }],
        nextCursor: null,
        hasMore: false,
      },
    },
  },
  errors: [],
})

export const join = defineOperation({
  operationId: 'conversations.join',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/join',
  summary: 'Join a public group',
  description: 'A member already stays as they are. What is private, archived or closed is `not_found` to whoever is no member.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  responses: { 200: { description: 'The group, of which you are a member', body: ref(ConversationResult), example: conversationResult } },
  errors: ['not_found'],
})
