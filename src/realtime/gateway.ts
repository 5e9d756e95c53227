/**
 * The sockets of this process. A socket is subscribed first and told its positions second, so whatever happens in between reaches
 * it; a resume holds live changes back until what is older has been sent. The client's rule is then one comparison per frame, and
 * what it applies is exactly once and in order, across reconnects and crashes.
 */
import type { WebSocket } from 'ws'
import type { UserId } from '../../openapi/shared/ids.ts'
import type { Clock } from '../clock.ts'
import type { CredentialEnds } from '../credential-ends.ts'
import { serializeMessage } from '../features/messages/serialize.ts'
import { serializePresence } from '../features/presence/serialize.ts'
import type { SyncService } from '../features/sync/service.ts'
import type { Log } from '../log.ts'
import { createReload } from '../reload.ts'
import type { ConversationJoined, Mentioned, PresenceChanged, Topics } from '../topics.ts'
import { createCatchUp } from './catch-up.ts'
import type { Commands } from './commands.ts'
import { Connection, type Handshake } from './connection.ts'
import { createFeeds } from './feeds.ts'
import { createFrameHandler } from './frame-handler.ts'
import { tellHello } from './positions.ts'
import { createSubscriptions } from './subscriptions.ts'

interface Dependencies {
  topics: Topics
  onCredentialEnd: CredentialEnds['onEnd']
  sync: Pick<SyncService, 'positions' | 'membershipsSince' | 'membershipsIn' | 'changes' | 'hasMoreMessages' | 'heads'>
  commands: Commands
  /** Hears of every socket, when it is opened and when it is closed. */
  presence: { opened(userId: UserId): void; closed(userId: UserId): void }
  clock: Clock
  log: Log
  heartbeatSeconds: number
}

export const maximumFrameBytes = 65_536
/** For the answers of commands that are under way at the end. */
const answerMilliseconds = 3_000

export type Gateway = ReturnType<typeof createGateway>

export function createGateway({ topics, onCredentialEnd, sync, commands, presence, clock, log, heartbeatSeconds }: Dependencies) {
  const connections = new Set<Connection>()
  const feeds = createFeeds({ topics, sync, log })
  const catchUp = createCatchUp({ sync, feeds })
  const subscriptions = createSubscriptions({ sync, feeds, catchUp })
  const onFrame = createFrameHandler({ commands, catchUp, subscriptions, clock, log })

  let closing = false

  const open = async (connection: Connection): Promise<void> => {
    const positions = await subscriptions.begin(connection)
    if (!connection.isOpen) return
    tellHello(connection, positions, { heartbeatSeconds, maxFrameBytes: maximumFrameBytes })
    connection.greeted = true
    connection.listen()
    for (const joined of connection.joinedMeanwhile ?? []) await subscriptions.joinLate(connection, joined)
    connection.joinedMeanwhile = undefined
  }

  /** A socket that cannot be told what it missed is better closed: its client connects again and resumes. */
  const orGoAway = (connection: Connection, work: Promise<void>): void => {
    work.catch((error: unknown) => {
      log.warn({ err: error, requestId: connection.requestId, userId: connection.actor.userId }, 'A socket could not be served and is closed')
      connection.close('going_away')
    })
  }

  const onUserEvent = (connection: Connection, event: ConversationJoined | PresenceChanged | Mentioned): void => {
    if (event.type === 'conversation.joined') {
      const { joinedMeanwhile } = connection
      if (joinedMeanwhile === undefined) orGoAway(connection, subscriptions.join(connection, event))
      else joinedMeanwhile.push(event)
    }
    // Before the hello nothing is said: whoever is new here asks for the presence of others afterwards.
    else if (connection.greeted) connection.send(signalFrame(event))
  }

  /** Whoever opens a socket is told all that there is by then: only what has been joined since the last comparison may be missing. */
  let comparedAt = clock.now()

  const compareOnce = async (): Promise<void> => {
    const startsAt = clock.now()
    await feeds.compareAll()
    for (const [connection, joined] of await subscriptions.missedJoins([...connections], comparedAt)) {
      if (connection.joinedMeanwhile === undefined) orGoAway(connection, subscriptions.joinLate(connection, joined))
      else connection.joinedMeanwhile.push(joined)
    }
    comparedAt = startsAt
  }

  let comparing = false
  let compareAgain = false
  const compare = async (): Promise<void> => {
    compareAgain = comparing
    if (comparing) return
    comparing = true
    try {
      await compareOnce()
    } finally {
      comparing = false
    }
    if (compareAgain) await compare()
  }
  const comparison = createReload({ load: compare, failure: 'Could not compare the live conversations with the database', log })
  const stopListening = topics.onStale(comparison.reload)

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
      const connection = new Connection(socket, handshake, clock.now())
      connections.add(connection)
      socket.on('error', () => socket.terminate())
      socket.on('close', () => connections.delete(connection))
      if (closing) return connection.close('going_away')
      // The hello comes before any answer, and what the socket gets is settled by then.
      connection.deafen()
      const ends = [
        topics.subscribe('user', actor.userId, (event) => onUserEvent(connection, event)),
        onCredentialEnd(actor, () => connection.close('unauthorized')),
      ]
      socket.on('message', (data: Buffer, isBinary: boolean) => onFrame(connection, isBinary ? undefined : data.toString()))
      socket.on('pong', () => {
        connection.alive = true
      })
      socket.on('close', () => {
        for (const conversationId of connection.following) feeds.unfollow(connection, conversationId)
        for (const end of ends) end()
        presence.closed(actor.userId)
      })
      presence.opened(actor.userId)
      orGoAway(connection, open(connection))
    },

    /** Answers the commands that were read, sends every client away to resume elsewhere, and waits until they are gone. */
    async close(): Promise<void> {
      closing = true
      clearInterval(heartbeats)
      stopListening()
      comparison.close()
      // Handshakes that were under way may end meanwhile.
      while (connections.size > 0) await Promise.all([...connections].map(leave))
    },
  }
}

const signalFrames = new WeakMap<PresenceChanged | Mentioned, Buffer>()

/** Written once for all who are told. */
function signalFrame(event: PresenceChanged | Mentioned): Buffer {
  const written = signalFrames.get(event)
  if (written !== undefined) return written
  const data = event.type === 'presence.changed' ? serializePresence(event.presence) : { message: serializeMessage(event.message) }
  const bytes = Buffer.from(JSON.stringify({ type: event.type, data }))
  signalFrames.set(event, bytes)
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
