import type * as operations from '../../../openapi/sync/operations.ts'
import type { PullResult } from '../../../openapi/sync/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { jsonText } from '../../json-text.ts'
import { serializeChange } from './serialize.ts'
import type { SyncService } from './service.ts'

export const syncRoutes = (sync: SyncService): Handlers<typeof operations> => ({
  'sync.pull': async ({ actor, body }) => {
    const { changes, ...rest } = await sync.pull(actor, body)
    const result: PullResult = { ...rest, changes: changes.map(({ change, previousChangeSeq }) => serializeChange(change, previousChangeSeq)) }
    return jsonText<PullResult>(JSON.stringify(result))
  },
})
