import type * as operations from '../../../openapi/avatars/operations.ts'
import { networkOf } from '../../caller-address.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { SendContent } from '../../http/content.ts'
import { serializeUser } from '../users/serialize.ts'
import type { AvatarService } from './service.ts'

/** Whatever it were, as a page it could do nothing. */
const headers = {
  'cache-control': 'public, max-age=31536000, immutable',
  'content-security-policy': "sandbox; default-src 'none'",
}

export const avatarRoutes = ({ avatars, sendContent }: { avatars: AvatarService; sendContent: SendContent }): Handlers<typeof operations> => ({
  'users.setAvatar': async ({ actor, body }) => serializeUser(await avatars.set(actor, body.file)),
  'users.deleteAvatar': async ({ actor }) => serializeUser(await avatars.remove(actor)),
  'users.getAvatar': async ({ params: { avatarKey }, request, reply }) => {
    // Pages of any origin show it.
    reply.header('cross-origin-resource-policy', 'cross-origin')
    return sendContent(request, reply, { etag: `"${avatarKey}"`, headers, reader: networkOf(request.ip), open: () => avatars.get(avatarKey) })
  },
})
