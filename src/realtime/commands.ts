/** What a client says over the socket: held against the contract, counted like requests, and carried out by the services, as routes do. */
import type { Static } from '@sinclair/typebox'
import { type Command, scopeOfCommand } from '../../openapi/contract.ts'
import { commandFrames, commands } from '../../openapi/realtime/frames.ts'
import { type Actor, hasScope } from '../actor.ts'
import { AppError } from '../errors/app-error.ts'
import type { ConversationService } from '../features/conversations/service.ts'
import { serializeMessage } from '../features/messages/serialize.ts'
import type { MessageService } from '../features/messages/service.ts'
import type { ReceiptService } from '../features/receipts/service.ts'
import type { RateCounters } from '../rate-counters.ts'
import { compileJsonValidation, type Validate } from '../validation.ts'

type DataByType = { [C in (typeof commands)[number] as C['type']]: Static<C['data']> }

/** A command of the contract, as a frame that fits it. */
export type GivenCommand<Type extends keyof DataByType = keyof DataByType> = {
  [T in Type]: { type: T; id?: string | number; data: DataByType[T] }
}[Type]

/** What the gateway answers itself. */
type OwnType = 'ping' | 'resume' | 'subscribe' | 'unsubscribe'
type ServiceType = Exclude<keyof DataByType, OwnType>

/** One for each command of the contract. @returns the result, for commands that have one. */
export type CommandHandlers = { [T in ServiceType]: (actor: Actor, data: DataByType[T]) => Promise<unknown> }

/** What a frame says, whether it is a command or not. */
export interface ParsedFrame {
  isText: boolean
  /** Undefined when it is not JSON that REST would take. */
  value: unknown
  type: string | undefined
  /** Also of a frame that is otherwise wrong, so that its sender finds the answer. */
  id: string | number | undefined
}

interface Dependencies {
  messages: Pick<MessageService, 'send'>
  conversations: Pick<ConversationService, 'setTyping'>
  receipts: Pick<ReceiptService, 'markRead' | 'markDelivered'>
  counters: RateCounters
}

export type Commands = ReturnType<typeof createCommands>

export function createCommands({ messages, conversations, receipts, counters }: Dependencies) {
  const handlers: CommandHandlers = {
    'conversations.sendMessage': async (actor, data) => ({ message: serializeMessage(await messages.send(actor, data)) }),
    'conversations.markRead': (actor, { conversationId, seq }) => receipts.markRead(actor, conversationId, seq),
    'conversations.markDelivered': (actor, { conversationId, seq }) => receipts.markDelivered(actor, conversationId, seq),
    'conversations.setTyping': (actor, { conversationId, typing }) => conversations.setTyping(actor, conversationId, typing),
  }

  return {
    /** Counts a frame, before anything else is made of it. @throws `rate_limit_exceeded` when the actor has used up the limit of its class, over requests and sockets together. */
    count(actor: Actor, { type = '' }: ParsedFrame): void {
      const seconds = counters.exceeded(limitClasses.get(type) ?? 'default', actor.userId)
      if (seconds !== undefined) throw new AppError('rate_limit_exceeded', `Too many commands; try again in ${seconds} s.`, { retryAfterSeconds: seconds })
    },

    /** @returns the result, for commands that have one. @throws `insufficient_scope` when the actor is an API key that may not say this */
    async execute<T extends ServiceType>(actor: Actor, { type, data }: GivenCommand<T>): Promise<unknown> {
      if (!hasScope(actor, scopes.get(type))) throw new AppError('insufficient_scope')
      return handlers[type](actor, data)
    },
  }
}

const validators = new Map<string, Validate>([...commandFrames].map(([type, schema]) => [type, compileJsonValidation(schema, 'frame')]))
const limitClasses = new Map<string, Command['rateLimit']>(commands.map(({ type, rateLimit }) => [type, rateLimit]))
const scopes = new Map(commands.map((command: Command) => [command.type, scopeOfCommand(command)]))

/** Never throws: what is wrong with a frame is said by `requireCommand`. */
export function parseFrame(text: string | undefined): ParsedFrame {
  if (text === undefined) return { isText: false, value: undefined, type: undefined, id: undefined }
  const value = parseJson(text)
  const { type, id } = typeof value === 'object' && value !== null ? (value as { type?: unknown; id?: unknown }) : {}
  const hasId = (typeof id === 'string' && id.length <= 64) || Number.isInteger(id)
  return {
    isText: true,
    value: hasForbiddenKeys(text, value) ? undefined : value,
    type: typeof type === 'string' ? type : undefined,
    id: hasId ? (id as string | number) : undefined,
  }
}

/** @throws `malformed_json` or `validation_error`. */
export function requireCommand({ isText, value, type }: ParsedFrame): GivenCommand {
  if (!isText) throw new AppError('malformed_json', 'The frame is binary; send JSON in a text frame.')
  if (value === undefined) throw new AppError('malformed_json', 'The frame is not valid JSON.')
  const validate = type === undefined ? undefined : validators.get(type)
  const details = validate ? validate(value) : [{ field: 'frame.type', reason: `must be one of ${[...validators.keys()].join(', ')}` }]
  if (details.length > 0) throw new AppError('validation_error', undefined, { details })
  return value as GivenCommand
}

/** @returns undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Keys that reach for a prototype, which the parser of request bodies refuses. The text is searched first: nearly none has any. */
function hasForbiddenKeys(text: string, value: unknown): boolean {
  if (!/__proto__|constructor|\\u/.test(text)) return false
  const pending = [value]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (typeof node !== 'object' || node === null) continue
    if (Object.hasOwn(node, '__proto__')) return true
    const made: unknown = Object.getOwnPropertyDescriptor(node, 'constructor')?.value
    if (typeof made === 'object' && made !== null && Object.hasOwn(made, 'prototype')) return true
    for (const child of Object.values(node)) pending.push(child)
  }
  return false
}
