/**
 * The sockets of this process. A socket is subscribed first and told its positions second, so whatever happens in between reaches
 * it; a resume holds live changes back until what is older has been sent. The client's rule is then one comparison per frame, and
 * what it applies is exactly once and in order, across reconnects and crashes.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import type { Actor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import { type SyncService, toRecord } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { ConversationJoined, Topics } from '../topics.ts'
import { createCatchUp } from './catch-up.ts'
import type { Commands } from './commands.ts'
import { Connection } from './connection.ts'
import { createFeeds } from './feeds.ts'
import { createFrameHandler } from './frame-handler.ts'

interface Dependencies {
  topics: Topics
  sync: Pick<SyncService, 'positions' | 'changes' | 'heads'>
  commands: Commands
  clock: Clock
  log: Log
  heartbeatSeconds: number
}

/** Conversations that were joined while the socket was being opened have their turn afterwards. */
interface Joins {
  opened: boolean
  meanwhile: ConversationJoined[]
}

export const maximumFrameBytes = 65_536
const sweepMilliseconds = 1_000

export type Gateway = ReturnType<typeof createGateway>

export function createGateway({ topics, sync, commands, clock, log, heartbeatSeconds }: Dependencies) {
  const connections = new Set<Connection>()
  const feeds = createFeeds({ topics, sync, log })
  const catchUp = createCatchUp({ sync })
  const onFrame = createFrameHandler({ commands, catchUp, clock, log })

  const open = async (connection: Connection, joins: Joins): Promise<void> => {
    const positions = await sync.positions(connection.actor.userId)
    if (!connection.isOpen) return
    const behind: { conversationId: ConversationId; changeSeq: number; upTo: number }[] = []
    for (const { conversationId, changeSeq } of positions.values()) {
      const feed = feeds.follow(connection, conversationId, changeSeq)
      if (feed.lastChangeSeq > changeSeq) behind.push({ conversationId, changeSeq, upTo: feed.lastChangeSeq })
    }
    connection.sendJson({ type: 'hello', data: { heartbeatSeconds, maxFrameBytes: maximumFrameBytes, positions: toRecord(positions) } })
    for (const { conversationId, changeSeq, upTo } of behind) await catchUp.bridge(connection, conversationId, changeSeq, upTo)
    for (const joined of joins.meanwhile) await join(connection, joined)
    joins.opened = true
  }

  const join = async (connection: Connection, { conversationId, afterChangeSeq }: ConversationJoined): Promise<void> => {
    const feed = feeds.follow(connection, conversationId, afterChangeSeq)
    if (feed.lastChangeSeq > afterChangeSeq) await catchUp.bridge(connection, conversationId, afterChangeSeq, feed.lastChangeSeq)
  }

  /** A socket that cannot be told what it missed is better closed: its client connects again and resumes. */
  const orGoAway = (connection: Connection, work: Promise<void>): void => {
    work.catch((error: unknown) => {
      log.warn({ err: error }, 'A socket could not be served and is closed')
      connection.close('going_away')
    })
  }

  const heartbeat = (): void => {
    for (const connection of connections) {
      if (connection.alive) connection.ping()
      else connection.terminate()
    }
  }

  const endExpired = (): void => {
    const now = clock.now().getTime()
    for (const connection of connections) if (connection.actor.expiresAt <= now) connection.close('unauthorized')
  }

  const timers = [setInterval(heartbeat, heartbeatSeconds * 1_000), setInterval(endExpired, sweepMilliseconds)]

  return {
    get size(): number {
      return connections.size
    },

    /** Takes over a socket whose handshake is done. @param raw the stream below it. */
    accept(socket: WebSocket, raw: Socket, actor: Actor): void {
      const connection = new Connection(socket, raw, actor)
      connections.add(connection)
      const joins: Joins = { opened: false, meanwhile: [] }
      const ends = [
        topics.subscribe('user', actor.userId, (joined) => (joins.opened ? orGoAway(connection, join(connection, joined)) : joins.meanwhile.push(joined))),
        topics.subscribe('session', actor.sessionId, () => connection.close('unauthorized')),
      ]
      socket.on('message', (data: Buffer, isBinary: boolean) => onFrame(connection, isBinary ? '' : data.toString()))
      socket.on('pong', () => {
        connection.alive = true
      })
      socket.on('close', () => {
        connections.delete(connection)
        feeds.unfollowAll(connection)
        for (const end of ends) end()
      })
      orGoAway(connection, open(connection, joins))
    },

    /** Sends every client away to resume elsewhere, and waits until they are gone. */
    async close(): Promise<void> {
      for (const timer of timers) clearInterval(timer)
      feeds.close()
      await Promise.all([...connections].map((connection) => connection.closeAndWait('going_away')))
    },
  }
}
