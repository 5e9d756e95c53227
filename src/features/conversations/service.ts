import type { Conversation, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Executor } from '../../db/executor.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { arrayText, type JsonText } from '../../json-text.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import { type CreateCommand, type CreationDependencies, conversationCreation } from './creation.ts'
import { groupChanges } from './group-changes.ts'
import { cannotWrite, directKeyOf } from './policy.ts'

interface Page {
  cursor?: string | undefined
  limit?: number | undefined
}

interface TextPage<T> {
  items: JsonText<T[]>
  nextCursor: string | null
}

export type ConversationService = ReturnType<typeof createConversationService>

export function createConversationService(dependencies: CreationDependencies) {
  const { conversations, topics } = dependencies
  const { openDirect, start } = conversationCreation(dependencies)
  const { rename, addMembers, updateMember, removeMember, leaveAll } = groupChanges(dependencies)

  /** The conversation as its member sees it, as JSON. @throws `not_found` when the actor is no member. */
  const view = async (actor: Actor, conversationId: ConversationId): Promise<JsonText<Conversation>> => {
    const text = await conversations.view(actor.userId, conversationId)
    if (text === undefined) throw new AppError('not_found')
    return text
  }

  /**
   * Why the actor, who turned out not to, may not write there: `not_found` for one who is no member, or whose other one is erased,
   * `forbidden` for one who was blocked, `conflict` when it is the conversation, which is not active.
   */
  const refusal = async ({ userId }: Actor, conversationId: ConversationId): Promise<AppError> => {
    const membership = await conversations.membership(conversationId, userId)
    if (membership === undefined) return new AppError('not_found')
    if (!membership.blocked) return new AppError('conflict', 'This conversation is archived or closed: it can only be read.')
    return (await conversations.isAbandoned(conversationId, userId)) ? new AppError('not_found') : new AppError('forbidden', cannotWrite)
  }

  return {
    view,
    refusal,
    openDirect,
    addMembers,
    updateMember,
    removeMember,
    leaveAll,

    /** @returns the conversation as JSON, and whether it is new. @throws as `start` does. */
    async create(actor: Actor, command: CreateCommand): Promise<{ text: JsonText<Conversation>; created: boolean }> {
      const { conversationId, created } = await start(actor, command)
      return { text: await view(actor, conversationId), created }
    },

    /** Within the transaction that blocks or unblocks, and first in it: whether the one may write to the other in their direct conversation. */
    async setBlocked({ blockerId, blockedId, isBlocked }: { blockerId: UserId; blockedId: UserId; isBlocked: boolean }, tx: Executor): Promise<void> {
      await conversations.setBlocked(directKeyOf(blockerId, blockedId), blockedId, isBlocked, tx)
    },

    /** Has nobody write any more in the direct conversations of a user who is erased, one after another, as whoever writes locks them. */
    async closeDirect(userId: UserId): Promise<void> {
      for (const conversationId of await conversations.idsOf(userId, 'direct')) await conversations.change(conversationId, (direct) => direct.close())
    },

    /** @throws as `rename` does. */
    async update(actor: Actor, conversationId: ConversationId, { title }: { title: string }): Promise<JsonText<Conversation>> {
      await rename(actor, conversationId, title)
      return view(actor, conversationId)
    },

    /** The one with the latest message or change first. */
    async list(actor: Actor, { cursor, limit = 20 }: Page): Promise<TextPage<Conversation>> {
      const before = cursor === undefined ? undefined : decodeListCursor(cursor)
      const rows = await conversations.list(actor.userId, { before, limit: limit + 1 })
      return textPage(rows, limit, ({ updatedAtMilliseconds, id }) => [updatedAtMilliseconds, id])
    },

    /** @throws `not_found` when the actor is no member. */
    async listMembers(actor: Actor, conversationId: ConversationId, { cursor, limit = 20 }: Page): Promise<TextPage<Member>> {
      const [afterChangeSeq] = cursor === undefined ? [0] : decodeCursor(cursor, ['number'])
      if (!(await conversations.isMember(conversationId, actor.userId))) throw new AppError('not_found')
      return textPage(await conversations.listMembers(conversationId, afterChangeSeq, limit + 1), limit, ({ joinedChangeSeq }) => [joinedChangeSeq])
    },

    /** Told to those who are connected and stored nowhere. @throws as `refusal` says. */
    async setTyping(actor: Actor, conversationId: ConversationId, typing: boolean): Promise<void> {
      const membership = await conversations.membership(conversationId, actor.userId)
      if (membership === undefined || membership.blocked) throw await refusal(actor, conversationId)
      topics.publish('conversation', conversationId, { type: 'typing', conversationId, userId: actor.userId, typing })
    },
  }
}

/** One row more than asked for was read: it tells whether there is a next page. */
function textPage<T, Row extends { text: JsonText<T> }>(rows: Row[], limit: number, position: (row: Row) => (string | number)[]): TextPage<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = arrayText(shown.map(({ text }): JsonText<T> => text))
  return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null }
}

function decodeListCursor(cursor: string): { updatedAtMilliseconds: number; id: string } {
  const [updatedAtMilliseconds, id] = decodeCursor(cursor, ['number', 'string'])
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw invalidField('query.cursor', 'is not a cursor of this list')
  return { updatedAtMilliseconds, id }
}
