import type * as operations from '../../../openapi/admin/operations.ts'
import type * as userOperations from '../../../openapi/admin/user-operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { parseTimestamp } from '../../timestamps.ts'
import { serializeAdminUser } from './serialize.ts'
import type { AdminService } from './service.ts'

export const adminRoutes = (admin: AdminService): Handlers<typeof operations> => ({
  'admin.listUsers': async ({ query: { createdFrom, createdTo, ...query } }) => {
    const { rows, nextCursor } = await admin.list({
      ...query,
      createdFrom: createdFrom === undefined ? undefined : parseTimestamp(createdFrom, 'query.createdFrom'),
      createdTo: createdTo === undefined ? undefined : parseTimestamp(createdTo, 'query.createdTo'),
    })
    return { items: rows.map(serializeAdminUser), nextCursor, hasMore: nextCursor !== null }
  },
  'admin.getUser': async ({ params }) => serializeAdminUser(await admin.get(params.userId)),
  'admin.revokeSessions': async ({ actor, params, body, caller }) => ({
    revokedCount: await admin.revokeSessions(params.userId, { actor, caller, reason: body.reason }),
  }),
})

export const userAdministrationRoutes = (admin: AdminService): Handlers<typeof userOperations> => ({
  'users.create': async ({ actor, body: { reason, ...user }, caller }) => serializeAdminUser(await admin.create(user, { actor, caller, reason })),
  'users.update': async ({ actor, params, body: { reason, ...changes }, caller }) =>
    serializeAdminUser(await admin.update(params.userId, changes, { actor, caller, reason })),
  'users.delete': async ({ actor, params, body, caller }) => {
    const deletionAt = await admin.delete(params.userId, { actor, caller, reason: body.reason })
    return { deletionAt: deletionAt.toISOString() }
  },
})
