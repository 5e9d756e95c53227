import { Type } from '@sinclair/typebox'
import { binaryContent, defineOperation, ref } from '../contract.ts'
import { contentHeaders } from '../shared/content.ts'
import { aliceExample } from '../users/examples.ts'
import { User } from '../users/schemas.ts'
import { avatarBytes, avatarsPath, SetAvatarRequest } from './schemas.ts'

export const setAvatar = defineOperation({
  operationId: 'users.setAvatar',
  method: 'PUT',
  path: '/v1/users/me/avatar',
  summary: 'Set your picture',
  description: `PNG, JPEG, WebP or GIF, as its bytes say, whatever it is called: up to ${avatarBytes / 1_048_576} MiB and 40 megapixels. It is turned upright, cut to its middle, scaled to 512 × 512 pixels and kept as WebP, without what else was in the file; of a moving picture the first frame is kept.`,
  access: 'user',
  rateLimit: 'uploads',
  multipart: true,
  body: ref(SetAvatarRequest),
  examples: { any: { file: '(the bytes of the picture)' } },
  responses: { 200: { description: 'You, with the address of the new picture', body: ref(User), example: aliceExample } },
  errors: [],
})

export const deleteAvatar = defineOperation({
  operationId: 'users.deleteAvatar',
  method: 'DELETE',
  path: '/v1/users/me/avatar',
  summary: 'Take your picture away',
  description: 'Where there is none, nothing changes.',
  access: 'user',
  rateLimit: 'default',
  responses: { 200: { description: 'You, without a picture', body: ref(User), example: { ...aliceExample, avatarUrl: null } } },
  errors: [],
})

export const getAvatar = defineOperation({
  operationId: 'users.getAvatar',
  method: 'GET',
  path: `${avatarsPath}{avatarKey}`,
  summary: 'Get a picture',
  description:
    'For browsers to show: `avatarUrl` of a user is its address, which nobody can guess and which never shows another picture, so it may be kept for ever. `If-None-Match` is heeded. A process of the server sends 64 at once to one address: more are `rate_limit_exceeded`.',
  access: 'public',
  rateLimit: 'none',
  page: true,
  params: Type.Object({ avatarKey: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$', description: 'The end of `avatarUrl`' }) }),
  responses: {
    200: {
      description: 'The picture: 512 × 512 pixels',
      headers: { ETag: contentHeaders.ETag },
      contentType: 'image/webp',
      body: binaryContent('WebP'),
      example: '(the bytes of the picture)',
    },
    304: { description: 'The one that you have', headers: { ETag: contentHeaders.ETag } },
  },
  errors: ['not_found', 'rate_limit_exceeded', 'unavailable', 'internal_error'],
})
