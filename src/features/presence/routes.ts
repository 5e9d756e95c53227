import type * as presenceOperations from '../../../openapi/presence/operations.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { serializePresence } from './serialize.ts'
import type { PresenceService } from './service.ts'

export const presenceRoutes = (presence: PresenceService): Handlers<typeof presenceOperations> => ({
  'users.setPresence': async ({ actor, body }) => serializePresence(await presence.set(actor, body.status)),
})
