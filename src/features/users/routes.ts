import type * as operations from '../../../openapi/users/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { DirectoryService } from './directory-service.ts'
import { serializeUser, serializeUserProfile } from './serialize.ts'
import type { UserService } from './service.ts'

export const userRoutes = ({ users, directory }: { users: UserService; directory: DirectoryService }): Handlers<typeof operations> => ({
  'users.getMe': async ({ actor }) => serializeUser(await users.getMe(actor)),
  'users.updateMe': async ({ actor, body }) => serializeUser(await users.updateMe(actor, body)),
  'users.get': async ({ actor, params }) => serializeUserProfile(await directory.get(actor, params.userId)),
  'users.list': async ({ actor, query }) => {
    const { items, ...page } = await directory.list(actor, { ...query, ids: query.ids?.split(',') })
    return { ...page, items: items.map(serializeUserProfile) }
  },
})
