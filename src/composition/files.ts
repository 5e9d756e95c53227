/** What is kept in the object storage: pictures of users, and the files that they upload. */
import { deriveKeys } from '../features/auth/keys.ts'
import { type AvatarService, createAvatarService } from '../features/avatars/service.ts'
import { createFileLinks } from '../features/files/links.ts'
import { createFileRepository } from '../features/files/repository.ts'
import { createFileService, type FileService } from '../features/files/service.ts'
import type { UserService } from '../features/users/service.ts'
import { createPictures } from '../pictures.ts'
import type { Foundation } from './foundation.ts'

export async function composeFiles(foundation: Foundation, users: UserService): Promise<{ avatars: AvatarService; files: FileService }> {
  const { config, db, jobs, objects, clock, newId, log } = foundation
  const { jwtSecret, jwtSecretPrevious } = config
  const pictures = createPictures()
  await jobs.work('objects.delete', async ({ keys }) => {
    for (const key of keys) await objects.delete(key)
  })
  const avatars = createAvatarService({ db, users, objects, makeAvatar: pictures.makeAvatar, jobs })
  await jobs.work('avatars.deleteUnused', avatars.deleteUnused)
  const links = createFileLinks(deriveKeys([jwtSecret, ...(jwtSecretPrevious ? [jwtSecretPrevious] : [])], 'file-links'))
  const files = createFileService({
    ...{ db, files: createFileRepository(db), users, objects, jobs, links, clock, newId, log },
    measurePicture: pictures.measure,
    limits: config,
  })
  await jobs.work('files.deleteUnused', files.deleteUnused)
  return { avatars, files }
}
