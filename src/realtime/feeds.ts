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

export function createFeeds({ topics, sync, log }: Dependencies) {
  const feeds = new Map<ConversationId, { feed: Feed; unsubscribe(): void }>()

  const start = (conversationId: ConversationId, lastChangeSeq: number) => {
    const feed = new Feed({ conversationId, lastChangeSeq, readChanges: sync.changes, frameOf, log })
    const unsubscribe = topics.subscribe('conversation', conversationId, (event) => (event.type === 'typing' ? tellTyping(feed, event) : feed.add(event)))
    const started = { feed, unsubscribe }
    feeds.set(conversationId, started)
    return started
  }

  const catchUpAll = async (): Promise<void> => {
    const heads = await sync.heads([...feeds.keys()])
    for (const [conversationId, changeSeq] of heads) feeds.get(conversationId)?.feed.expect(changeSeq)
  }

  const stopListening = topics.onStale(() => {
    catchUpAll().catch((error: unknown) => log.warn({ err: error }, 'Could not compare the live conversations with the database'))
  })

  return {
    /** @returns the feed; when it stands beyond `afterChangeSeq`, the changes in between have to be read. */
    follow(connection: Connection, conversationId: ConversationId, afterChangeSeq: number): Feed {
      const { feed } = feeds.get(conversationId) ?? start(conversationId, afterChangeSeq)
      if (!feed.followers.has(connection)) feed.followers.set(connection, afterChangeSeq)
      connection.following.add(conversationId)
      return feed
    },

    unfollowAll(connection: Connection): void {
      for (const conversationId of connection.following) {
        const started = feeds.get(conversationId)
        started?.feed.followers.delete(connection)
        if (started === undefined || started.feed.followers.size > 0) continue
        started.unsubscribe()
        started.feed.end()
        feeds.delete(conversationId)
      }
      connection.following.clear()
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
  for (const connection of feed.followers.keys()) if (connection.actor.userId !== userId) connection.send(bytes)
}
