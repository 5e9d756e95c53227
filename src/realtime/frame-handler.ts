/** The frames of a client, one by one: refused with an error, or carried out and acknowledged. */
import type { Clock } from '../clock.ts'
import { apiError, toAppError } from '../errors/to-app-error.ts'
import type { Log } from '../log.ts'
import type { CatchUp } from './catch-up.ts'
import { type Commands, type GivenCommand, type ParsedFrame, parseFrame, requireCommand } from './commands.ts'
import type { Connection } from './connection.ts'
import { type Positions, tellMostPositions } from './positions.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Refused frames, less those that were accepted meanwhile. */
const maximumStrikes = 50

interface Dependencies {
  commands: Commands
  catchUp: CatchUp
  subscriptions: Subscriptions
  clock: Clock
  log: Log
}

/** @returns what is called with the text of each frame; a binary one has none. */
export function createFrameHandler({ commands, catchUp, subscriptions, clock, log }: Dependencies): (connection: Connection, text: string | undefined) => void {
  const onFrame = (connection: Connection, text: string | undefined): void => {
    // A client that is being sent away has no say any more: its session may have been revoked.
    if (!connection.isOpen) return
    connection.alive = true
    const frame = parseFrame(text)
    let command: GivenCommand
    try {
      commands.count(connection.actor, frame)
      command = requireCommand(frame)
      connection.strikes = Math.max(0, connection.strikes - 1)
    } catch (error) {
      return refuse(connection, frame, error)
    }
    if (command.type === 'ping') return pong(connection, command)
    if (command.type === 'resume') return resume(connection, command)
    void answer(connection, command, () => carryOut(connection, command))
  }

  const acknowledge = (connection: Connection, id: GivenCommand['id'], data?: unknown): void => {
    if (id !== undefined) connection.sendJson({ type: 'ack', id, ...(data !== undefined && { data }) })
  }

  const pong = (connection: Connection, { id }: GivenCommand): void => {
    connection.sendJson({ type: 'pong', data: {} })
    acknowledge(connection, id)
  }

  const refuse = (connection: Connection, frame: ParsedFrame, error: unknown): void => {
    const { code } = sendError(connection, frame, error)
    connection.strikes += 1
    if (connection.strikes > maximumStrikes) connection.close(code === 'rate_limit_exceeded' ? code : 'bad_frames')
  }

  const sendError = (connection: Connection, { id, type }: { id?: ParsedFrame['id']; type: ParsedFrame['type'] }, error: unknown) => {
    const known = toAppError(error)
    const { actor, requestId } = connection
    const told = { err: error, requestId, userId: actor.userId, command: type }
    if (known.code === 'internal_error') log.error(told, 'A command failed unexpectedly')
    if (known.code === 'unavailable') log.warn(told, 'The database is unavailable')
    connection.sendJson({ type: 'error', ...(id !== undefined && { id }), error: apiError(known, requestId, clock.now()) })
    return known
  }

  const resume = (connection: Connection, command: GivenCommand<'resume'>): void => {
    connection.beginCommand()
    catchUp
      .resume(connection, command.data.cursors)
      .then(() => acknowledge(connection, command.id))
      .catch((error: unknown) => {
        sendError(connection, command, error)
        connection.close('going_away')
      })
      .finally(() => connection.endCommand())
  }

  /** @returns the result, for commands that have one. */
  const carryOut = async (connection: Connection, command: Exclude<GivenCommand, GivenCommand<'ping' | 'resume'>>): Promise<unknown> => {
    if (command.type === 'subscribe') return subscribe(connection, command.data)
    if (command.type === 'unsubscribe') return connection.inTurn(async () => subscriptions.unfollow(connection, command.data.conversationIds))
    return commands.execute(connection.actor, command)
  }

  const subscribe = async (connection: Connection, { conversationIds }: GivenCommand<'subscribe'>['data']): Promise<{ positions: Positions }> => {
    const positions = await connection.inTurn(() =>
      conversationIds === undefined ? subscriptions.followAll(connection) : subscriptions.followThese(connection, conversationIds),
    )
    return { positions: tellMostPositions(connection, positions) }
  }

  const answer = async (connection: Connection, command: GivenCommand, work: () => Promise<unknown>): Promise<void> => {
    connection.beginCommand()
    try {
      acknowledge(connection, command.id, await work())
    } catch (error) {
      sendError(connection, command, error)
    }
    connection.endCommand()
  }

  return onFrame
}
