import type * as blockOperations from '../../../openapi/blocks/operations.ts'
import type { BlockedUser } from '../../../openapi/users/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { serializeUserSummary } from '../users/serialize.ts'
import type { BlockEntity } from './repository.ts'
import type { BlockService } from './service.ts'

export const blockRoutes = (blocks: BlockService): Handlers<typeof blockOperations> => ({
  'users.block': async ({ actor, params }) => serializeBlock(await blocks.block(actor, params.userId)),
  'users.unblock': ({ actor, params }) => blocks.unblock(actor, params.userId),
  'users.listBlocked': async ({ actor, query }) => {
    const { rows, nextCursor } = await blocks.list(actor, query)
    return { items: rows.map(serializeBlock), nextCursor, hasMore: nextCursor !== null }
  },
})

const serializeBlock = ({ user, createdAt }: BlockEntity): BlockedUser => ({ user: serializeUserSummary(user), blockedAt: createdAt.toISOString() })
