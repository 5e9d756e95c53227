import { Type } from '@sinclair/typebox'
import { defineOperation, described, oneOfWords, ref } from '../contract.ts'
import { ConversationId, ConversationParams, UserId } from '../shared/ids.ts'
import { Cursor, countedPage, limit, page, paginationHeaders } from '../shared/pagination.ts'
import { storableText } from '../shared/scalars.ts'
import { ids } from '../users/examples.ts'
import { conversationExample, memberExample } from './examples.ts'
import {
  AddMembersRequest,
  AddMembersResult,
  Conversation,
  ConversationResult,
  ConversationStatus,
  ConversationType,
  CreateConversationRequest,
  Member,
  Membership,
  SetTypingRequest,
  UpdateConversationRequest,
  UpdateMemberRequest,
  UpdateMembershipRequest,
} from './schemas.ts'

const MemberParams = Type.Object({ conversationId: ConversationId, userId: UserId })
const PageQuery = Type.Object({ cursor: Type.Optional(Cursor), limit: limit(100, 20) })

const ListQuery = Type.Object({
  status: Type.Optional(described(ConversationStatus, 'Only these; those that are active or closed when left out')),
  type: Type.Optional(ConversationType),
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      pattern: storableText,
      description: 'What titles and summaries contain, or the name of the other one of a direct conversation, whatever its letter case',
    }),
  ),
  muted: Type.Optional(Type.Boolean({ description: 'Only those that you have muted, or only those that you have not' })),
  unread: Type.Optional(Type.Boolean({ description: 'Only those with something that you have not read, or only those without' })),
  pinnedFirst: Type.Optional(Type.Boolean({ description: 'Whether those that you have pinned come before all others' })),
  sortBy: Type.Optional(oneOfWords(['updatedAt', 'createdAt'], { description: 'When there was last a message or a change, as usual; or when it was created' })),
  sortOrder: Type.Optional(oneOfWords(['desc', 'asc'], { description: '`desc`: the latest first, as usual' })),
  cursor: Type.Optional(Cursor),
  page: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: 'Which page, from 1 on, instead of a `cursor`, which skips none when others come or go' }),
  ),
  limit: limit(100, 20),
  includeTotal: Type.Optional(Type.Boolean({ description: 'Whether to count those that fit, up to 10,000: as `total`, and in headers' })),
})

const conversationResult = { conversation: conversationExample }

export const createConversation = defineOperation({
  operationId: 'conversations.create',
  method: 'POST',
  path: '/v1/conversations',
  summary: 'Create a conversation',
  description:
    'Two people have one direct conversation: creating it again returns it as it is with status 200, also when both do it at once; it is `forbidden` to begin one, or to create a group, with somebody who has blocked you. A group is created once per `clientId` (or `Idempotency-Key` header), for as long as it is there. With an `initialMessage` a retry that bears the same `clientId` does what is left to do: neither the conversation nor the message comes twice. In a direct conversation a message that was not sent before reopens what is archived or closed; in a group that is archived or closed it is a `conflict`.',
  access: 'user',
  rateLimit: 'default',
  idempotent: true,
  body: ref(CreateConversationRequest),
  examples: {
    direct: { type: 'direct', memberIds: [ids.bob] },
    group: { type: 'group', memberIds: [ids.bob], title: 'Lunch', tags: ['food'], initialMessage: { content: 'Where do we go?' } },
  },
  responses: {
    201: { description: 'Created', body: ref(ConversationResult), example: conversationResult },
    200: { description: 'It was there already', body: ref(ConversationResult), example: conversationResult },
  },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const listConversations = defineOperation({
  operationId: 'conversations.list',
  method: 'GET',
  path: '/v1/conversations',
  summary: 'List your conversations',
  description:
    'Latest first, unless you ask otherwise: by the last message, or change of the conversation or its members. Marking as read does not move a conversation. What moves to the front while you turn pages is not on the pages that follow: a socket tells you of it, and the first page shows it. With `sortBy=createdAt` nothing moves, and the pages have each conversation once.',
  access: 'user',
  rateLimit: 'default',
  query: ListQuery,
  responses: {
    200: {
      description: 'A page of conversations',
      body: countedPage(ref(Conversation)),
      headers: paginationHeaders,
      example: { items: [conversationExample], nextCursor: null, hasMore: false },
    },
  },
  errors: [],
})

export const getConversation = defineOperation({
  operationId: 'conversations.get',
  method: 'GET',
  path: '/v1/conversations/{conversationId}',
  summary: 'Get a conversation',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  responses: { 200: { description: 'The conversation', body: ref(ConversationResult), example: conversationResult } },
  errors: ['not_found'],
})

export const updateConversation = defineOperation({
  operationId: 'conversations.update',
  method: 'PATCH',
  path: '/v1/conversations/{conversationId}',
  summary: 'Change a conversation',
  description:
    'Only what is given changes. A group: owners and admins; in a direct conversation either member may change `status`, `summary`, `tags` and `metadata`, and all else is a `validation_error`; whoever the other one has blocked may not. What is archived or closed can be read, marked, left and changed, also back to active, but not written to. Messages that are older than a new `messageRetentionDays` are deleted soon after.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(UpdateConversationRequest),
  examples: { any: { title: 'Late lunch' }, close: { status: 'closed' } },
  responses: { 200: { description: 'The conversation as it is now', body: ref(ConversationResult), example: conversationResult } },
  errors: ['not_found', 'forbidden'],
})

export const archiveConversation = defineOperation({
  operationId: 'conversations.archive',
  method: 'DELETE',
  path: '/v1/conversations/{conversationId}',
  summary: 'Archive a conversation',
  description:
    'For all of its members: it can still be read, is not written to, and is left out of lists unless they ask for it. For owners and admins of a group and either member of a direct conversation, unless the other one has blocked them; again succeeds. `conversations.update` with `status: active` takes it back.',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  responses: { 204: { description: 'It is archived' } },
  errors: ['not_found', 'forbidden'],
})

export const updateMembership = defineOperation({
  operationId: 'conversations.updateMembership',
  method: 'PATCH',
  path: '/v1/conversations/{conversationId}/membership',
  summary: 'Mute or pin a conversation',
  description: 'For you alone, on all your devices. It moves neither `updatedAt` nor, unless you list what is pinned first, the place in the list.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(UpdateMembershipRequest),
  examples: { any: { muted: true } },
  responses: { 200: { description: 'How it is now', body: ref(Membership), example: { muted: true, pinned: false } } },
  errors: ['not_found'],
})

export const listMembers = defineOperation({
  operationId: 'conversations.listMembers',
  method: 'GET',
  path: '/v1/conversations/{conversationId}/members',
  summary: 'List members',
  description: 'In the order in which they joined.',
  access: 'user',
  rateLimit: 'default',
  params: ConversationParams,
  query: PageQuery,
  responses: { 200: { description: 'A page of members', body: page(ref(Member)), example: { items: [memberExample], nextCursor: null, hasMore: false } } },
  errors: ['not_found'],
})

export const addMembers = defineOperation({
  operationId: 'conversations.addMembers',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/members',
  summary: 'Add members to a group',
  description:
    'For owners and admins of the group. All are added or none: it is `forbidden` to add somebody who has blocked you; who is a member already stays one. A group that is archived or closed takes nobody in.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(AddMembersRequest),
  examples: { any: { userIds: [ids.bob] } },
  responses: { 200: { description: 'They are members', body: ref(AddMembersResult), example: { members: [memberExample] } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const updateMember = defineOperation({
  operationId: 'conversations.updateMember',
  method: 'PATCH',
  path: '/v1/conversations/{conversationId}/members/{userId}',
  summary: "Change a member's role",
  description: 'For owners of the group. The last owner stays owner.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: MemberParams,
  body: ref(UpdateMemberRequest),
  examples: { any: { role: 'admin' } },
  responses: { 200: { description: 'The member as it is now', body: ref(Member), example: { ...memberExample, role: 'admin' } } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const removeMember = defineOperation({
  operationId: 'conversations.removeMember',
  method: 'DELETE',
  path: '/v1/conversations/{conversationId}/members/{userId}',
  summary: 'Remove a member from a group, or leave it',
  description:
    'Owners remove anybody, admins remove members, everybody may leave. When the last owner leaves, the admin and else the member who joined first becomes owner. Removing one who is no member succeeds. A group that everybody has left is nobody’s to see or join; an hour later it is deleted for good, with its messages and the files in them.',
  access: 'user',
  rateLimit: 'default',
  params: MemberParams,
  responses: { 204: { description: 'Not a member, or not any more' } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const setTyping = defineOperation({
  operationId: 'conversations.setTyping',
  method: 'POST',
  path: '/v1/conversations/{conversationId}/typing',
  summary: 'Say that you are typing, or not any more',
  description:
    'Told to the members who are connected, stored nowhere; it ends by itself after 6 seconds unless it is said again. It is `forbidden` in a direct conversation whose other member has blocked you, and a `conflict` in one that is archived or closed.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(SetTypingRequest),
  examples: { any: { typing: true } },
  responses: { 204: { description: 'Told' } },
  errors: ['not_found', 'forbidden', 'conflict'],
})
