import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { Cursor, limit, page } from '../shared/pagination.ts'
import { ids } from '../users/examples.ts'
import { conversationExample, memberExample } from './examples.ts'
import {
  AddMembersRequest,
  AddMembersResult,
  Conversation,
  ConversationResult,
  CreateConversationRequest,
  Member,
  SetTypingRequest,
  UpdateConversationRequest,
  UpdateMemberRequest,
} from './schemas.ts'

const ConversationParams = Type.Object({ conversationId: ConversationId })
const MemberParams = Type.Object({ conversationId: ConversationId, userId: UserId })
const PageQuery = Type.Object({ cursor: Type.Optional(Cursor), limit: limit(100, 20) })

const conversationResult = { conversation: conversationExample }

export const createConversation = defineOperation({
  operationId: 'conversations.create',
  method: 'POST',
  path: '/v1/conversations',
  summary: 'Create a conversation',
  description:
    'Two people have one direct conversation: creating it again returns it with status 200, also when both do it at once; it is `forbidden` to begin one, or to create a group, with somebody who has blocked you. A group is created once per `clientId` (or `Idempotency-Key` header).',
  access: 'user',
  rateLimit: 'default',
  idempotent: true,
  body: ref(CreateConversationRequest),
  examples: {
    direct: { type: 'direct', memberIds: [ids.bob] },
    group: { type: 'group', memberIds: [ids.bob], title: 'Lunch' },
  },
  responses: {
    201: { description: 'Created', body: ref(ConversationResult), example: conversationResult },
    200: { description: 'It was there already', body: ref(ConversationResult), example: conversationResult },
  },
  errors: ['not_found', 'forbidden'],
})

export const listConversations = defineOperation({
  operationId: 'conversations.list',
  method: 'GET',
  path: '/v1/conversations',
  summary: 'List your conversations',
  description: 'Latest first: by the last message, or change of title or members. Marking as read does not move a conversation.',
  access: 'user',
  rateLimit: 'default',
  query: PageQuery,
  responses: {
    200: { description: 'A page of conversations', body: page(ref(Conversation)), example: { items: [conversationExample], nextCursor: null, hasMore: false } },
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
  summary: "Change a group's title",
  description: 'For owners and admins of the group.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(UpdateConversationRequest),
  examples: { any: { title: 'Late lunch' } },
  responses: { 200: { description: 'The conversation as it is now', body: ref(ConversationResult), example: conversationResult } },
  errors: ['not_found', 'forbidden', 'conflict'],
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
    'For owners and admins of the group. All are added or none: it is `forbidden` to add somebody who has blocked you; who is a member already stays one.',
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
    'Owners remove anybody, admins remove members, everybody may leave. When the last owner leaves, the admin and else the member who joined first becomes owner. Removing one who is no member succeeds.',
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
    'Told to the members who are connected, stored nowhere; it ends by itself after 6 seconds unless it is said again. It is `forbidden` in a direct conversation whose other member has blocked you.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  params: ConversationParams,
  body: ref(SetTypingRequest),
  examples: { any: { typing: true } },
  responses: { 204: { description: 'Told' } },
  errors: ['not_found', 'forbidden'],
})
