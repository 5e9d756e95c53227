import { closed, component, uploadedFile } from '../contract.ts'

/** Where pictures are: this and the picture's key is its address. */
export const avatarsPath = '/v1/avatars/'

export const avatarBytes = 5 * 1_048_576

export const SetAvatarRequest = component(
  'SetAvatarRequest',
  closed(
    { file: uploadedFile({ maxBytes: avatarBytes, description: 'The picture: PNG, JPEG, WebP or GIF, up to 5 MiB' }) },
    { description: 'A picture of you' },
  ),
)
