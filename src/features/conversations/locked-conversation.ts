/**
 * A conversation under its row lock: the only place where its changes are numbered, but for messages and read marks, whose
 * statements lock by themselves. Each method writes its changes with the next numbers and remembers them for the publication. Sends wait
 * for the lock, so no method takes more statements for more people.
 */
import { isDeepStrictEqual } from 'node:util'
import { eq } from 'drizzle-orm'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Transaction } from '../../db/client.ts'
import { type ConversationRow, conversations } from '../../db/schema/conversations.ts'
import type { Change } from '../../topics.ts'
import { endInvites } from './invite-repository.ts'
import { lockedBlocks } from './locked-blocks.ts'
import { lockedMembers } from './locked-members.ts'
import { type LockedRow, lockedRow, type Recorded, type Settings, type SettingsChange } from './locked-row.ts'

export type LockedConversation = NonNullable<Awaited<ReturnType<typeof lockConversation>>>

/** @returns undefined when there is no such conversation. */
export async function lockConversation(tx: Transaction, conversationId: ConversationId) {
  const [found] = await tx.select().from(conversations).where(eq(conversations.id, conversationId)).for('no key update')
  if (found === undefined) return undefined
  const row = lockedRow(tx, found)
  return {
    get state(): Readonly<ConversationRow> {
      return row.state
    },

    /** In order. */
    get changes(): readonly Change[] {
      return row.changes
    },

    ...lockedSettings(row),
    ...lockedMembers(row),
    ...lockedBlocks(row),
  }
}

function lockedSettings(row: LockedRow) {
  const { tx } = row

  const recordUpdate = async (set: Recorded): Promise<void> => {
    const changeSeq = row.nextChangeSeq
    await row.record([{ type: 'conversation.updated', conversationId: row.state.id, changeSeq, conversation: row.state }], { ...set, changeSeq })
  }

  return {
    /** @returns whether anything is other than it was; otherwise no number is spent. */
    async update(given: SettingsChange, now: Date): Promise<boolean> {
      const set: Partial<Settings> = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      if (isDeepStrictEqual({ ...row.state, ...set }, row.state)) return false
      await recordUpdate({ ...set, updatedAt: now })
      if (set.allowInvites === false) await endInvites(row.state, tx)
      return true
    },

    /** Messages before this one are gone, so many tombstones among them. It is no news for which the conversation would move in a list. */
    async raiseFirstSeq(firstSeq: number, tombstones: number): Promise<void> {
      await recordUpdate({ firstSeq, deletedCount: row.state.deletedCount - tombstones })
    },
  }
}
