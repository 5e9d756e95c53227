/** The frames of a client, one by one: refused with an error, or carried out and acknowledged. */
import type { Clock } from '../clock.ts'
import { apiError, toAppError } from '../errors/to-app-error.ts'
import type { Log } from '../log.ts'
import type { CatchUp } from './catch-up.ts'
import { type Commands, commandIdOf, type GivenCommand, parseCommand } from './commands.ts'
import type { Connection } from './connection.ts'

/** Refused frames in a row. */
const maximumStrikes = 50

interface Dependencies {
  commands: Commands
  catchUp: CatchUp
  clock: Clock
  log: Log
}

/** @returns what is called with each frame. */
export function createFrameHandler({ commands, catchUp, clock, log }: Dependencies): (connection: Connection, text: string) => void {
  const onFrame = (connection: Connection, text: string): void => {
    // A client that is being sent away has no say any more: its session may have been revoked.
    if (!connection.isOpen) return
    connection.alive = true
    let command: GivenCommand
    try {
      command = parseCommand(text)
      commands.count(connection.actor, command.type)
      connection.strikes = 0
    } catch (error) {
      return refuse(connection, commandIdOf(text), error)
    }
    if (command.type === 'ping') return pong(connection, command)
    if (command.type === 'resume') return resume(connection, command)
    void run(connection, command)
  }

  const acknowledge = (connection: Connection, id: GivenCommand['id'], data?: unknown): void => {
    if (id !== undefined) connection.sendJson({ type: 'ack', id, ...(data !== undefined && { data }) })
  }

  const pong = (connection: Connection, { id }: GivenCommand): void => {
    connection.sendJson({ type: 'pong', data: {} })
    acknowledge(connection, id)
  }

  const refuse = (connection: Connection, id: string | number | undefined, error: unknown): void => {
    const { code } = sendError(connection, id, error)
    connection.strikes += 1
    if (connection.strikes > maximumStrikes) connection.close(code === 'rate_limit_exceeded' ? code : 'bad_frames')
  }

  const sendError = (connection: Connection, id: string | number | undefined, error: unknown) => {
    const known = toAppError(error)
    if (known.code === 'internal_error') log.error({ err: error }, 'A command failed unexpectedly')
    connection.sendJson({ type: 'error', ...(id !== undefined && { id }), error: apiError(known, null, clock.now()) })
    return known
  }

  const resume = (connection: Connection, { id, data }: Extract<GivenCommand, { type: 'resume' }>): void => {
    connection.beginCommand()
    catchUp
      .resume(connection, data.cursors)
      .then(() => acknowledge(connection, id))
      .catch((error: unknown) => {
        sendError(connection, id, error)
        connection.close('going_away')
      })
      .finally(() => connection.endCommand())
  }

  const run = async (connection: Connection, command: Exclude<GivenCommand, { type: 'ping' | 'resume' }>): Promise<void> => {
    connection.beginCommand()
    try {
      acknowledge(connection, command.id, await commands.execute(connection.actor, command))
    } catch (error) {
      sendError(connection, command.id, error)
    }
    connection.endCommand()
  }

  return onFrame
}
