/** What a socket missed, sent before what is live: each conversation's live changes are held back until the older ones are out. */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { serializeChange } from '../features/sync/serialize.ts'
import { type Cursors, type Position, rangeSince, type SyncService } from '../features/sync/service.ts'
import type { Connection } from './connection.ts'
import type { Feeds } from './feeds.ts'

interface Dependencies {
  sync: Pick<SyncService, 'positions' | 'changes' | 'hasMoreMessages'>
  feeds: Pick<Feeds, 'leave'>
}

interface Missed {
  conversationId: ConversationId
  /** What is read comes after this one. */
  afterChangeSeq: number
  /** What the client holds, the link of the first change. */
  cursor: number
  /** Where it is known to stand: what is newer is held back by now. */
  upToChangeSeq: number
}

/** Messages of one conversation in one resume; more is a gap. */
const resumeLimit = 1_000
/** Read at once. */
const pageSize = 100

export type CatchUp = ReturnType<typeof createCatchUp>

export function createCatchUp({ sync, feeds }: Dependencies) {
  /** Sends what was missed, as fast as the client takes it. @returns the number of the last change. */
  const send = async (connection: Connection, { conversationId, afterChangeSeq, cursor, upToChangeSeq }: Missed): Promise<number> => {
    let reached = cursor
    let after = afterChangeSeq
    const reader = { readerId: connection.actor.userId, newSinceChangeSeq: afterChangeSeq }
    while (after < upToChangeSeq && connection.isOpen) {
      const changes = await sync.changes({ conversationId, afterChangeSeq: after, ...reader }, pageSize, reached)
      for (const { change, previousChangeSeq } of changes) {
        await connection.taken()
        connection.sendJson(serializeChange(change, previousChangeSeq))
        reached = change.changeSeq
        if (change.type !== 'member.left' || change.userId !== connection.actor.userId) continue
        feeds.leave(connection, conversationId, reached)
        return reached
      }
      if (changes.length === 0) break
      after = reached
    }
    return reached
  }

  const sendOrAnnounce = async (connection: Connection, position: Position, cursor: number): Promise<number> => {
    const { conversationId, changeSeq } = position
    const range = rangeSince(position, cursor)
    if (changeSeq <= range.afterChangeSeq) return changeSeq
    const missed = changeSeq - range.afterChangeSeq
    if (missed > resumeLimit && (await sync.hasMoreMessages(range, resumeLimit))) {
      connection.sendJson({ type: 'gap', data: { conversationId, fromChangeSeq: cursor, changeSeq, missed } })
      return changeSeq
    }
    return send(connection, { ...range, cursor, upToChangeSeq: changeSeq })
  }

  const sendMissed = async (connection: Connection, cursors: Cursors): Promise<Record<string, number>> => {
    const reached: Record<string, number> = {}
    const positions = await sync.positions(connection.actor.userId)
    for (const [id, cursor] of Object.entries(cursors)) {
      const position = positions.get(id as ConversationId)
      if (position === undefined) connection.sendJson({ type: 'gone', data: { conversationId: id } })
      else reached[id] = await sendOrAnnounce(connection, position, cursor)
    }
    return reached
  }

  return {
    /** Between the change after which a socket follows a conversation and where that stands already. */
    async bridge(connection: Connection, conversationId: ConversationId, afterChangeSeq: number, upToChangeSeq: number): Promise<void> {
      connection.hold(conversationId)
      let reached = afterChangeSeq
      try {
        await connection.inTurn(async () => {
          reached = await send(connection, { conversationId, afterChangeSeq, cursor: afterChangeSeq, upToChangeSeq })
        })
      } finally {
        connection.release(conversationId, reached)
      }
    },

    /** Everything newer than the cursors, then `ready`, then what was held. */
    resume(connection: Connection, cursors: Cursors): Promise<void> {
      return connection.inTurn(async () => {
        const ids = Object.keys(cursors) as ConversationId[]
        for (const id of ids) connection.hold(id)
        let reached: Record<string, number> = {}
        try {
          reached = await sendMissed(connection, cursors)
          await connection.taken()
          connection.sendJson({ type: 'ready', data: { cursors: reached } })
        } finally {
          for (const id of ids) connection.release(id, reached[id] ?? 0)
        }
      })
    },
  }
}
