/**
 * Tells the users who are connected to this process what has changed of others. Every process hears whose presence changed and looks
 * for itself who of its own may know; all that was heard meanwhile is one question. What is told is read when it is told, one answer
 * after another, so the last one is true. It is of the moment: nothing is repeated after a gap of the bus, for it would have to be
 * everybody's presence to everybody; clients that need to be sure ask for those whom they show, as they do when they connect.
 */
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Log } from '../../log.ts'
import type { PresenceEntity, Topics } from '../../topics.ts'
import type { Pair, PresenceRepository } from './repository.ts'

interface Dependencies {
  presence: Pick<PresenceRepository, 'audiences' | 'views'>
  /** Who has a socket in this process. */
  connected(): UserId[]
  topics: Topics
  log: Log
}

/** Users, or pairs of them, of one question; others wait for the next. */
const maximumAsked = 500

export type Announcements = ReturnType<typeof createAnnouncements>

export function createAnnouncements({ presence, connected, topics, log }: Dependencies) {
  /** Of whom something changed, and whether their own sockets are told too. */
  const changed = new Map<UserId, boolean>()
  /** Who may see whom, or may no more; each pair once, by both ids. */
  const pairs = new Map<string, Pair>()
  let running = false

  /** One event for all: whoever makes a frame of it does that once. */
  const publish = (viewerIds: readonly UserId[], of: PresenceEntity): void => {
    const event = { type: 'presence.changed', presence: of } as const
    for (const viewerId of viewerIds) topics.publish('user', viewerId, event)
  }

  const run = async (): Promise<void> => {
    if (running) return
    running = true
    while (changed.size + pairs.size > 0) {
      const asked = new Map([...changed].slice(0, maximumAsked))
      for (const userId of asked.keys()) changed.delete(userId)
      if (asked.size > 0) await tell(asked).catch((error: unknown) => log.warn({ err: error }, 'Who came and went could not be told'))
      const toTell = takePairs()
      if (toTell.length > 0) await tellViewers(toTell).catch((error: unknown) => log.warn({ err: error }, 'Who may see whom could not be told'))
    }
    running = false
  }

  const tell = async (asked: ReadonlyMap<UserId, boolean>): Promise<void> => {
    for (const { presence: of, viewerIds } of await presence.audiences([...asked.keys()], connected())) {
      publish(asked.get(of.userId) ? [...viewerIds, of.userId] : viewerIds, of)
    }
  }

  /** Nothing is asked for viewers without a socket here: every process hears of every block. */
  const takePairs = (): Pair[] => {
    if (pairs.size === 0) return []
    const here = new Set(connected())
    for (const [key, { viewerId }] of pairs) if (!here.has(viewerId)) pairs.delete(key)
    const taken = [...pairs].slice(0, maximumAsked)
    for (const [key] of taken) pairs.delete(key)
    return taken.map(([, pair]) => pair)
  }

  const tellViewers = async (asked: readonly Pair[]): Promise<void> => {
    for (const { viewerId, presence: of } of await presence.views(asked)) publish([viewerId], of)
  }

  return {
    /** What others are shown of these users has changed. */
    announce(userIds: readonly UserId[], { toSelf = false }: { toSelf?: boolean } = {}): void {
      for (const userId of userIds) changed.set(userId, toSelf || changed.get(userId) === true)
      void run()
    },

    /** Whether this viewer may see that user has changed. */
    announceTo(viewerId: UserId, userId: UserId): void {
      pairs.set(`${viewerId} ${userId}`, { viewerId, userId })
      void run()
    },
  }
}
