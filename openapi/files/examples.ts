import { conversationId } from '../messages/examples.ts'
import { ids } from '../users/examples.ts'
import type { StoredFile } from './schemas.ts'

export const fileExample = {
  id: '0193a1b2-0000-7000-8000-0000000000f1',
  name: 'Menu.jpg',
  contentType: 'image/jpeg',
  sizeBytes: 183_204,
  width: 1600,
  height: 1200,
  hasThumbnail: true,
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  ownerId: ids.alice,
  conversationId,
  seq: 41,
  createdAt: '2026-11-20T10:00:00.000Z',
} satisfies Record<keyof StoredFile, unknown>

export const unsentFileExample = { ...fileExample, conversationId: null, seq: null }
