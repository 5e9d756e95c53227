import { randomBytes } from 'node:crypto'
import type { ConversationId, InviteId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock, NewId } from '../../clock.ts'
import type { InviteRow } from '../../db/schema/conversations.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import { type Changes, requireActive, requireGroup } from './changes.ts'
import type { InvitedGroup, InviteRepository } from './invite-repository.ts'
import { mayDo, mayInvite } from './policy.ts'
import type { ConversationRepository } from './repository.ts'

interface Dependencies {
  changes: Changes
  conversations: Pick<ConversationRepository, 'standing'>
  invites: InviteRepository
  clock: Clock
  newId: NewId
}

interface InviteCommand {
  /** A week when left out; null is without end. */
  expiresInSeconds?: number | null | undefined
  /** Any number when left out. */
  maxUses?: number | undefined
}

const usualLifeSeconds = 7 * 24 * 60 * 60
/** Of one group at a time. */
const mostInvites = 100
/** 144 bits that nobody guesses. */
const newCode = (): string => randomBytes(18).toString('base64url')

export type InviteService = ReturnType<typeof createInviteService>

/** Links that let somebody into a group, until they expire, are used up or revoked, or whoever made them may not make them any more. */
export function createInviteService({ changes, conversations, invites, clock, newId }: Dependencies) {
  return {
    /** @throws `not_found`, `forbidden` when the actor may not invite, `conflict` in a direct or inactive conversation, and when there are too many. */
    create: (actor: Actor, conversationId: ConversationId, { expiresInSeconds = usualLifeSeconds, maxUses }: InviteCommand): Promise<InviteRow> =>
      changes.changeAsMember(actor, conversationId, async (group, own, tx) => {
        requireGroup(group)
        if (!mayInvite(own.role, group.state)) throw new AppError('forbidden')
        requireActive(group)
        const now = clock.now()
        if ((await invites.countOf(conversationId, now, tx)) >= mostInvites)
          throw new AppError('conflict', `A group has at most ${mostInvites} invites at a time: revoke some.`)
        const expiresAt = expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1_000)
        const invite = { id: newId<InviteId>(), conversationId, code: newCode(), createdBy: actor.userId, createdAt: now, expiresAt, maxUses: maxUses ?? null }
        return invites.insert(invite, tx)
      }),

    /** Those that work, the latest first: all of them for whoever manages them, for others their own. @throws `not_found` when the actor is no member, `forbidden` when they may not invite. */
    async list(
      actor: Actor,
      conversationId: ConversationId,
      { cursor, limit = 20 }: { cursor?: string | undefined; limit?: number | undefined },
    ): Promise<Page<InviteRow>> {
      const after = cursor === undefined ? undefined : decodeTimeCursor(cursor)
      const own = await conversations.standing(conversationId, actor.userId)
      if (own === undefined) throw new AppError('not_found')
      if (!mayInvite(own.role, own)) throw new AppError('forbidden')
      const createdBy = mayDo(own.role, 'manageInvites') ? undefined : actor.userId
      return timePage(await invites.list({ conversationId, createdBy, now: clock.now() }, { after, limit: limit + 1 }), limit)
    },

    /** Revoking one that is not there succeeds. @throws `not_found` when the actor is no member, `forbidden` for somebody else's. */
    revoke: (actor: Actor, conversationId: ConversationId, inviteId: InviteId): Promise<void> =>
      changes.changeAsMember(actor, conversationId, async (_group, own, tx) => {
        const invite = await invites.find(conversationId, inviteId, tx)
        if (invite === undefined) return
        if (invite.createdBy !== actor.userId && !mayDo(own.role, 'manageInvites')) throw new AppError('forbidden')
        await invites.delete(inviteId, tx)
      }),

    /** What one sees before one accepts. @throws `not_found` for a code that lets nobody in. */
    async preview(code: string): Promise<InvitedGroup> {
      const group = await invites.findByCode(code, clock.now())
      if (!group?.works) throw new AppError('not_found')
      return group
    },

    /** Whoever is a member already stays as they are, and nothing is counted. @returns where the actor is a member now @throws as `preview` does. */
    async accept(actor: Actor, code: string): Promise<ConversationId> {
      const invited = await invites.findByCode(code, clock.now())
      if (invited === undefined) throw new AppError('not_found')
      const { conversationId } = invited
      await changes.change(conversationId, async (group, tx) => {
        if ((await group.member(actor.userId)) !== undefined) return
        const stillWorks = (await invites.findByCode(code, clock.now(), tx))?.works
        if (!stillWorks) throw new AppError('not_found')
        await group.addMembers([{ userId: actor.userId, role: 'member' }], clock.now())
        await invites.countUse(code, tx)
      })
      return conversationId
    },
  }
}
