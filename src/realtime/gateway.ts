/**
 * The sockets of this process. A socket is subscribed first and told its positions second, so whatever happens in between reaches
 * it; a resume holds live changes back until what is older has been sent. The client's rule is then one comparison per frame, and
 * what it applies is exactly once and in order, across reconnects and crashes.
 */
import type { WebSocket } from 'ws'
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import type { Clock } from '../clock.ts'
import type { CredentialEnds } from '../credential-ends.ts'
import { serializePresence } from '../features/presence/serialize.ts'
import type { Position, SyncService } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import type { ConversationJoined, PresenceChanged, Topics } from '../topics.ts'
import { createCatchUp } from './catch-up.ts'
import type { Commands } from './commands.ts'
import { Connection, type Handshake } from './connection.ts'
import { createFeeds } from './feeds.ts'
import { createFrameHandler } from './frame-handler.ts'

interface Dependencies {
  topics: Topics
  onCredentialEnd: CredentialEnds['onEnd']
  sync: Pick<SyncService, 'positions' | 'changes' | 'hasMoreMessages' | 'heads'>
  commands: Commands
  /** Hears of every socket, when it is opened and when it is closed. */
  presence: { opened(userId: UserId): void; closed(userId: UserId): void }
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
/** For the answers of commands that are under way at the end. */
const answerMilliseconds = 3_000

export type Gateway = ReturnType<typeof createGateway>

export function createGateway({ topics, onCredentialEnd, sync, commands, presence, clock, log, heartbeatSeconds }: Dependencies) {
  const connections = new Set<Connection>()
  const feeds = createFeeds({ topics, sync, log })
  const catchUp = createCatchUp({ sync, feeds })
  const onFrame = createFrameHandler({ commands, catchUp, clock, log })

  let closing = false

  /** Subscribes to every conversation of the user. @returns where they stood after that. */
  const subscribe = async (connection: Connection): Promise<ReadonlyMap<ConversationId, Position>> => {
    const positions = await sync.positions(connection.actor.userId)
    const fresh = [...positions.values()].filter(({ conversationId }) => !connection.following.has(conversationId))
    if (fresh.length === 0 || !connection.isOpen) return positions
    for (const { conversationId, changeSeq } of fresh) feeds.subscribe(connection, conversationId, changeSeq)
    return subscribe(connection)
  }

  const open = async (connection: Connection, joins: Joins): Promise<void> => {
    const positions = await subscribe(connection)
    if (!connection.isOpen) return
    const told: Record<string, number> = {}
    for (const { conversationId, changeSeq } of positions.values()) {
      const position = feeds.begin(connection, conversationId, changeSeq)
      if (position !== undefined) told[conversationId] = position
    }
    for (const conversationId of connection.following) if (!(conversationId in told)) feeds.unfollow(connection, conversationId)
    connection.sendJson({ type: 'hello', data: { heartbeatSeconds, maxFrameBytes: maximumFrameBytes, positions: told } })
    for (const joined of joins.meanwhile) if (!connection.following.has(joined.conversationId)) await joinLate(connection, joined)
    joins.opened = true
  }

  const join = async (connection: Connection, { conversationId, afterChangeSeq }: ConversationJoined): Promise<void> => {
    if (!connection.isOpen) return
    const stands = feeds.join(connection, conversationId, afterChangeSeq)
    if (stands > afterChangeSeq) await catchUp.bridge(connection, conversationId, afterChangeSeq, stands)
  }

  /** The changes of the joining have passed already, and more may have, the leaving too. */
  const joinLate = async (connection: Connection, { conversationId, afterChangeSeq }: ConversationJoined): Promise<void> => {
    if (!connection.isOpen) return
    const stands = feeds.join(connection, conversationId, afterChangeSeq)
    await catchUp.bridge(connection, conversationId, afterChangeSeq, Math.max(stands, afterChangeSeq + 1))
  }

  /** A socket that cannot be told what it missed is better closed: its client connects again and resumes. */
  const orGoAway = (connection: Connection, work: Promise<void>): void => {
    work.catch((error: unknown) => {
      log.warn({ err: error, requestId: connection.requestId, userId: connection.actor.userId }, 'A socket could not be served and is closed')
      connection.close('going_away')
    })
  }

  const onUserEvent = (connection: Connection, joins: Joins, event: ConversationJoined | PresenceChanged): void => {
    if (event.type === 'presence.changed') {
      // Before the hello nothing is said: whoever is new here asks for the presence of others afterwards.
      if (joins.opened) connection.send(presenceFrame(event))
    } else if (joins.opened) orGoAway(connection, join(connection, event))
    else joins.meanwhile.push(event)
  }

  const heartbeat = (): void => {
    for (const connection of connections) connection.ping()
  }

  const heartbeats = setInterval(heartbeat, heartbeatSeconds * 1_000)

  return {
    get size(): number {
      return connections.size
    },

    /** Takes over a socket whose handshake is done. */
    accept(socket: WebSocket, handshake: Handshake): void {
      const { actor } = handshake
      const connection = new Connection(socket, handshake)
      connections.add(connection)
      socket.on('error', () => socket.terminate())
      socket.on('close', () => connections.delete(connection))
      if (closing) return connection.close('going_away')
      const joins: Joins = { opened: false, meanwhile: [] }
      const ends = [
        topics.subscribe('user', actor.userId, (event) => onUserEvent(connection, joins, event)),
        onCredentialEnd(actor, () => connection.close('unauthorized')),
      ]
      socket.on('message', (data: Buffer, isBinary: boolean) => onFrame(connection, isBinary ? '' : data.toString()))
      socket.on('pong', () => {
        connection.alive = true
      })
      socket.on('close', () => {
        for (const conversationId of connection.following) feeds.unfollow(connection, conversationId)
        for (const end of ends) end()
        presence.closed(actor.userId)
      })
      presence.opened(actor.userId)
      orGoAway(connection, open(connection, joins))
    },

    /** Answers the commands that were read, sends every client away to resume elsewhere, and waits until they are gone. */
    async close(): Promise<void> {
      closing = true
      clearInterval(heartbeats)
      feeds.close()
      // Handshakes that were under way may end meanwhile.
      while (connections.size > 0) await Promise.all([...connections].map(leave))
    },
  }
}

const presenceFrames = new WeakMap<PresenceChanged, Buffer>()

/** Written once for all who are told. */
function presenceFrame(event: PresenceChanged): Buffer {
  const bytes = presenceFrames.get(event) ?? Buffer.from(JSON.stringify({ type: event.type, data: serializePresence(event.presence) }))
  presenceFrames.set(event, bytes)
  return bytes
}

/** A client that does not read, or a database that does not answer, holds nobody up for long. */
async function leave(connection: Connection): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, answerMilliseconds)
  await Promise.race([connection.finish(), late.promise])
  clearTimeout(timer)
  await connection.closeAndWait('going_away')
}
