/**
 * The frames of the socket, made from the events and commands of all features: `{ type, conversationId, changeSeq, data }` for a
 * change, `{ type, data }` for a signal, `{ type, id?, data }` for a command and `ack` or `error` for its answer.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type Command, component, described, oneOfWords, type RealtimeEvent, ref } from '../contract.ts'
import * as conversationEvents from '../conversations/events.ts'
import * as messageEvents from '../messages/events.ts'
import { presenceChanged } from '../presence/events.ts'
import * as receiptEvents from '../receipts/events.ts'
import { ApiError } from '../shared/errors.ts'
import * as realtimeCommands from './commands.ts'
import * as realtimeEvents from './events.ts'
import { changeEnvelope } from './schemas.ts'

const { conversationUpdated, memberJoined, memberUpdated, memberLeft, membershipUpdated, typing } = conversationEvents
const { hello, positions, ready, gap, gone, conversationJoined, pong, changeHidden } = realtimeEvents

export const changeEvents = [
  messageEvents.messageCreated,
  messageEvents.messageUpdated,
  messageEvents.messageDeleted,
  conversationUpdated,
  memberJoined,
  memberUpdated,
  memberLeft,
  receiptEvents.read,
  receiptEvents.delivered,
  membershipUpdated,
  changeHidden,
] as const
export const signalEvents = [hello, positions, ready, gap, gone, conversationJoined, pong, typing, presenceChanged, messageEvents.messageMentioned] as const
export const commands = [
  realtimeCommands.resume,
  realtimeCommands.subscribe,
  realtimeCommands.unsubscribe,
  realtimeCommands.ping,
  messageEvents.sendMessageCommand,
  receiptEvents.markReadCommand,
  receiptEvents.markDeliveredCommand,
  conversationEvents.setTypingCommand,
] as const

const word = <W extends string>(value: W) => oneOfWords([value], { description: 'What kind of frame this is' })

/** `message.created` → `MessageCreatedEvent`. */
const eventName = (type: string) => `${pascalCase(type)}Event`
const pascalCase = (type: string) => type.replace(/(^|\.)(\w)/g, (_, _dot, letter: string) => letter.toUpperCase())

export interface ChangeFrame<E extends RealtimeEvent = RealtimeEvent> {
  type: E['type']
  conversationId: Static<typeof changeEnvelope.conversationId>
  changeSeq: number
  previousChangeSeq?: number
  data: Static<E['data']>
}

type ChangeFrames<E> = E extends RealtimeEvent ? ChangeFrame<E> : never
export type AnyChangeFrame = ChangeFrames<(typeof changeEvents)[number]>

const frameOf = (event: RealtimeEvent): TSchema =>
  component(
    eventName(event.type),
    Type.Object(
      { type: word(event.type), ...(event.kind === 'change' && changeEnvelope), data: described(event.data, 'What the event tells') },
      { description: event.summary },
    ),
  )

export const changeFrames = new Map(changeEvents.map((event) => [event.type as string, frameOf(event)]))
export const signalFrames = new Map(signalEvents.map((event) => [event.type as string, frameOf(event)]))

/** Any numbered change, told apart by `type`. */
export const Change = component(
  'Change',
  Type.Unsafe<AnyChangeFrame>({
    type: 'object',
    description: 'A numbered change of a conversation; `type` tells which',
    discriminator: { propertyName: 'type' },
    required: ['type'],
    oneOf: [...changeFrames.values()].map((frame) => ref(frame)),
  }),
)

const CommandId = Type.Union([Type.String({ maxLength: 64 }), Type.Integer()], { description: 'Your own, to find the answer by' })

export const commandFrames = new Map(
  commands.map((command: Command) => [
    command.type,
    component(
      `${pascalCase(command.type)}Command`,
      Type.Object(
        { type: word(command.type), id: Type.Optional(CommandId), data: described(command.data, 'What the command takes') },
        {
          additionalProperties: false,
          description: command.summary,
        },
      ),
    ),
  ]),
)

export const AckFrame = component(
  'AckFrame',
  Type.Object(
    {
      type: word('ack'),
      id: CommandId,
      data: Type.Optional(Type.Unknown({ description: 'The result of the command, where it has one' })),
    },
    { description: 'The answer to a command that is done' },
  ),
)

export const ErrorFrame = component(
  'ErrorFrame',
  Type.Object(
    { type: word('error'), id: Type.Optional(CommandId), error: described(ref(ApiError), 'What went wrong') },
    { description: 'The answer to a command that failed' },
  ),
)
