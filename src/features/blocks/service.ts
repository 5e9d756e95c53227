/**
 * Who has blocked whom. A blocked user cannot write to the one who blocked, nor bring them into a group, nor see their presence; what
 * both have written stays with both, and groups that both are in go on. The rules are kept where the acts are: for writing, the
 * conversations are told by `setBlocked`; for groups, they ask `isBlocked` of the locked conversation; presence asks for itself.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import type { Clock } from '../../clock.ts'
import type { Executor, TransactionRunner } from '../../db/executor.ts'
import { AppError } from '../../errors/app-error.ts'
import { decodeTimeCursor, type Page, timePage } from '../../pagination.ts'
import type { ConversationService } from '../conversations/service.ts'
import type { PresenceService } from '../presence/service.ts'
import type { UserService } from '../users/service.ts'
import type { BlockEntity, BlockRepository } from './repository.ts'

interface Dependencies {
  db: TransactionRunner
  blocks: BlockRepository
  users: Pick<UserService, 'requireAll'>
  conversations: Pick<ConversationService, 'setBlocked'>
  presence: Pick<PresenceService, 'publishBlockWithin' | 'tellBlock'>
  clock: Clock
}

interface PageRequest {
  cursor?: string | undefined
  limit?: number | undefined
}

export type BlockService = ReturnType<typeof createBlockService>

export function createBlockService({ db, blocks, users, conversations, presence, clock }: Dependencies) {
  return {
    /** A second block keeps the time of the first. @throws `conflict` when it is the actor, `not_found` when there is no such user */
    async block({ userId: blockerId }: Actor, blockedId: UserId): Promise<BlockEntity> {
      if (blockedId === blockerId) throw new AppError('conflict', 'You cannot block yourself.')
      const [user] = await users.requireAll([blockedId])
      const { block, isNew } = await db.transaction(async (tx) => {
        await conversations.setBlocked({ blockerId, blockedId, isBlocked: true }, tx)
        const inserted = await blocks.insert({ blockerId, blockedId, createdAt: clock.now() }, tx)
        if (inserted !== undefined) await presence.publishBlockWithin(blockerId, blockedId, tx)
        return { block: inserted ?? (await blocks.get(blockerId, blockedId, tx)), isNew: inserted !== undefined }
      })
      if (user === undefined || block === undefined) throw new Error('A block that was just written is not there')
      if (isNew) presence.tellBlock(blockerId, blockedId)
      return { ...block, user }
    },

    /** Whoever is not blocked stays so. @throws `not_found` when there is no such user */
    async unblock({ userId: blockerId }: Actor, blockedId: UserId): Promise<void> {
      await users.requireAll([blockedId])
      const wasBlocked = await db.transaction(async (tx) => {
        await conversations.setBlocked({ blockerId, blockedId, isBlocked: false }, tx)
        const deleted = await blocks.delete(blockerId, blockedId, tx)
        if (deleted) await presence.publishBlockWithin(blockerId, blockedId, tx)
        return deleted
      })
      if (wasBlocked) presence.tellBlock(blockerId, blockedId)
    },

    async eraseWithin({ id }: { id: UserId }, tx: Executor): Promise<void> {
      await blocks.deleteOf(id, tx)
    },

    /** Whom the actor blocked last comes first. */
    async list(actor: Actor, { cursor, limit = 50 }: PageRequest): Promise<Page<BlockEntity>> {
      const before = cursor === undefined ? undefined : decodeTimeCursor(cursor)
      const rows = await blocks.list(actor.userId, { before, limit: limit + 1 })
      return timePage(
        rows.map((row) => ({ ...row, id: row.blockedId })),
        limit,
      )
    },
  }
}
