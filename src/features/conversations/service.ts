import type { Conversation, MemberRole, ReadMark } from '../../../openapi/conversations/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { MemberRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import type { MemberEntity, Topics } from '../../topics.ts'
import type { UserService } from '../users/service.ts'
import type { LockedConversation } from './locked-conversation.ts'
import { mayDo, mayRemove } from './policy.ts'
import type { ConversationRepository } from './repository.ts'

interface Dependencies {
  conversations: ConversationRepository
  users: Pick<UserService, 'requireAll'>
  topics: Topics
  clock: Clock
  newId: NewId
}

interface CreateCommand {
  type: 'direct' | 'group'
  memberIds: UserId[]
  title?: string | undefined
  clientId?: string | undefined
}

interface Page {
  cursor?: string | undefined
  limit?: number | undefined
}

/** A page whose items are JSON text. */
export interface TextPage {
  items: string[]
  nextCursor: string | null
}

export type ConversationService = ReturnType<typeof createConversationService>

export function createConversationService({ conversations, users, topics, clock, newId }: Dependencies) {
  /** @throws `not_found` when the actor is no member. */
  const view = async (actor: Actor, conversationId: ConversationId): Promise<string & { readonly of?: Conversation }> => {
    const text = await conversations.view(actor.userId, conversationId)
    if (text === undefined) throw new AppError('not_found')
    return text
  }

  /** Runs a change of a group under its lock as a member of it, and tells what changed. */
  const changeGroup = async <T>(actor: Actor, conversationId: ConversationId, work: (group: LockedConversation, own: MemberRow) => Promise<T>): Promise<T> => {
    const changed = await conversations.change(conversationId, async (conversation) => {
      const own = await conversation.member(actor.userId)
      if (own === undefined) throw new AppError('not_found')
      if (conversation.state.type === 'direct') {
        if (own.leftAt !== null) throw new AppError('not_found')
        throw new AppError('conflict', 'A direct conversation has its two members and no title.')
      }
      return work(conversation, own)
    })
    if (changed === undefined) throw new AppError('not_found')
    publish(topics, changed.conversation)
    return changed.result
  }

  const createDirect = async (actor: Actor, { memberIds, title }: CreateCommand): Promise<{ conversationId: ConversationId; created: boolean }> => {
    const [otherId] = memberIds
    if (otherId === undefined || memberIds.length > 1 || otherId === actor.userId) throw invalid('body.memberIds', 'must name exactly one other user')
    if (title !== undefined) throw invalid('body.title', 'is for groups only')
    return openDirect(actor, otherId)
  }

  const openDirect = async (actor: Actor, otherId: UserId): Promise<{ conversationId: ConversationId; created: boolean }> => {
    const directKey = [actor.userId, otherId].sort().join(' ')
    const found = await conversations.findDirect(directKey)
    if (found !== undefined) return { conversationId: found, created: false }
    await users.requireAll([otherId])
    return create({ type: 'direct', title: null, clientId: null, directKey }, actor, [otherId], 'member')
  }

  const createGroup = async (actor: Actor, { memberIds, title, clientId }: CreateCommand) => {
    const otherIds = memberIds.filter((id) => id !== actor.userId)
    await users.requireAll(otherIds)
    return create({ type: 'group', title: title ?? null, clientId: clientId ?? null, directKey: null }, actor, otherIds, 'owner')
  }

  const create = async (
    kind: { type: 'direct' | 'group'; title: string | null; clientId: string | null; directKey: string | null },
    actor: Actor,
    otherIds: UserId[],
    creatorRole: MemberRole,
  ): Promise<{ conversationId: ConversationId; created: boolean }> => {
    const now = clock.now()
    const { id, created } = await conversations.create({ id: newId(), createdBy: actor.userId, createdAt: now, ...kind }, async (conversation) => {
      await conversation.addMember(actor.userId, creatorRole, now)
      for (const userId of otherIds) await conversation.addMember(userId, 'member', now)
    })
    if (created !== undefined) publish(topics, created)
    return { conversationId: id, created: created !== undefined }
  }

  return {
    view,

    /** Finds or makes the direct conversation with a user. @throws `not_found` when there is no such user. */
    openDirect,

    /**
     * @returns the conversation as JSON, and whether it is new: a direct one is created once per pair, a group once per `clientId`.
     * @throws `validation_error` when members or title do not fit the type, `not_found` when a user does not exist.
     */
    async create(actor: Actor, command: CreateCommand): Promise<{ text: string; created: boolean }> {
      const { conversationId, created } = await (command.type === 'direct' ? createDirect(actor, command) : createGroup(actor, command))
      return { text: await view(actor, conversationId), created }
    },

    async list(actor: Actor, { cursor, limit = 20 }: Page): Promise<TextPage> {
      const before = cursor === undefined ? undefined : decodeListCursor(cursor)
      const rows = await conversations.list(actor.userId, { before, limit: limit + 1 })
      return textPage(rows, limit, ({ updatedAtMilliseconds, id }) => [updatedAtMilliseconds, id])
    },

    /** @throws `not_found` when the actor is no member, `forbidden` when the role does not allow it, `conflict` in a direct conversation. */
    async update(actor: Actor, conversationId: ConversationId, { title }: { title: string }): Promise<string> {
      await changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'update')
        if (group.state.title !== title) await group.rename(title, clock.now())
      })
      return view(actor, conversationId)
    },

    /** @throws `not_found` when the actor is no member. */
    async listMembers(actor: Actor, conversationId: ConversationId, { cursor, limit = 20 }: Page): Promise<TextPage> {
      const [afterChangeSeq] = cursor === undefined ? [0] : decodeCursor(cursor, ['number'])
      if (!(await conversations.isMember(conversationId, actor.userId))) throw new AppError('not_found')
      return textPage(await conversations.listMembers(conversationId, afterChangeSeq, limit + 1), limit, ({ joinedChangeSeq }) => [joinedChangeSeq])
    },

    /** @returns the named users as members, as JSON. @throws `not_found` also when a user does not exist; then nobody is added. */
    async addMembers(actor: Actor, conversationId: ConversationId, userIds: UserId[]): Promise<string[]> {
      await users.requireAll(userIds)
      await changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'addMembers')
        for (const userId of userIds) {
          const member = await group.member(userId)
          if (member === undefined || member.leftAt !== null) await group.addMember(userId, 'member', clock.now())
        }
      })
      return conversations.membersAmong(conversationId, userIds)
    },

    /** @throws `not_found`, `forbidden`, `conflict` when the last owner would be none any more. */
    updateMember(actor: Actor, conversationId: ConversationId, userId: UserId, role: MemberRole): Promise<MemberEntity> {
      return changeGroup(actor, conversationId, async (group, own) => {
        requireMay(own, 'updateMember')
        const member = await group.member(userId)
        if (member === undefined || member.leftAt !== null) throw new AppError('not_found')
        if (member.role === 'owner' && role !== 'owner' && (await group.ownerCount()) === 1) throw new AppError('conflict', 'A group keeps an owner: make somebody else owner first.')
        if (member.role !== role) await group.setRole(userId, role, clock.now())
        return group.memberEntity(userId)
      })
    },

    /** Removes a member, or leaves when it is the actor. Who has left already, may say so again. */
    async removeMember(actor: Actor, conversationId: ConversationId, userId: UserId): Promise<void> {
      await changeGroup(actor, conversationId, async (group, own) => {
        const leaving = userId === actor.userId
        if (own.leftAt !== null) {
          if (leaving) return
          throw new AppError('not_found')
        }
        const member = leaving ? own : await group.member(userId)
        if (member === undefined || member.leftAt !== null) return
        if (!leaving && !mayRemove(own.role, member.role)) throw new AppError('forbidden')
        const lastOwner = member.role === 'owner' && (await group.ownerCount()) === 1
        await group.removeMember(userId, clock.now())
        const heir = lastOwner ? await group.successor() : undefined
        if (heir !== undefined) await group.setRole(heir, 'owner', clock.now())
      })
    },

    /** Marks everything up to `seq` as read; a mark that stands there or further already stays. @throws `not_found` when the actor is no member. */
    async markRead(actor: Actor, conversationId: ConversationId, seq: number): Promise<ReadMark> {
      const mark = await conversations.markRead(actor.userId, conversationId, seq)
      if (mark === undefined) throw new AppError('not_found')
      const { readSeq, unreadCount, changeSeq } = mark
      if (changeSeq !== null) topics.publish('conversation', conversationId, { type: 'read', conversationId, changeSeq, userId: actor.userId, readSeq })
      return { readSeq, unreadCount }
    },

    /** Told to those who are connected and stored nowhere. @throws `not_found` when the actor is no member. */
    async setTyping(actor: Actor, conversationId: ConversationId, typing: boolean): Promise<void> {
      if (!(await conversations.isMember(conversationId, actor.userId))) throw new AppError('not_found')
      topics.publish('conversation', conversationId, { type: 'typing', conversationId, userId: actor.userId, typing })
    },
  }
}

const invalid = (field: string, reason: string) => new AppError('validation_error', undefined, { details: [{ field, reason }] })

function requireMay(own: MemberRow, act: Parameters<typeof mayDo>[1]): void {
  if (own.leftAt !== null) throw new AppError('not_found')
  if (!mayDo(own.role, act)) throw new AppError('forbidden')
}

/** Who joins follows the conversation before its changes are told. */
function publish(topics: Topics, { state, changes }: LockedConversation): void {
  const afterChangeSeq = (changes[0]?.changeSeq ?? 1) - 1
  for (const change of changes) {
    if (change.type === 'member.joined') topics.publish('user', change.member.userId, { type: 'conversation.joined', conversationId: state.id, afterChangeSeq })
  }
  for (const change of changes) topics.publish('conversation', state.id, change)
}

/** One row more than asked for was read: it tells whether there is a next page. */
function textPage<T extends { text: string }>(rows: T[], limit: number, position: (row: T) => (string | number)[]): TextPage {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items: items.map(({ text }) => text), nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null }
}

function decodeListCursor(cursor: string): { updatedAtMilliseconds: number; id: string } {
  const [updatedAtMilliseconds, id] = decodeCursor(cursor, ['number', 'string'])
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw invalid('query.cursor', 'is not a cursor of this list')
  return { updatedAtMilliseconds, id }
}
