/** What is kept in the object storage: pictures of users, and the files that they upload. */
import { createPictures } from '../features/avatars/pictures.ts'
import { type AvatarService, createAvatarService } from '../features/avatars/service.ts'
import { createFileRepository } from '../features/files/repository.ts'
import { createFileService, type FileService } from '../features/files/service.ts'
import type { UserService } from '../features/users/service.ts'
import { createDiskStorage } from '../integrations/object-storage.ts'
import type { Foundation } from './foundation.ts'

export async function composeFiles({ config: { dataDir }, db, jobs }: Foundation, users: UserService): Promise<{ avatars: AvatarService; files: FileService }> {
  const objects = createDiskStorage({ dataDir })
  await jobs.work('objects.delete', ({ key }) => objects.delete(key))
  const avatars = createAvatarService({ db, users, objects, makeAvatar: createPictures().makeAvatar, jobs })
  await jobs.work('avatars.deleteUnused', avatars.deleteUnused)
  const files = createFileService({ files: createFileRepository(), objects, jobs })
  await jobs.work('files.deleteObjects', files.deleteObjects)
  return { avatars, files }
}
