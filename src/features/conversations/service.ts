import type { Conversation, Member } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Executor } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { JsonText } from '../../json-text.ts'
import { decodeCursor, type TextPage, textPage } from '../../pagination.ts'
import { type CreateCommand, type CreationDependencies, conversationCreation } from './creation.ts'
import type { ConversationListRepository } from './list-repository.ts'
import { conversationLists } from './lists.ts'
import type { SettingsChange } from './locked-row.ts'
import { memberships } from './memberships.ts'
import { cannotWrite, canOnlyRead, directKeyOf, mayDo } from './policy.ts'
import type { Retention } from './retention.ts'
import { conversationSettings } from './settings.ts'

interface Page {
  cursor?: string | undefined
  limit?: number | undefined
}

interface Dependencies extends CreationDependencies {
  lists: ConversationListRepository
  retention: Pick<Retention, 'enqueue' | 'wake'>
}

/** The table of what each role may do in a group, for the features whose acts it has, and what is said to those who may not. */
export { cannotWrite, canOnlyRead, mayDo }

export type ConversationService = ReturnType<typeof createConversationService>

export function createConversationService(dependencies: Dependencies) {
  const { conversations, lists, topics } = dependencies
  const { openDirect, start } = conversationCreation(dependencies)
  const { update, archive } = conversationSettings(dependencies)
  const { addMembers, updateMember, removeMember, updateMembership, leaveAll } = memberships(dependencies)
  const { list } = conversationLists(lists)

  /** The conversation as its member sees it, as JSON. @throws `not_found` when the actor is no member. */
  const view = async (actor: Actor, conversationId: ConversationId): Promise<JsonText<Conversation>> => {
    const text = await lists.view(actor.userId, conversationId)
    if (text === undefined) throw new AppError('not_found')
    return text
  }

  /**
   * Why the actor, who turned out not to, may not write there: `not_found` for one who is no member, or whose other one is erased,
   * `forbidden` for one who was blocked, `conflict` when it is the conversation, which is not active.
   */
  const refusal = async ({ userId }: Actor, conversationId: ConversationId): Promise<AppError> => {
    const standing = await conversations.standing(conversationId, userId)
    if (standing === undefined) return new AppError('not_found')
    if (!standing.blocked) return new AppError('conflict', canOnlyRead)
    return (await conversations.isAbandoned(conversationId, userId)) ? new AppError('not_found') : new AppError('forbidden', cannotWrite)
  }

  return {
    view,
    refusal,
    openDirect,
    archive,
    list,
    addMembers,
    updateMember,
    removeMember,
    updateMembership,
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

    /** @throws as `update` of the settings does. */
    async update(actor: Actor, conversationId: ConversationId, given: SettingsChange): Promise<JsonText<Conversation>> {
      await update(actor, conversationId, given)
      return view(actor, conversationId)
    },

    /** @throws `not_found` when the actor is no member. */
    async listMembers(actor: Actor, conversationId: ConversationId, { cursor, limit = 20 }: Page): Promise<TextPage<Member>> {
      const [afterChangeSeq] = cursor === undefined ? [0] : decodeCursor(cursor, ['number'])
      if ((await conversations.standing(conversationId, actor.userId)) === undefined) throw new AppError('not_found')
      return textPage(await conversations.listMembers(conversationId, afterChangeSeq, limit + 1), limit, ({ joinedChangeSeq }) => [joinedChangeSeq])
    },

    /** Told to those who are connected and stored nowhere. @throws as `refusal` says. */
    async setTyping(actor: Actor, conversationId: ConversationId, typing: boolean): Promise<void> {
      const standing = await conversations.standing(conversationId, actor.userId)
      if (standing === undefined || standing.blocked || standing.status !== 'active') throw await refusal(actor, conversationId)
      topics.publish('conversation', conversationId, { type: 'typing', conversationId, userId: actor.userId, typing })
    },
  }
}
