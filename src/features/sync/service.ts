import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { showsOlder, withoutOriginal } from '../../message-visibility.ts'
import type { Change } from '../../topics.ts'
import type { ChangeRange, HiddenChange, Joining, Membership, Position, SyncRepository } from './repository.ts'

export type { HiddenChange, Membership, Position } from './repository.ts'

/** A change and the number of the one that it follows: between the two there is nothing that still holds. */
export interface LinkedChange {
  change: Change | HiddenChange
  previousChangeSeq: number
}

export type Cursors = Readonly<Record<string, number>>

export interface Pulled {
  changes: LinkedChange[]
  /** Those that were given, moved past these changes. */
  cursors: Record<string, number>
  positions: Record<string, number>
  /** Conversations that are not the actor's any more. */
  gone: ConversationId[]
  hasMore: boolean
}

export type SyncService = ReturnType<typeof createSyncService>

export function createSyncService({ sync }: { sync: SyncRepository }) {
  const linked = async (range: ChangeRange, limit: number, previousChangeSeq = range.afterChangeSeq): Promise<LinkedChange[]> =>
    link(await sync.changes(range, limit), previousChangeSeq)

  /** Where every conversation of a user stands, or every one among these, by its id. */
  const positionsOf = async (userId: UserId, among?: readonly ConversationId[]): Promise<Map<ConversationId, Position>> => {
    const positions = await sync.positions(userId, among)
    return new Map(positions.map((position) => [position.conversationId, position]))
  }

  return {
    positions: positionsOf,

    /**
     * The changes of one conversation in order, at most `limit`; the first one follows `previousChangeSeq`. What is not for the reader is
     * hidden. Asks nobody's permission: for those who know that the reader is a member, and who stop where the reader has left.
     */
    changes: linked,

    /** Whether there are more messages than `limit` in a range. */
    hasMoreMessages: (range: ChangeRange, limit: number): Promise<boolean> => sync.hasMoreMessages(range, limit),

    /** Who of these users is a member of a conversation. */
    membershipsIn: (conversationId: ConversationId, userIds: readonly UserId[]): Promise<Membership[]> => sync.membershipsIn(conversationId, userIds),

    /** What these users have become members of after this moment. */
    membershipsSince: (joinedAfter: Date, userIds: readonly UserId[]): Promise<Joining[]> => sync.membershipsSince(joinedAfter, userIds),

    /** The last `changeSeq` of these conversations. */
    heads: (conversationIds: ConversationId[]): Promise<Map<ConversationId, number>> => sync.heads(conversationIds),

    /** What changed since the actor's cursors, at most `limit` changes; a cursor of 0 stands for where the actor joined. */
    async pull(actor: Actor, { cursors = {}, limit = 500 }: { cursors?: Cursors | undefined; limit?: number | undefined }): Promise<Pulled> {
      const positions = await positionsOf(actor.userId)
      const pulled: Pulled = { changes: [], cursors: {}, positions: toRecord(positions), gone: [], hasMore: false }
      for (const [id, cursor] of Object.entries(cursors)) {
        const position = positions.get(id as ConversationId)
        if (position === undefined) pulled.gone.push(id as ConversationId)
        else await pullOne(pulled, actor.userId, position, cursor, limit)
      }
      return pulled
    },
  }

  async function pullOne(pulled: Pulled, userId: UserId, position: Position, cursor: number, limit: number): Promise<void> {
    const { conversationId, changeSeq } = position
    const room = limit - pulled.changes.length
    const range = rangeSince(position, cursor)
    const isBehind = changeSeq > range.afterChangeSeq
    const changes = isBehind && room > 0 ? untilLeft(userId, await linked({ ...range, readerId: userId }, room, cursor)) : []
    pulled.changes.push(...changes)
    pulled.cursors[conversationId] = isBehind ? (changes.at(-1)?.change.changeSeq ?? cursor) : changeSeq
    pulled.hasMore ||= isBehind && changes.length >= room
  }
}

/** Everything after a cursor; whoever holds nothing gets what they would have heard since they joined. */
export const rangeSince = ({ conversationId, joinedChangeSeq }: Position, cursor: number): ChangeRange => ({
  conversationId,
  afterChangeSeq: cursor === 0 ? joinedChangeSeq - 1 : cursor,
})

/** What of a change is for a member: all of it, all but the message that it answers, or only its number. */
export function sightOf(change: Change, { userId, firstSeq }: Pick<Membership, 'userId' | 'firstSeq'>): 'whole' | 'withoutOriginal' | 'hidden' {
  if (change.type === 'membership.updated') return change.userId === userId ? 'whole' : 'hidden'
  if (!('message' in change)) return 'whole'
  if (change.message.seq < firstSeq) return 'hidden'
  return showsOlder(change.message, firstSeq) ? 'withoutOriginal' : 'whole'
}

export const seen = {
  whole: (change: Change): Change => change,
  withoutOriginal: (change: Change): Change => ('message' in change ? { ...change, message: withoutOriginal(change.message) } : change),
  hidden: ({ conversationId, changeSeq }: Change): HiddenChange => ({ type: 'change.hidden', conversationId, changeSeq }),
}

/** What a member may be told: nothing after their own leaving. */
function untilLeft(userId: UserId, changes: LinkedChange[]): LinkedChange[] {
  const end = changes.findIndex(({ change }) => change.type === 'member.left' && change.userId === userId)
  return end === -1 ? changes : changes.slice(0, end + 1)
}

const toRecord = (positions: ReadonlyMap<ConversationId, Position>): Record<string, number> =>
  Object.fromEntries([...positions.values()].map(({ conversationId, changeSeq }) => [conversationId, changeSeq]))

function link(changes: (Change | HiddenChange)[], firstPrevious: number): LinkedChange[] {
  let previousChangeSeq = firstPrevious
  return changes.map((change) => {
    const linkedChange = { change, previousChangeSeq }
    previousChangeSeq = change.changeSeq
    return linkedChange
  })
}
