/**
 * Holds everything that a server says against the contract, in every test: each answer against the operation's outcome of its status, each
 * frame of each socket against its event. Objects count as closed here, so that a field too many is found as one too few is.
 */
import { pipeline, Readable, Transform } from 'node:stream'
import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import { allComponents, anyContentType, type Command, errorsOf, errorsOfCommand, isBinary, type Operation } from '../../openapi/contract.ts'
import { AckFrame, changeFrames, commands, ErrorFrame, signalFrames } from '../../openapi/realtime/frames.ts'
import { type ErrorCode, ErrorResponse, errorCatalog } from '../../openapi/shared/errors.ts'

export interface ContractGuard {
  /** What did not fit, a line each. */
  violations: string[]
  /** `auth.login 200`, `auth.login 401 invalid_credentials`, `message.created`, `ack conversations.markRead`, `error conversations.markRead not_found` … */
  seen: Set<string>
}

const ajv = addFormats.default(new Ajv({ allErrors: true, strict: false, discriminator: true }))
for (const schema of allComponents().values()) ajv.addSchema(closed(schema) as TSchema)

const frames = new Map<string, TSchema>([...changeFrames, ...signalFrames, ['ack', AckFrame], ['error', ErrorFrame]])
const compiled = new Map<object, ValidateFunction>()

/** Any frame of a client can be answered by these; a command declares what else. */
export const frameErrors: readonly ErrorCode[] = ['malformed_json', 'validation_error', 'rate_limit_exceeded', 'unavailable', 'internal_error']

/** Answers and frames. */
export function guardContract(server: FastifyInstance): ContractGuard {
  const guard = guardAnswers(server)
  server.websocketServer.on('connection', (socket) => {
    const asked = new Map<unknown, Command | undefined>()
    socket.on('message', (data) => remember(asked, String(data)))
    const send = socket.send.bind(socket) as (...args: unknown[]) => void
    socket.send = (...args: unknown[]) => {
      checkFrame(guard, asked, JSON.parse(String(args[0])))
      send(...args)
    }
  })
  return guard
}

/** For a server without sockets. */
export function guardAnswers(server: FastifyInstance): ContractGuard {
  const guard: ContractGuard = { violations: [], seen: new Set() }
  server.addHook('onSend', async (request, reply, payload) => {
    const { operation } = request.routeOptions.config
    if (operation === undefined) return payload
    checkContentType(guard, operation, reply.statusCode, payload, String(reply.getHeader('content-type')))
    const look = (content: unknown) => checkAnswer(guard, operation, reply.statusCode, content)
    if (payload instanceof Readable && operation.responses[reply.statusCode]?.contentType === undefined) return watched(payload, look)
    look(payload)
    return payload
  })
  return guard
}

/** Of what is no JSON: text or bytes, of the type that is declared. */
function checkContentType(guard: ContractGuard, { operationId, responses }: Operation, status: number, payload: unknown, said: string): void {
  const { contentType, body } = responses[status] ?? {}
  if (contentType === undefined || body === undefined) return
  if (contentType !== anyContentType && said.split(';')[0] !== contentType)
    guard.violations.push(`${operationId} ${status}: is ${said}, and declares ${contentType}`)
  // A HEAD has neither.
  if (payload !== null && isBinary(body) === (typeof payload === 'string'))
    guard.violations.push(`${operationId} ${status}: is text or bytes, and declares the other`)
}

/** Passes a stream on as fast as it is read, and looks at it when it is whole; what breaks off breaks off for the client too. */
function watched(source: Readable, look: (content: string) => void): Readable {
  const pieces: Buffer[] = []
  const passing = new Transform({
    transform(piece: Buffer, _encoding, done) {
      pieces.push(piece)
      done(null, piece)
    },
    flush(done) {
      look(Buffer.concat(pieces).toString())
      done()
    },
  })
  return pipeline(source, passing, () => undefined)
}

/** What an answer to this id answers; undefined where several commands bear the same. */
function remember(asked: Map<unknown, Command | undefined>, text: string): void {
  try {
    const frame: { id?: unknown; type?: unknown } = JSON.parse(text)
    const command = commands.find(({ type }) => type === frame.type)
    if (command !== undefined && frame.id !== undefined) asked.set(frame.id, asked.has(frame.id) ? undefined : command)
  } catch {
    // The server says that it is no frame.
  }
}

function checkAnswer(guard: ContractGuard, operation: Operation, status: number, payload: unknown): void {
  const outcome = operation.responses[status]
  const place = `${operation.operationId} ${status}`
  if (outcome === undefined) return checkError(guard, operation, status, payload)
  guard.seen.add(place)
  if (outcome.contentType !== undefined) return
  if (outcome.body === undefined) {
    if (payload !== undefined && payload !== null && payload !== '') guard.violations.push(`${place}: has a body, and declares none`)
  } else check(guard, place, outcome.body, parsed(payload))
}

/** What is no JSON fits no schema. */
function parsed(payload: unknown): unknown {
  try {
    return JSON.parse(String(payload))
  } catch {
    return undefined
  }
}

function checkError(guard: ContractGuard, operation: Operation, status: number, payload: unknown): void {
  const body: { error: { code: keyof typeof errorCatalog } } = JSON.parse(String(payload))
  const place = `${operation.operationId} ${status} ${body.error.code}`
  guard.seen.add(place)
  check(guard, place, ErrorResponse, body)
  if (errorCatalog[body.error.code].status !== status) guard.violations.push(`${place}: the code has another status`)
  if (!errorsOf(operation).includes(body.error.code)) guard.violations.push(`${place}: is not declared`)
}

interface SaidFrame {
  type: string
  id?: unknown
  data?: unknown
  error?: { code: ErrorCode }
}

function checkFrame(guard: ContractGuard, asked: ReadonlyMap<unknown, Command | undefined>, frame: SaidFrame): void {
  guard.seen.add(frame.type)
  const schema = frames.get(frame.type)
  if (schema === undefined) guard.violations.push(`frame ${frame.type}: is not declared`)
  else check(guard, `frame ${frame.type}`, schema, frame)
  const command = asked.get(frame.id)
  if (command !== undefined && frame.type === 'ack') checkAck(guard, command, frame)
  if (frame.error !== undefined) checkCommandError(guard, command, frame.error.code)
}

function checkAck(guard: ContractGuard, { type, result }: Command, { data }: SaidFrame): void {
  guard.seen.add(`ack ${type}`)
  if (result !== undefined) check(guard, `ack ${type}`, result, data)
  else if (data !== undefined) guard.violations.push(`ack ${type}: has data, and declares none`)
}

function checkCommandError(guard: ContractGuard, command: Command | undefined, code: ErrorCode): void {
  guard.seen.add(`error ${command?.type ?? 'frame'} ${code}`)
  // A command without an id is refused without one: it may have been any.
  const declared: readonly ErrorCode[] = [...frameErrors, ...(command === undefined ? commands.flatMap(errorsOfCommand) : errorsOfCommand(command))]
  if (!declared.includes(code)) guard.violations.push(`error ${command?.type ?? 'frame'} ${code}: is not declared`)
}

function check(guard: ContractGuard, place: string, schema: TSchema, value: unknown): void {
  const validate = compiled.get(schema) ?? ajv.compile(closed({ ...schema, $id: undefined }) as TSchema)
  compiled.set(schema, validate)
  if (!validate(value)) guard.violations.push(`${place}: ${ajv.errorsText(validate.errors)} in ${String(JSON.stringify(value)).slice(0, 500)}`)
}

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in copy && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy
}
