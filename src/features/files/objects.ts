/** What a file is in the object storage: its bytes, and the small picture of some. */
import type { FileId } from '../../../openapi/shared/ids.ts'
import type { ObjectStorage } from '../../integrations/object-storage.ts'

export const originalKey = (id: FileId): string => `files/${id}`

export const thumbnailKey = (id: FileId): string => `thumbnails/${id}`

export const keysOf = (id: FileId): string[] => [originalKey(id), thumbnailKey(id)]

export async function deleteObjectsOf(id: FileId, objects: ObjectStorage): Promise<void> {
  for (const key of keysOf(id)) await objects.delete(key)
}
