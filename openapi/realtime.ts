/** The socket's frames as one AsyncAPI 3.0 document, without a server. */
import { type Command, errorsOfCommand, type RealtimeEvent, scopeOfCommand } from './contract.ts'
import { productInfo } from './document.ts'
import { errorExample } from './emission/responses.ts'
import { componentPath, emitComponents, emitSchema, isObject, type Json, type JsonObject, toJson } from './emission/schema.ts'
import { conversationId } from './messages/examples.ts'
import { closeCodes } from './realtime/events.ts'
import { changeEvents, changeFrames, commandFrames, commands, signalEvents, signalFrames } from './realtime/frames.ts'
import { protocolDescription } from './realtime/protocol.ts'

const emission = { discriminators: false }
const socketPath = '/v1/ws'
const commandId = '7'

export interface AsyncApiDocument extends JsonObject {
  readonly asyncapi: string
  readonly info: JsonObject
  readonly servers: JsonObject
}

export function asyncApiDocument(): AsyncApiDocument {
  return {
    asyncapi: '3.0.0',
    info: { ...asyncApiInfo(), description: protocolDescription(closeCodes) },
    defaultContentType: 'application/json',
    servers: { parley: asyncApiServer('http://localhost:3000') },
    channels: {
      socket: {
        address: socketPath,
        title: 'The socket',
        description: 'One socket carries all conversations of its user, in both directions: one JSON object per text frame.',
        messages: Object.fromEntries(Object.keys(messages()).map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { ws: { method: 'GET', query: { type: 'object', properties: queryProperties } } },
      },
    },
    operations: operations(),
    components: { messages: messages(), schemas: usedSchemas(), securitySchemes },
  }
}

const queryProperties = {
  token: { type: 'string', description: 'The access token' },
  subscribe: { type: 'string', enum: ['none'], description: '`none` begins with no conversation: `subscribe` then names them. All, where it is left out' },
}

/** Where the socket is when the server is at this address. */
export function asyncApiServer(publicUrl: string): JsonObject {
  const { protocol, host, pathname } = new URL(publicUrl)
  const prefix = pathname.replace(/\/$/, '')
  return {
    host,
    ...(prefix && { pathname: prefix }),
    protocol: protocol === 'https:' ? 'wss' : 'ws',
    security: Object.keys(securitySchemes).map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  }
}

function asyncApiInfo(): JsonObject {
  const { title, version, license } = productInfo
  return { title: `${title}: the socket`, version, license: { name: license.name } }
}

const securitySchemes = {
  queryToken: { type: 'httpApiKey', in: 'query', name: 'token', description: 'The access token as `?token=`: for browsers' },
  bearerToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token, or an API key (`pk_…`), as `Authorization: Bearer`' },
  apiKey: { type: 'httpApiKey', in: 'header', name: 'X-Api-Key', description: 'An API key (`pk_…`)' },
  subprotocolToken: {
    type: 'httpApiKey',
    in: 'header',
    name: 'Sec-WebSocket-Protocol',
    description: '`parley.v1, bearer.<access token or API key>`: for browsers, and out of the logs of proxies. The server selects `parley.v1`.',
  },
  cookie: {
    type: 'httpApiKey',
    in: 'cookie',
    name: '__Host-parley',
    description: 'The cookie of `auth.startCookieSession` (`parley` on http://localhost), from pages of an allowed origin; others get 403 `csrf_rejected`',
  },
}

/** The server is the application that this document describes: it sends events and receives commands. */
function operations(): JsonObject {
  const sends = (title: string, summary: string, events: readonly RealtimeEvent[]) => ({
    action: 'send',
    title,
    summary,
    channel: { $ref: '#/channels/socket' },
    messages: events.map((event) => channelMessage(eventKey(event))),
  })
  return {
    sendChanges: sends('Changes', 'Numbered by their conversation, in order, and repeated by `resume`', changeEvents),
    sendSignals: sends('Signals', 'Of the moment: never repeated', signalEvents),
    ...Object.fromEntries(commands.map((command) => [`receive.${command.type}`, receives(command)])),
  }
}

const receives = (command: Command): JsonObject => ({
  action: 'receive',
  title: command.type,
  summary: command.summary,
  'x-rate-limit': command.rateLimit,
  'x-scope': scopeOfCommand(command),
  'x-error-codes': errorsOfCommand(command),
  channel: { $ref: '#/channels/socket' },
  messages: [channelMessage(commandKey(command))],
  reply: { channel: { $ref: '#/channels/socket' }, messages: [channelMessage(ackKey(command)), channelMessage('error')] },
})

const channelMessage = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` })
const eventKey = ({ type }: RealtimeEvent) => type
const commandKey = ({ type }: Command) => `command.${type}`
const ackKey = ({ type }: Command) => `ack.${type}`

function messages(): Record<string, JsonObject> {
  const events = [...changeEvents, ...signalEvents].map((event: RealtimeEvent) => [eventKey(event), eventMessage(event)])
  const said = commands.map((command: Command) => [commandKey(command), commandMessage(command)])
  const answers = commands.map((command: Command) => [ackKey(command), ackMessage(command)])
  return Object.fromEntries([...events, ...said, ...answers, ['error', errorMessage]])
}

function eventMessage(event: RealtimeEvent): JsonObject {
  const frame = (event.kind === 'change' ? changeFrames : signalFrames).get(event.type)
  return message(event, componentPath(String(frame?.$id)), eventFrameExample(event))
}

const commandMessage = (command: Command) => message(command, componentPath(String(commandFrames.get(command.type)?.$id)), commandFrameExample(command))

/** A whole frame, as it goes over the socket. */
export const eventFrameExample = (event: RealtimeEvent): JsonObject =>
  toJson({ type: event.type, ...(event.kind === 'change' && { conversationId, changeSeq: 57 }), data: event.example })

export const commandFrameExample = (command: Command): JsonObject => toJson({ type: command.type, id: commandId, data: command.example })

function ackMessage(command: Command): JsonObject {
  return {
    name: 'ack',
    title: `ack of ${command.type}`,
    summary: `\`${command.type}\` is done`,
    payload: {
      type: 'object',
      required: ['type', 'id', ...(command.result ? ['data'] : [])],
      properties: {
        type: { type: 'string', enum: ['ack'] },
        id: { type: ['string', 'integer'], description: 'The `id` of the command' },
        ...(command.result && { data: emitSchema(command.result, emission) }),
      },
    },
  }
}

const errorMessage: JsonObject = {
  name: 'error',
  title: 'error',
  summary: 'A command failed',
  description: 'Bears the `id` of the command where it had one. The codes are those of the REST API.',
  payload: { $ref: componentPath('ErrorFrame') },
  examples: [{ payload: { type: 'error', id: commandId, error: errorExample('not_found') } }],
}

const message = ({ type, summary, description }: RealtimeEvent | Command, payload: string, example: JsonObject): JsonObject => ({
  name: type,
  title: type,
  summary,
  ...(description && { description }),
  payload: { $ref: payload },
  examples: [{ payload: example }],
})

/** The components that the messages refer to, directly or not. */
function usedSchemas(): JsonObject {
  const all = emitComponents(emission)
  const used = new Set<string>()
  const visit = (value: Json | undefined): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isObject(value)) return
    const name = typeof value.$ref === 'string' ? value.$ref.replace(componentPath(''), '') : undefined
    if (name !== undefined && !used.has(name)) {
      used.add(name)
      visit(all[name])
    }
    Object.values(value).forEach(visit)
  }
  visit(messages())
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)))
}
