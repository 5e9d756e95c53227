import type * as operations from '../../../openapi/avatars/operations.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import { isNamedIn } from '../../http/content.ts'
import { serializeUser } from '../users/serialize.ts'
import type { AvatarService } from './service.ts'

export const avatarRoutes = (avatars: AvatarService): Handlers<typeof operations> => ({
  'users.setAvatar': async ({ actor, body }) => serializeUser(await avatars.set(actor, body.file)),
  'users.deleteAvatar': async ({ actor }) => serializeUser(await avatars.remove(actor)),
  'users.getAvatar': async ({ params, request, reply }) => {
    const avatar = await avatars.get(params.avatarKey)
    if (avatar === undefined) throw new AppError('not_found')
    const etag = `"${params.avatarKey}"`
    // Pages of any origin show it, and whatever it were, as a page it could do nothing.
    reply.headers({
      'cache-control': 'public, max-age=31536000, immutable',
      etag,
      'content-security-policy': "sandbox; default-src 'none'",
      'cross-origin-resource-policy': 'cross-origin',
    })
    if (isNamedIn(request.headers['if-none-match'], etag)) {
      avatar.content.destroy()
      reply.code(304)
      return
    }
    reply.header('content-length', avatar.sizeBytes)
    return avatar.content
  },
})
