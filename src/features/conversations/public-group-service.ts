import type { PublicGroup } from '../../../openapi/conversations/group-schemas.ts'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors/app-error.ts'
import { arrayText } from '../../json-text.ts'
import { decodeCursor, encodeCursor, type TextPage } from '../../pagination.ts'
import type { Changes } from './changes.ts'
import type { PublicGroupRepository } from './public-group-repository.ts'

interface Dependencies {
  changes: Changes
  groups: PublicGroupRepository
  clock: Clock
}

/** At this many groups it looks for one page, and at no more where hardly any fits. */
const lookedAt = 1_000

export type PublicGroupService = ReturnType<typeof createPublicGroupService>

/** Groups that everybody finds and may join. */
export function createPublicGroupService({ changes, groups, clock }: Dependencies) {
  return {
    /** The newest first. There may be fewer than `limit` on a page before the last. */
    async list({
      search,
      cursor,
      limit = 20,
    }: {
      search?: string | undefined
      cursor?: string | undefined
      limit?: number | undefined
    }): Promise<TextPage<PublicGroup>> {
      const [before] = cursor === undefined ? [undefined] : decodeCursor(cursor, ['id'])
      const { texts, ids, count, lastId } = await groups.look({ search, before, look: lookedAt, limit: limit + 1 })
      const lastShown = ids.length > limit ? ids[limit - 1] : undefined
      const goesOnAfter = lastShown ?? (count === lookedAt ? lastId : null)
      return { items: arrayText(texts.slice(0, limit)), nextCursor: goesOnAfter === null ? null : encodeCursor([goesOnAfter]) }
    },

    /** Whoever is a member already stays as they are. @throws `not_found` unless it is a public group that goes on, or the actor's own */
    join: (actor: Actor, conversationId: ConversationId): Promise<void> =>
      changes.change(conversationId, async (group) => {
        if ((await group.member(actor.userId)) !== undefined) return
        const { type, isPrivate, status, memberCount } = group.state
        if (type !== 'group' || isPrivate || status !== 'active' || memberCount === 0) throw new AppError('not_found')
        await group.addMembers([{ userId: actor.userId, role: 'member' }], clock.now())
      }),
  }
}
