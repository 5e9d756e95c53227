import type * as groupOperations from '../../../openapi/conversations/group-operations.ts'
import type * as operations from '../../../openapi/conversations/operations.ts'
import type { AddMembersResult, Conversation, ConversationResult } from '../../../openapi/conversations/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { setPaginationHeaders } from '../../http/pagination-headers.ts'
import { arrayText, type JsonText, jsonText, pageText } from '../../json-text.ts'
import type { InviteService } from './invite-service.ts'
import type { PublicGroupService } from './public-group-service.ts'
import { serializeInvite, serializeInvitePreview, serializeMember } from './serialize.ts'
import type { ConversationService } from './service.ts'

export const conversationRoutes = (conversations: ConversationService): Handlers<typeof operations> => ({
  'conversations.create': async ({ actor, body, reply }) => {
    const { text, created } = await conversations.create(actor, body)
    reply.code(created ? 201 : 200)
    return conversationResult(text)
  },
  'conversations.list': async ({ actor, query, reply }) => {
    const { items, nextCursor, ...counted } = await conversations.list(actor, query)
    setPaginationHeaders(reply, counted)
    return pageText(items, nextCursor, counted.total)
  },
  'conversations.get': async ({ actor, params }) => conversationResult(await conversations.view(actor, params.conversationId)),
  'conversations.update': async ({ actor, params, body }) => conversationResult(await conversations.update(actor, params.conversationId, body)),
  'conversations.archive': ({ actor, params }) => conversations.archive(actor, params.conversationId),
  'conversations.updateMembership': ({ actor, params, body }) => conversations.updateMembership(actor, params.conversationId, body),
  'conversations.listMembers': async ({ actor, params, query }) => page(await conversations.listMembers(actor, params.conversationId, query)),
  'conversations.addMembers': async ({ actor, params, body }) =>
    jsonText<AddMembersResult>(`{"members":${arrayText(await conversations.addMembers(actor, params.conversationId, body.userIds))}}`),
  'conversations.updateMember': async ({ actor, params, body }) =>
    serializeMember(await conversations.updateMember(actor, params.conversationId, params.userId, body.role)),
  'conversations.removeMember': ({ actor, params }) => conversations.removeMember(actor, params.conversationId, params.userId),
  'conversations.setTyping': ({ actor, params, body }) => conversations.setTyping(actor, params.conversationId, body.typing),
})

interface GroupServices {
  conversations: ConversationService
  invites: InviteService
  publicGroups: PublicGroupService
}

export const groupRoutes = ({ conversations, invites, publicGroups }: GroupServices): Handlers<typeof groupOperations> => ({
  'conversations.createInvite': async ({ actor, params, body }) => ({ invite: serializeInvite(await invites.create(actor, params.conversationId, body)) }),
  'conversations.listInvites': async ({ actor, params, query }) => {
    const { rows, nextCursor } = await invites.list(actor, params.conversationId, query)
    return { items: rows.map(serializeInvite), nextCursor, hasMore: nextCursor !== null }
  },
  'conversations.revokeInvite': ({ actor, params }) => invites.revoke(actor, params.conversationId, params.inviteId),
  'conversations.getInvite': async ({ params }) => serializeInvitePreview(await invites.preview(params.code)),
  'conversations.acceptInvite': async ({ actor, params }) => conversationResult(await conversations.view(actor, await invites.accept(actor, params.code))),
  'conversations.listPublic': async ({ query }) => page(await publicGroups.list(query)),
  'conversations.join': async ({ actor, params }) => {
    await publicGroups.join(actor, params.conversationId)
    return conversationResult(await conversations.view(actor, params.conversationId))
  },
})

const conversationResult = (text: JsonText<Conversation>) => jsonText<ConversationResult>(`{"conversation":${text}}`)

const page = <T>({ items, nextCursor }: { items: JsonText<T[]>; nextCursor: string | null }) => pageText(items, nextCursor)
