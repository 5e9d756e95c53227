import type * as operations from '../../../openapi/conversations/operations.ts'
import type { AddMembersResult, Conversation, ConversationResult } from '../../../openapi/conversations/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { arrayText, type JsonText, jsonText, pageText } from '../../json-text.ts'
import { serializeMember } from './serialize.ts'
import type { ConversationService } from './service.ts'

export const conversationRoutes = (conversations: ConversationService): Handlers<typeof operations> => ({
  'conversations.create': async ({ actor, body, reply }) => {
    const { text, created } = await conversations.create(actor, body)
    reply.code(created ? 201 : 200)
    return conversationResult(text)
  },
  'conversations.list': async ({ actor, query }) => page(await conversations.list(actor, query)),
  'conversations.get': async ({ actor, params }) => conversationResult(await conversations.view(actor, params.conversationId)),
  'conversations.update': async ({ actor, params, body }) => conversationResult(await conversations.update(actor, params.conversationId, body)),
  'conversations.listMembers': async ({ actor, params, query }) => page(await conversations.listMembers(actor, params.conversationId, query)),
  'conversations.addMembers': async ({ actor, params, body }) =>
    jsonText<AddMembersResult>(`{"members":${arrayText(await conversations.addMembers(actor, params.conversationId, body.userIds))}}`),
  'conversations.updateMember': async ({ actor, params, body }) =>
    serializeMember(await conversations.updateMember(actor, params.conversationId, params.userId, body.role)),
  'conversations.removeMember': ({ actor, params }) => conversations.removeMember(actor, params.conversationId, params.userId),
  'conversations.setTyping': ({ actor, params, body }) => conversations.setTyping(actor, params.conversationId, body.typing),
})

const conversationResult = (text: JsonText<Conversation>) => jsonText<ConversationResult>(`{"conversation":${text}}`)

const page = <T>({ items, nextCursor }: { items: JsonText<T[]>; nextCursor: string | null }) => pageText(items, nextCursor)
