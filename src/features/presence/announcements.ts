/**
 * Tells the users who are connected to this process what has changed of others. Every process hears whose presence changed and looks
 * for itself who of its own may know; all that was heard meanwhile is one question. What is told is read when it is told, one answer
 * after another, so the last one is true. It is of the moment: nothing is repeated after a gap of the bus, for it would have to be
 * everybody's presence to everybody; clients that need to be sure ask for those whom they show, as they do when they connect.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Log } from '../../log.ts'
import type { PresenceEntity, Topics } from '../../topics.ts'
import type { PresenceRepository } from './repository.ts'

interface Dependencies {
  presence: Pick<PresenceRepository, 'audiences' | 'statusOf' | 'areTogether'>
  /** Who has a socket in this process. */
  connected(): UserId[]
  topics: Topics
  log: Log
}

/** Users of one question; others wait for the next. */
const maximumAsked = 500

export type Announcements = ReturnType<typeof createAnnouncements>

export function createAnnouncements({ presence, connected, topics, log }: Dependencies) {
  /** Of whom something changed, and whether their own sockets are told too. */
  const changed = new Map<UserId, boolean>()
  /** Who may see whom, or may no more. */
  const pairs: { viewerId: UserId; userId: UserId }[] = []
  let running = false

  /** One event for all: whoever makes a frame of it does that once. */
  const publish = (viewerIds: readonly UserId[], of: PresenceEntity): void => {
    const event = { type: 'presence.changed', presence: of } as const
    for (const viewerId of viewerIds) topics.publish('user', viewerId, event)
  }

  const run = async (): Promise<void> => {
    if (running) return
    running = true
    while (changed.size + pairs.length > 0) {
      const asked = new Map([...changed].slice(0, maximumAsked))
      for (const userId of asked.keys()) changed.delete(userId)
      if (asked.size > 0) await tell(asked).catch((error: unknown) => log.warn({ err: error }, 'Who came and went could not be told'))
      const pair = pairs.shift()
      if (pair !== undefined) await tellViewer(pair).catch((error: unknown) => log.warn({ err: error }, 'Who may see whom could not be told'))
    }
    running = false
  }

  const tell = async (asked: ReadonlyMap<UserId, boolean>): Promise<void> => {
    for (const { presence: of, viewerIds } of await presence.audiences([...asked.keys()], connected())) {
      publish(asked.get(of.userId) ? [...viewerIds, of.userId] : viewerIds, of)
    }
  }

  /** Says nothing of somebody who is not there: who blocks does not show that way when it was. */
  const tellViewer = async ({ viewerId, userId }: { viewerId: UserId; userId: UserId }): Promise<void> => {
    const [[truth], [seen]] = [await presence.statusOf(userId, [userId]), await presence.statusOf(viewerId, [userId])]
    if (truth === undefined || truth.status === 'offline' || !(await presence.areTogether(userId, viewerId))) return
    publish([viewerId], seen ?? { userId, status: 'offline', lastSeen: null })
  }

  return {
    /** What others are shown of these users has changed. */
    announce(userIds: readonly UserId[], { toSelf = false }: { toSelf?: boolean } = {}): void {
      for (const userId of userIds) changed.set(userId, toSelf || changed.get(userId) === true)
      void run()
    },

    /** Whether this viewer may see that user has changed. */
    announceTo(viewerId: UserId, userId: UserId): void {
      pairs.push({ viewerId, userId })
      void run()
    },
  }
}
