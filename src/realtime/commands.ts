/** What a client says over the socket: held against the contract, counted like requests, and carried out by the services, as routes do. */
import type { Static } from '@sinclair/typebox'
import type { Command } from '../../openapi/contract.ts'
import type { markReadCommand, setTypingCommand } from '../../openapi/conversations/events.ts'
import type { sendMessageCommand } from '../../openapi/messages/events.ts'
import type { resume } from '../../openapi/realtime/commands.ts'
import { commandFrames, commands } from '../../openapi/realtime/frames.ts'
import type { Actor } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'
import type { ConversationService } from '../features/conversations/service.ts'
import { serializeMessage } from '../features/messages/serialize.ts'
import type { MessageService } from '../features/messages/service.ts'
import { compileJsonValidation, type Validate } from '../validation.ts'
import type { RateCounters } from '../rate-counters.ts'

type Given<Type extends string, Data> = { type: Type; id?: string | number; data: Data }

export type GivenCommand =
  | Given<'ping', Record<string, never>>
  | Given<'resume', Static<typeof resume.data>>
  | Given<'conversations.sendMessage', Static<typeof sendMessageCommand.data>>
  | Given<'conversations.markRead', Static<typeof markReadCommand.data>>
  | Given<'conversations.setTyping', Static<typeof setTypingCommand.data>>

interface Dependencies {
  messages: Pick<MessageService, 'send'>
  conversations: Pick<ConversationService, 'markRead' | 'setTyping'>
  counters: RateCounters
}

export type Commands = ReturnType<typeof createCommands>

export function createCommands({ messages, conversations, counters }: Dependencies) {
  return {
    /** @throws `rate_limit_exceeded` when the actor has used up the limit of the command's class, over requests and sockets together. */
    count(actor: Actor, type: GivenCommand['type']): void {
      const seconds = counters.exceeded(limitClassOf(type), actor.userId)
      if (seconds !== undefined)
        throw new AppError('rate_limit_exceeded', `Too many commands; try again in ${seconds} seconds.`, { retryAfterSeconds: seconds })
    },

    /** @returns the result, for commands that have one. `resume` and `ping` are the gateway's own. */
    async execute(actor: Actor, command: Exclude<GivenCommand, { type: 'ping' | 'resume' }>): Promise<unknown> {
      switch (command.type) {
        case 'conversations.sendMessage':
          return { message: serializeMessage(await messages.send(actor, command.data)) }
        case 'conversations.markRead':
          return conversations.markRead(actor, command.data.conversationId, command.data.seq)
        case 'conversations.setTyping':
          return conversations.setTyping(actor, command.data.conversationId, command.data.typing)
      }
    },
  }
}

const validators = new Map<string, Validate>([...commandFrames].map(([type, schema]) => [type, compileJsonValidation(schema, 'frame')]))
const limitClasses = new Map<string, Command['rateLimit']>(commands.map(({ type, rateLimit }) => [type, rateLimit]))

const limitClassOf = (type: string): Command['rateLimit'] => limitClasses.get(type) ?? 'default'

/** @throws `malformed_json` or `validation_error`. */
export function parseCommand(text: string): GivenCommand {
  const frame = parseJson(text)
  const type = typeof frame === 'object' && frame !== null && 'type' in frame ? frame.type : undefined
  const validate = typeof type === 'string' ? validators.get(type) : undefined
  const details = validate ? validate(frame) : [{ field: 'frame.type', reason: `must be one of ${[...validators.keys()].join(', ')}` }]
  if (details.length > 0) throw new AppError('validation_error', undefined, { details })
  return frame as GivenCommand
}

/** The id of a frame that is otherwise wrong, so that its sender finds the answer. */
export function commandIdOf(text: string): string | number | undefined {
  try {
    const id: unknown = JSON.parse(text)?.id
    return (typeof id === 'string' && id.length <= 64) || Number.isInteger(id) ? (id as string | number) : undefined
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AppError('malformed_json', 'The frame is not valid JSON.')
  }
}
