import type { UserId } from '../../../openapi/shared/ids.ts'
import type { ChosenPresence } from '../../../openapi/users/schemas.ts'
import type { Actor } from '../../actor.ts'
import type { EventBus } from '../../bus/event-bus.ts'
import type { Clock } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import type { PresenceEntity } from '../../topics.ts'
import type { Announcements } from './announcements.ts'
import type { PresenceRepository } from './repository.ts'

interface Dependencies {
  db: TransactionRunner
  presence: PresenceRepository
  announcements: Announcements
  bus: EventBus
  clock: Clock
}

export type PresenceService = ReturnType<typeof createPresenceService>

export function createPresenceService({ db, presence, announcements, bus, clock }: Dependencies) {
  bus.on('presence.changed', (userIds) => announcements.announce(userIds, { toSelf: true }))
  bus.on('block.changed', ([blockerId, blockedId]) => {
    if (blockerId !== undefined && blockedId !== undefined) announcements.announceTo(blockedId, blockerId)
  })

  return {
    /** Sets what others are shown while a socket is open. @returns what they are shown now */
    async set(actor: Actor, status: ChosenPresence): Promise<PresenceEntity> {
      const chosen = await db.transaction(async (tx) => {
        const result = await presence.choose(actor.userId, status, clock.now(), tx)
        if (result?.hasChanged) await bus.publish(tx, 'presence.changed', [actor.userId])
        return result
      })
      if (chosen === undefined) throw new AppError('unauthorized')
      if (chosen.hasChanged) announcements.announce([actor.userId], { toSelf: true })
      return chosen.presence
    },

    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await presence.deleteOf(id, tx)
    },

    /** What a user may see of others, or null, whom nobody blocks: one statement for a page of them. @returns an entry for each of `userIds` */
    async statusOf(viewerId: UserId | null, userIds: readonly UserId[]): Promise<Map<UserId, Pick<PresenceEntity, 'status' | 'lastSeen'>>> {
      const seen = userIds.length === 0 ? [] : await presence.statusOf(viewerId, userIds)
      const statuses = new Map(seen.map(({ userId, status, lastSeen }) => [userId, { status, lastSeen }]))
      return new Map(userIds.map((userId) => [userId, statuses.get(userId) ?? { status: 'offline', lastSeen: null }]))
    },

    /** Puts on the bus, with the transaction of a block, that the other one may see the blocker no more, or may again. */
    async publishBlockWithin(blockerId: UserId, blockedId: UserId, tx: Executor): Promise<void> {
      await bus.publish(tx, 'block.changed', [blockerId, blockedId])
    },

    /** To be called after the commit of that transaction. */
    tellBlock(blockerId: UserId, blockedId: UserId): void {
      announcements.announceTo(blockedId, blockerId)
    },
  }
}
