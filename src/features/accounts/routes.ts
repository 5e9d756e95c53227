import type * as operations from '../../../openapi/accounts/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { exportText } from './serialize.ts'
import type { AccountService } from './service.ts'

export const accountRoutes = (accounts: AccountService): Handlers<typeof operations> => ({
  'users.deleteMe': async ({ actor, body, caller }) => {
    const deletionAt = await accounts.scheduleDeletion(actor, body, caller)
    return { deletionAt: deletionAt.toISOString() }
  },
  'users.exportMe': async ({ actor, reply }) => {
    const found = await accounts.exportOf(actor)
    reply.header('content-disposition', 'attachment; filename="parley-export.json"')
    return exportText(found)
  },
})
