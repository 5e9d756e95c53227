/** The conversations that sockets of this process follow: each has a feed for as long as somebody does. */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { serializeChange } from '../features/sync/serialize.ts'
import type { HiddenChange, Position, SyncService } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { Change, ConversationJoined, Topics, Typing } from '../topics.ts'
import type { Connection, Frame } from './connection.ts'
import { Feed } from './feed.ts'

interface Dependencies {
  topics: Topics
  sync: Pick<SyncService, 'changes' | 'membershipsIn' | 'heads'>
  log: Log
}

/** Typing ends by itself after this long. */
const typingSeconds = 6
/** Conversations that somebody begins to follow together are asked for together. */
const gatherMilliseconds = 20
/** After the database did not answer. */
const retryMilliseconds = 1_000

export type Feeds = ReturnType<typeof createFeeds>

export function createFeeds({ topics, sync, log }: Dependencies) {
  const feeds = new Map<ConversationId, { feed: Feed; unsubscribe(): void }>()
  let unsure: Set<ConversationId> | undefined

  const feedOf = (conversationId: ConversationId): Feed | undefined => feeds.get(conversationId)?.feed

  const start = (conversationId: ConversationId, lastChangeSeq: number): Feed => {
    const feed = new Feed({ conversationId, lastChangeSeq, sync, frameOf, onAbandoned: () => stop(conversationId), log })
    const unsubscribe = topics.subscribe('conversation', conversationId, (event) => {
      if (event.type === 'typing') tellTyping(feed, event)
      else if (event.type === 'advanced') feed.expect(event.changeSeq)
      else feed.add(event)
    })
    feeds.set(conversationId, { feed, unsubscribe })
    return feed
  }

  const stop = (conversationId: ConversationId): void => {
    const started = feeds.get(conversationId)
    started?.unsubscribe()
    started?.feed.end()
    feeds.delete(conversationId)
  }

  /** What others did may have passed before anybody listened: told by another process, it comes in any order. */
  const compareSoon = (conversationId: ConversationId, milliseconds = gatherMilliseconds): void => {
    if (unsure === undefined) setTimeout(() => compareUnsure(), milliseconds).unref()
    unsure ??= new Set()
    unsure.add(conversationId)
  }

  const compareUnsure = (): void => {
    const ids = [...(unsure ?? [])]
    unsure = undefined
    compare(ids).catch((error: unknown) => {
      log.warn({ err: error }, 'Could not read where new conversations stand; trying again')
      for (const id of ids) if (feeds.has(id)) compareSoon(id, retryMilliseconds)
    })
  }

  const compare = async (ids: ConversationId[]): Promise<void> => {
    for (const [conversationId, changeSeq] of await sync.heads(ids)) feedOf(conversationId)?.expect(changeSeq)
  }

  return {
    /** From here on nothing of the conversation passes unheard; nothing is sent before `begin`. @param position where it is known to stand */
    subscribe(connection: Connection, { conversationId, changeSeq, firstSeq, joinedChangeSeq }: Position): void {
      const feed = feedOf(conversationId) ?? start(conversationId, changeSeq)
      feed.follow(connection, undefined, { firstSeq, asOfChangeSeq: joinedChangeSeq })
    },

    /**
     * Sends what is newer, from now on.
     * @param position where the conversation stood after `subscribe`
     * @returns the number after which changes are sent; undefined when the user has left meanwhile.
     */
    begin(connection: Connection, { conversationId, changeSeq, firstSeq, joinedChangeSeq }: Position): number | undefined {
      const feed = feedOf(conversationId)
      if (!feed?.has(connection)) return undefined
      const after = Math.max(changeSeq, feed.lastChangeSeq)
      feed.follow(connection, after, { firstSeq, asOfChangeSeq: joinedChangeSeq })
      feed.expect(changeSeq)
      return after
    },

    /** Follows a conversation from a change on. @returns where its feed stands: what is older has to be read; undefined when there is nothing new in that. */
    join(connection: Connection, { conversationId, afterChangeSeq, firstSeq }: ConversationJoined): number | undefined {
      const known = feedOf(conversationId)
      if (known === undefined) compareSoon(conversationId)
      const feed = known ?? start(conversationId, afterChangeSeq)
      return feed.join(connection, afterChangeSeq, { firstSeq, asOfChangeSeq: afterChangeSeq }) ? feed.lastChangeSeq : undefined
    },

    /** The connection's user has left with this change. */
    leave(connection: Connection, conversationId: ConversationId, leftChangeSeq: number): void {
      feedOf(conversationId)?.leave(connection, leftChangeSeq)
    },

    unfollow(connection: Connection, conversationId: ConversationId): void {
      feedOf(conversationId)?.unfollow(connection)
    },

    /** @returns the number after which changes are sent to a connection; undefined while none are */
    positionOf: (connection: Connection, conversationId: ConversationId): number | undefined => feedOf(conversationId)?.positionOf(connection),

    /** Reads what is newer than what was heard, of all of them. */
    compareAll: (): Promise<void> => (feeds.size === 0 ? Promise.resolve() : compare([...feeds.keys()])),
  }
}

const frameOf = (change: Change | HiddenChange, previousChangeSeq: number): Frame => ({
  changeSeq: change.changeSeq,
  bytes: Buffer.from(JSON.stringify(serializeChange(change, previousChangeSeq))),
})

function tellTyping(feed: Feed, { conversationId, userId, typing }: Typing): void {
  const frame = { type: 'typing', data: { conversationId, userId, typing, expiresInSeconds: typing ? typingSeconds : 0 } }
  const bytes = Buffer.from(JSON.stringify(frame))
  feed.tell(bytes, ({ actor }) => actor.userId !== userId)
}
