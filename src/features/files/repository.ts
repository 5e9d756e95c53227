import { and, eq, inArray, lt } from 'drizzle-orm'
import type { ConversationId, FileId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type FileRow, files } from '../../db/schema/messages.ts'

/** Files of messages of one conversation: of those that are named, or of all before one. */
export interface Selection {
  conversationId: ConversationId
  seqs?: number[]
  beforeSeq?: number
}

export type FileRepository = ReturnType<typeof createFileRepository>

export const createFileRepository = () => ({
  async deleteOf({ conversationId, seqs, beforeSeq }: Selection, tx: Executor): Promise<Pick<FileRow, 'id'>[]> {
    const isSelected = and(
      eq(files.conversationId, conversationId),
      seqs && inArray(files.seq, seqs),
      beforeSeq === undefined ? undefined : lt(files.seq, beforeSeq),
    )
    return tx.delete(files).where(isSelected).returning({ id: files.id })
  },
})

export const originalKey = (id: FileId): string => `files/${id}`

export const thumbnailKey = (id: FileId): string => `files/${id}/thumbnail`
