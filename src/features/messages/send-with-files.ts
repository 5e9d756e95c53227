/**
 * Sending files. A message with its files is one transaction: it is inserted as any other, shows its files, and they become its own, or
 * nothing of it happened. Such messages are few beside the others, so they do not go through the lanes of the writer.
 */
import { drizzle } from 'drizzle-orm/node-postgres'
import type { Pool, PoolClient } from 'pg'
import type { Attachment } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, FileId, UserId } from '../../../openapi/shared/ids.ts'
import { isDivisionByZero, isUniqueViolation } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { complete, type WriteResult, type Written } from './completion.ts'
import { attempts, type Inserted, insertBatch, type NewMessage, type Refusal } from './insertion.ts'

/** What sending needs of the files: see `FileService`. */
export interface SentFiles {
  requireUnsent(ownerId: UserId, fileIds: readonly FileId[]): Promise<void>
  attachWithin(ownerId: UserId, fileIds: readonly FileId[], message: { conversationId: ConversationId; seq: number }, tx: Executor): Promise<Attachment[]>
}

interface Options {
  pool: Pool
  files: SentFiles
  /** As the writer's. */
  onStored(written: Written): void
}

export function createSendWithFiles({ pool, files, onStored }: Options) {
  const store = async (client: PoolClient, message: NewMessage, fileIds: readonly FileId[]): Promise<Inserted | Refusal> => {
    const tx = drizzle(client, { casing: 'snake_case' })
    const [result = 'refused'] = await insertBatch(client, [message])
    // A retry has its files already: what has become of them since does not matter.
    if (typeof result === 'string' || !result.created) return result
    const { conversationId, seq } = result.message
    const attachments = await files.attachWithin(message.senderId, fileIds, { conversationId, seq }, tx)
    await client.query({
      name: 'message-attachments',
      text: "update messages set type = 'file', attachments = $3 where conversation_id = $1 and seq = $2",
      values: [conversationId, seq, JSON.stringify(attachments)],
    })
    return { created: true, message: { ...result.message, type: 'file', attachments } }
  }

  const attempt = async (message: NewMessage, fileIds: readonly FileId[]): Promise<WriteResult> => {
    const client = await pool.connect()
    let isBroken = false
    try {
      await client.query('begin')
      const [result = 'refused'] = await complete(client, [await store(client, message, fileIds)])
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => (isBroken = true))
      throw error
    } finally {
      client.release(isBroken)
    }
  }

  /** Resolves after the commit. @throws `validation_error` unless all files are the sender's and were not sent yet */
  return async function sendWithFiles(message: NewMessage, fileIds: readonly FileId[]): Promise<WriteResult> {
    for (let left = attempts; ; left -= 1) {
      try {
        const result = await attempt(message, fileIds)
        if (typeof result === 'object') onStored(result)
        return result
      } catch (error) {
        // Another process has stored the same one meanwhile, or the sender may not write there any more: the next attempt sees it.
        if (left === 1 || !(isUniqueViolation(error) || isDivisionByZero(error))) throw error
      }
    }
  }
}
