/** Which conversations the connection gets: all, or those that were named, which each new connection has to be told. */
import { NotFoundError, ServerError, TimeoutError } from '../errors.ts'
import type { PositionsEvent } from '../generated/types.ts'
import type { CatchUp } from './catch-up.ts'
import { answerTimeoutMilliseconds, type Commands, isAnything } from './commands.ts'

interface Dependencies {
  commands: Commands
  catchUp: CatchUp
  /** Where all conversations of the user stand. */
  fetchPositions(): Promise<Record<string, number>>
  /** Begins a new connection. */
  restart(): void
}

/** As many as the contract allows. */
const conversationsPerCommand = 500

export type Subscriptions = ReturnType<typeof createSubscriptions>

export function createSubscriptions({ commands, catchUp, fetchPositions, restart }: Dependencies) {
  /** What changes behind the answer belongs to it already, so the answer is taken in at once. */
  const change = async <T>(type: string, data: object, isResult: (data: unknown) => data is T, onResult: (result: T) => void): Promise<void> => {
    try {
      await commands.send(type, data, isResult, answerTimeoutMilliseconds, onResult)
    } catch (error) {
      // The server may have done it, or may do it yet: what a new connection gets is known.
      if (error instanceof TimeoutError || error instanceof ServerError) restartNow()
      throw error
    }
  }

  /** For each time that all are asked for, until it is answered: where those stand that were told. */
  const told = new Set<Record<string, number>>()

  const follow = (positions: Record<string, number>): void => {
    for (const all of told) Object.assign(all, positions)
    catchUp.follow(positions)
  }

  const restartNow = () => {
    if (commands.isConnected) restart()
  }

  const ask = (data: { conversationIds?: string[] }, onPositions: (positions: Record<string, number>) => void) =>
    change('subscribe', data, isSubscribed, ({ positions }) => onPositions(positions))

  /** All or none of them are subscribed to, so those that are not the user's any more have to be found out. */
  const askAgain = async (ids: string[], isCurrent: () => boolean): Promise<void> => {
    if (ids.length === 0) return catchUp.follow({})
    try {
      await ask({ conversationIds: ids }, (positions) => catchUp.follow(positions))
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      const positions = await fetchPositions()
      if (!isCurrent()) return
      const lost = new Set(ids.filter((id) => !(id in positions)))
      for (const id of lost) catchUp.gone(id)
      catchUp.want(catchUp.wanted?.filter((id) => !lost.has(id)))
      await askAgain(
        ids.filter((id) => !lost.has(id)),
        isCurrent,
      )
    }
  }

  return {
    /** Where conversations stand, ahead of an answer that would be too long with them. */
    follow,

    async subscribe(conversationIds: string[]): Promise<void> {
      await ask({ conversationIds }, (positions) => {
        catchUp.want([...(catchUp.wanted ?? []), ...conversationIds])
        catchUp.follow(positions)
      })
    },

    async subscribeAll(): Promise<void> {
      const { cursors, wanted } = catchUp
      const all: Record<string, number> = {}
      told.add(all)
      catchUp.want(undefined)
      try {
        await ask({}, (positions) => {
          // The answer to what was asked before may have narrowed it meanwhile, and what was told since been passed over.
          catchUp.want(undefined)
          follow(positions)
          catchUp.follow(all)
          catchUp.toldAll(all, cursors)
        })
      } catch (error) {
        catchUp.want(wanted)
        throw error
      } finally {
        told.delete(all)
      }
    },

    unsubscribe: (conversationIds: string[]): Promise<void> =>
      change('unsubscribe', { conversationIds }, isAnything, () => {
        const left = catchUp.wanted ?? Object.keys(catchUp.cursors)
        catchUp.want(left.filter((id) => !conversationIds.includes(id)))
      }),

    /** Tells a connection that began with nothing what it is to get. @param isCurrent whether it is still that one */
    renew(isCurrent: () => boolean): void {
      const wanted = catchUp.wanted ?? []
      while (wanted.length > 0) askAgain(wanted.splice(0, conversationsPerCommand), isCurrent).catch(() => isCurrent() && restartNow())
    },
  }
}

const isSubscribed = (data: unknown): data is Pick<PositionsEvent['data'], 'positions'> => typeof data === 'object' && data !== null && 'positions' in data
