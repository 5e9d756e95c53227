/** The row of a conversation that is locked, its changes so far, and their numbers: what every method of `LockedConversation` stands on. */
import { eq } from 'drizzle-orm'
import type { Transaction } from '../../db/client.ts'
import { type ConversationRow, conversations } from '../../db/schema/conversations.ts'
import type { Change } from '../../topics.ts'

/** What members choose about a conversation. */
export type Settings = Pick<
  ConversationRow,
  'title' | 'description' | 'summary' | 'status' | 'tags' | 'metadata' | 'isPrivate' | 'allowInvites' | 'historyVisibility' | 'messageRetentionDays'
>

/** `undefined` says nothing about a field. */
export type SettingsChange = { [Field in keyof Settings]?: Settings[Field] | undefined }

/** What of a conversation a change may write. */
export type Recorded = Partial<Settings & Pick<ConversationRow, 'changeSeq' | 'memberCount' | 'firstSeq' | 'deletedCount' | 'updatedAt'>>

export type LockedRow = ReturnType<typeof lockedRow>

export function lockedRow(tx: Transaction, found: ConversationRow) {
  let state = found
  const changes: Change[] = []

  return {
    tx,

    get state(): Readonly<ConversationRow> {
      return state
    },

    /** In order. */
    get changes(): readonly Change[] {
      return changes
    },

    get nextChangeSeq(): number {
      return state.lastChangeSeq + 1
    },

    /** Brings the row of the conversation up to the changes that were just written. */
    async record(written: Change[], { updatedAt = state.updatedAt, ...fields }: Recorded = {}): Promise<void> {
      const lastChangeSeq = written.at(-1)?.changeSeq ?? state.lastChangeSeq
      // Never back, though clocks differ: no message is older than it.
      const set = { ...fields, lastChangeSeq, updatedAt: updatedAt > state.updatedAt ? updatedAt : state.updatedAt }
      state = { ...state, ...set }
      await tx.update(conversations).set(set).where(eq(conversations.id, state.id))
      changes.push(...written.map((change) => (change.type === 'conversation.updated' ? { ...change, conversation: state } : change)))
    },
  }
}
