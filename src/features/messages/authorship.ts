/**
 * All that one user has written, wherever it stands, for taking it along and for erasing it. Conversations are read in windows of
 * numbers, so that no statement takes longer for a long conversation in which the user has said little.
 */
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Clock } from '../../clock.ts'
import type { MessageRow, MessageVersionRow } from '../../db/schema/messages.ts'
import type { Topics } from '../../topics.ts'
import type { AuthorshipRepository } from './authorship-repository.ts'
import type { MessageChangeRepository } from './change-repository.ts'
import { deleteWithin, type FileDiscard } from './deletion.ts'
import { publishChanges } from './publication.ts'

interface Dependencies {
  authorship: AuthorshipRepository
  changes: Pick<MessageChangeRepository, 'change'>
  files: FileDiscard
  topics: Pick<Topics, 'publish'>
  clock: Clock
}

const windowSize = 10_000
const batchSize = 200

/** A message and what it said before, the latest last. */
export type WrittenMessage = MessageRow & { versions: Omit<MessageVersionRow, 'conversationId' | 'seq'>[] }

export type Authorship = ReturnType<typeof createAuthorship>

export function createAuthorship({ authorship, changes, files, topics, clock }: Dependencies) {
  async function* conversationsOf(userId: UserId): AsyncGenerator<{ id: ConversationId; lastSeq: number }> {
    let after: ConversationId | undefined
    for (;;) {
      const found = await authorship.conversationsOf(userId, after, batchSize)
      if (found.length === 0) return
      after = found.at(-1)?.id
      yield* found
    }
  }

  async function* batchesIn(conversationId: ConversationId, lastSeq: number, senderId: UserId): AsyncGenerator<MessageRow[]> {
    let next = 1
    while (next <= lastSeq) {
      const end = next + windowSize - 1
      const rows = await authorship.list(conversationId, senderId, { from: next, to: end }, batchSize)
      yield rows
      next = ((rows.length === batchSize && rows.at(-1)?.seq) || end) + 1
    }
  }

  /** In order within each conversation, some at a time; nothing is read before it is asked for, and empty windows are told too: no step is long. */
  async function* rowsOf(userId: UserId): AsyncGenerator<MessageRow[]> {
    for await (const { id, lastSeq } of conversationsOf(userId)) yield* batchesIn(id, lastSeq, userId)
  }

  return {
    /** All that a user has written, with what it said before. In order within each conversation, some at a time, as it is asked for. */
    async *batches(userId: UserId): AsyncGenerator<WrittenMessage[]> {
      for await (const rows of rowsOf(userId)) {
        const edited = rows.filter(({ editedAt }) => editedAt !== null)
        const versions = await authorship.versions(edited)
        yield rows.map((row) => ({ ...row, versions: versions.get(row.seq) ?? [] }))
      }
    },

    /** Empties every message of a user; the numbers stay. To be killed in the middle and done again is no harm. */
    async erase(userId: UserId): Promise<void> {
      for await (const batch of rowsOf(userId)) {
        const left = batch.filter(({ deletedAt, clientId }) => deletedAt === null || clientId !== null)
        const [first] = left
        if (first === undefined) continue
        const { conversationId } = first
        const seqs = left.map(({ seq }) => seq)
        const changed = await changes.change(conversationId, async (locked, tx) => {
          await deleteWithin({ locked, files, at: clock.now() }, seqs, tx)
          // Of all of them: others may have deleted some since they were read.
          await authorship.forgetClientIds(conversationId, seqs, tx)
        })
        publishChanges(topics, changed?.changes ?? [])
      }
    },
  }
}
