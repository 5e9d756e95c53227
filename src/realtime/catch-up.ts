/** What a socket missed, sent before what is live: each conversation's live changes are held back until the older ones are out. */
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { serializeChange } from '../features/sync/serialize.ts'
import { type Cursors, rangeSince, type SyncService } from '../features/sync/service.ts'
import type { Connection } from './connection.ts'

/** Of one conversation in one resume; more is a gap. */
const resumeLimit = 1_000

export type CatchUp = ReturnType<typeof createCatchUp>

export function createCatchUp({ sync }: { sync: Pick<SyncService, 'positions' | 'changes'> }) {
  /** Sends the changes of a range, or says that there are too many. @param cursor what the client holds, the link of the first change. */
  const sendRange = async (connection: Connection, range: ReturnType<typeof rangeSince>, cursor: number): Promise<void> => {
    const { conversationId, afterChangeSeq, upToChangeSeq } = range
    if (upToChangeSeq <= afterChangeSeq) return
    const changes = await sync.changes(range, resumeLimit + 1, cursor)
    if (changes.length > resumeLimit) {
      const data = { conversationId, fromChangeSeq: cursor, changeSeq: upToChangeSeq, missed: upToChangeSeq - afterChangeSeq }
      return connection.sendJson({ type: 'gap', data })
    }
    for (const { change, previousChangeSeq } of changes) {
      connection.sendJson(serializeChange(change, previousChangeSeq))
      if (change.type === 'member.left' && change.userId === connection.actor.userId) return
    }
  }

  const sendMissed = async (connection: Connection, cursors: Cursors): Promise<Record<string, number>> => {
    const reached: Record<string, number> = {}
    const positions = await sync.positions(connection.actor.userId)
    for (const [id, cursor] of Object.entries(cursors)) {
      const position = positions.get(id as ConversationId)
      if (position === undefined) connection.sendJson({ type: 'gone', data: { conversationId: id } })
      else {
        await sendRange(connection, rangeSince(position, cursor), cursor)
        reached[id] = position.changeSeq
      }
    }
    return reached
  }

  return {
    /** Between the position that a socket was told and where the feed stands already. */
    async bridge(connection: Connection, conversationId: ConversationId, afterChangeSeq: number, upToChangeSeq: number): Promise<void> {
      connection.hold(conversationId)
      const send = () => sendRange(connection, { conversationId, afterChangeSeq, upToChangeSeq }, afterChangeSeq)
      await connection.inTurn(send).finally(() => connection.release(conversationId, upToChangeSeq))
    },

    /** Everything newer than the cursors, then `ready`, then what was held. */
    resume(connection: Connection, cursors: Cursors): Promise<void> {
      return connection.inTurn(async () => {
        const ids = Object.keys(cursors) as ConversationId[]
        for (const id of ids) connection.hold(id)
        let reached: Record<string, number> = {}
        try {
          reached = await sendMissed(connection, cursors)
          connection.sendJson({ type: 'ready', data: { cursors: reached } })
        } finally {
          for (const id of ids) connection.release(id, reached[id] ?? 0)
        }
      })
    },
  }
}
