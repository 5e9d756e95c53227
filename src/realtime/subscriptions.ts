/**
 * Which conversations a socket follows: all of its user's, or those that the client names. A socket is subscribed first and told where
 * that stands second, so that whatever happens in between reaches it.
 */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { AppError } from '../errors/app-error.ts'
import type { Position, SyncService } from '../features/sync/service.ts'
import type { ConversationJoined } from '../topics.ts'
import type { CatchUp } from './catch-up.ts'
import type { Connection } from './connection.ts'
import type { Feeds } from './feeds.ts'
import { inParts } from './in-parts.ts'
import type { Positions } from './positions.ts'

interface Dependencies {
  sync: Pick<SyncService, 'positions' | 'membershipsSince'>
  feeds: Feeds
  catchUp: CatchUp
}

/** A joining is committed later than it says, and the clocks of two servers differ: what is compared goes back this much more than it must. */
const joinMarginMilliseconds = 120_000
/** Users whose memberships are read at once. */
const usersPerRead = 500

export type Subscriptions = ReturnType<typeof createSubscriptions>

export function createSubscriptions({ sync, feeds, catchUp }: Dependencies) {
  /** What a socket is subscribed to and not yet told of, unless it has joined it meanwhile. */
  const untold = new WeakMap<Connection, Set<ConversationId>>()
  /** Up to which change a socket that has named what it wants was told of joinings beside that: comparing finds them again for a while. */
  const announced = new WeakMap<Connection, Map<ConversationId, number>>()
  const remember = (connection: Connection, conversationId: ConversationId, upToChangeSeq: number): void => {
    announced.set(connection, (announced.get(connection) ?? new Map()).set(conversationId, upToChangeSeq))
  }

  /** Whoever has named what they want learns that there is something new. */
  const announce = (connection: Connection, { conversationId, afterChangeSeq }: ConversationJoined): void => {
    remember(connection, conversationId, afterChangeSeq)
    connection.sendJson({ type: 'conversation.joined', data: { conversationId } })
  }

  /** Subscribes to what the user has, or to what is there of these. @returns where they stood after that */
  const subscribe = async (connection: Connection, among?: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, Position>> => {
    const positions = await sync.positions(connection.actor.userId, among)
    const fresh = [...positions.values()].filter(({ conversationId }) => !connection.following.has(conversationId))
    if (fresh.length === 0 || !connection.isOpen) return positions
    for (const position of fresh) {
      feeds.subscribe(connection, position)
      untold.get(connection)?.add(position.conversationId)
    }
    return subscribe(connection, among)
  }

  /** Follows them from where they stand. What it follows already goes on as it was. @returns after which change each is told */
  const follow = async (connection: Connection, among?: readonly ConversationId[]): Promise<Positions> => {
    const before = new Set(connection.following)
    const added = new Set<ConversationId>()
    untold.set(connection, added)
    let positions: ReadonlyMap<ConversationId, Position> = new Map()
    try {
      positions = await subscribe(connection, among)
    } finally {
      untold.delete(connection)
      // The user has left these while it was read; or it could not be read, and who asks again begins anew.
      for (const id of added) if (!positions.has(id)) feeds.unfollow(connection, id)
    }
    const told: Positions = {}
    if (!connection.isOpen) return told
    for (const [id, position] of positions) {
      const stands = (before.has(id) ? feeds.positionOf(connection, id) : undefined) ?? feeds.begin(connection, position)
      if (stands !== undefined) told[id] = stands
    }
    return told
  }

  const leaveUnwanted = (connection: Connection): void => {
    for (const id of connection.following) if (!connection.wants(id)) feeds.unfollow(connection, id)
  }

  const narrow = (connection: Connection, wanted: Iterable<ConversationId>): void => {
    connection.want(wanted)
    for (const id of connection.following) {
      const stands = feeds.positionOf(connection, id)
      if (!connection.wants(id) && stands !== undefined) remember(connection, id, stands)
    }
    leaveUnwanted(connection)
  }

  /** A failure leaves the socket with what it has wanted before. */
  const followAs = async (connection: Connection, wanted: Iterable<ConversationId> | undefined, among?: readonly ConversationId[]): Promise<Positions> => {
    const before = connection.wanted
    connection.want(wanted)
    try {
      return await follow(connection, among)
    } catch (error) {
      connection.want(before)
      // What was joined meanwhile was never announced.
      leaveUnwanted(connection)
      throw error
    }
  }

  return {
    /** What a socket begins with. */
    begin: (connection: Connection): Promise<Positions> => (connection.wantsAll ? follow(connection) : Promise.resolve({})),

    followAll: (connection: Connection): Promise<Positions> => followAs(connection, undefined),

    /** From now on these alone, or these beside those that were named before. @throws `not_found` when one is not the user's; then nothing changes. */
    async followThese(connection: Connection, ids: readonly ConversationId[]): Promise<Positions> {
      const own = await sync.positions(connection.actor.userId, ids)
      if (ids.some((id) => !own.has(id))) throw new AppError('not_found')
      const { wanted } = connection
      const told = await followAs(connection, wanted && [...wanted, ...ids], ids)
      if (wanted === undefined) narrow(connection, ids)
      return told
    },

    /** From now on those that are left alone. */
    unfollow(connection: Connection, ids: readonly ConversationId[]): void {
      const left = new Set(connection.wanted ?? connection.following)
      for (const id of ids) left.delete(id)
      narrow(connection, left)
    },

    async join(connection: Connection, joined: ConversationJoined): Promise<void> {
      if (!connection.isOpen) return
      if (!connection.wants(joined.conversationId)) return announce(connection, joined)
      untold.get(connection)?.delete(joined.conversationId)
      const stands = feeds.join(connection, joined)
      if (stands !== undefined && stands > joined.afterChangeSeq) await catchUp.bridge(connection, joined.conversationId, joined.afterChangeSeq, stands)
    },

    /** The changes of the joining have passed already, and more may have, the leaving too. */
    async joinLate(connection: Connection, joined: ConversationJoined): Promise<void> {
      const { conversationId, afterChangeSeq } = joined
      if (!connection.isOpen || connection.following.has(conversationId)) return
      if (!connection.wants(conversationId)) {
        const told = announced.get(connection)?.get(conversationId) ?? -1
        return told >= afterChangeSeq ? undefined : announce(connection, joined)
      }
      const stands = feeds.join(connection, joined) ?? 0
      await catchUp.bridge(connection, conversationId, afterChangeSeq, Math.max(stands, afterChangeSeq + 1))
    },

    /** What these users have become members of since then and since their sockets were opened, as far as nobody here follows it for them. */
    async missedJoins(connections: Iterable<Connection>, since: Date): Promise<[Connection, ConversationJoined][]> {
      const joinedAfter = new Date(since.getTime() - joinMarginMilliseconds)
      const byUser = Map.groupBy(connections, ({ actor }) => actor.userId)
      const missed: [Connection, ConversationJoined][] = []
      for (const userIds of inParts([...byUser.keys()], usersPerRead)) {
        for (const { userId, conversationId, joinedChangeSeq, firstSeq, joinedAt } of await sync.membershipsSince(joinedAfter, userIds)) {
          for (const connection of byUser.get(userId) ?? []) {
            const isOld = joinedAt.getTime() < connection.openedAt.getTime() - joinMarginMilliseconds
            if (isOld || connection.following.has(conversationId)) continue
            missed.push([connection, { type: 'conversation.joined', conversationId, afterChangeSeq: joinedChangeSeq - 1, firstSeq }])
          }
        }
      }
      return missed
    },
  }
}
