/** The conversations that sockets of this process follow: each has a feed for as long as somebody does. */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { serializeChange } from '../features/sync/serialize.ts'
import type { SyncService } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { Change, Topics, Typing } from '../topics.ts'
import type { Connection, Frame } from './connection.ts'
import { Feed } from './feed.ts'

interface Dependencies {
  topics: Topics
  sync: Pick<SyncService, 'changes' | 'heads'>
  log: Log
}

/** Typing ends by itself after this long. */
const typingSeconds = 6

export type Feeds = ReturnType<typeof createFeeds>

export function createFeeds({ topics, sync, log }: Dependencies) {
  const feeds = new Map<ConversationId, { feed: Feed; unsubscribe(): void }>()

  const feedOf = (conversationId: ConversationId): Feed | undefined => feeds.get(conversationId)?.feed

  const start = (conversationId: ConversationId, lastChangeSeq: number): Feed => {
    const feed = new Feed({ conversationId, lastChangeSeq, readChanges: sync.changes, frameOf, onAbandoned: () => stop(conversationId), log })
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

  const catchUpAll = async (): Promise<void> => {
    const heads = await sync.heads([...feeds.keys()])
    for (const [conversationId, changeSeq] of heads) feedOf(conversationId)?.expect(changeSeq)
  }

  const stopListening = topics.onStale(() => {
    catchUpAll().catch((error: unknown) => log.warn({ err: error }, 'Could not compare the live conversations with the database'))
  })

  return {
    /** From here on nothing of the conversation passes unheard; nothing is sent before `begin`. @param changeSeq where it is known to stand */
    subscribe(connection: Connection, conversationId: ConversationId, changeSeq: number): void {
      const feed = feedOf(conversationId) ?? start(conversationId, changeSeq)
      feed.follow(connection, undefined)
    },

    /**
     * Sends what is newer, from now on.
     * @param changeSeq where the conversation stood after `subscribe`
     * @returns the number after which changes are sent; undefined when the user has left meanwhile.
     */
    begin(connection: Connection, conversationId: ConversationId, changeSeq: number): number | undefined {
      const feed = feedOf(conversationId)
      if (!feed?.has(connection)) return undefined
      const after = Math.max(changeSeq, feed.lastChangeSeq)
      feed.follow(connection, after)
      feed.expect(changeSeq)
      return after
    },

    /** Follows a conversation from a change on. @returns where its feed stands; what is older has to be read. */
    join(connection: Connection, conversationId: ConversationId, afterChangeSeq: number): number {
      const feed = feedOf(conversationId) ?? start(conversationId, afterChangeSeq)
      feed.join(connection, afterChangeSeq)
      return feed.lastChangeSeq
    },

    /** The connection's user has left with this change. */
    leave(connection: Connection, conversationId: ConversationId, leftChangeSeq: number): void {
      feedOf(conversationId)?.leave(connection, leftChangeSeq)
    },

    unfollow(connection: Connection, conversationId: ConversationId): void {
      feedOf(conversationId)?.unfollow(connection)
    },

    close: stopListening,
  }
}

/** A change is serialized once, for all its sockets. */
const frameOf = (change: Change, previousChangeSeq: number): Frame => ({
  changeSeq: change.changeSeq,
  bytes: Buffer.from(JSON.stringify(serializeChange(change, previousChangeSeq))),
})

function tellTyping(feed: Feed, { conversationId, userId, typing }: Typing): void {
  const frame = { type: 'typing', data: { conversationId, userId, typing, expiresInSeconds: typing ? typingSeconds : 0 } }
  const bytes = Buffer.from(JSON.stringify(frame))
  feed.tell(bytes, ({ actor }) => actor.userId !== userId)
}
