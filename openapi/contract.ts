/**
 * The contract kit. A *component* is a named schema: one entry of `components.schemas`, one type of the SDK.
 * An *operation* is one method on one path with everything a caller can see of it; an *event* and a *command* are
 * the same for the socket. Nothing here knows of the server: `document.ts` turns operations into OpenAPI,
 * `realtime.ts` turns events and commands into AsyncAPI, `src/http/bind-operations.ts` turns operations into routes.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { ErrorCode } from './shared/errors.ts'

const components = new Map<string, TSchema>()

/** Every component has a description, and so has every property of it: they are the comments of the SDK. */
export function component<T extends TSchema>(name: string, schema: T): T {
  if (components.has(name)) throw new Error(`Component ${name} is defined twice`)
  const named = { ...schema, $id: name }
  components.set(name, named)
  return named
}

export const allComponents = (): ReadonlyMap<string, TSchema> => components

/** A reference to a component that keeps its static type. */
export const ref = <T extends TSchema>(schema: T) => Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` })

/** Whether `{}` fits: then a body may as well be left out. */
export function isBodyOptional(body: TSchema): boolean {
  const { required = [], minProperties = 0 } = components.get(String(body.$ref).replace(/#$/, '')) ?? body
  return required.length === 0 && minProperties === 0
}

/** The same schema, saying what it is for where it stands. */
export const described = <T extends TSchema>(schema: T, description: string) => Type.Unsafe<Static<T>>({ ...schema, description })

/** An object that refuses unknown fields: every request body is one. */
export const closed = <T extends Parameters<typeof Type.Object>[0]>(properties: T, options: { description?: string; minProperties?: number } = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false })

/** For schemas that have one `type`: a reference has none. */
export function nullable<T extends TSchema>(schema: T) {
  if (typeof schema.type !== 'string') throw new Error('Only what has one type can be made nullable')
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** One of a few words: a string `enum`, which every generator understands, rather than a union of literals. */
export const oneOfWords = <const W extends string>(words: readonly W[], options: { description?: string } = {}) =>
  Type.Unsafe<W>({ type: 'string', enum: words, ...options })

/** A file of a `multipart` body: a string of bytes in the documents, the bytes themselves in a handler. */
export const uploadedFile = ({ maxBytes, description }: { maxBytes: number; description: string }) =>
  Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary', maxLength: maxBytes, description })

/** A file of a `multipart` body as it comes, of whatever length. */
export interface IncomingFile {
  /** As the client said it. */
  name: string
  /** Its size cannot be less, as far as is known before it is read. */
  leastBytes: number
  /** Ends well only when the form had nothing else in it. */
  content: AsyncIterable<Uint8Array>
}

/** A file that is not read before the handler does so, which also sees to its size: the only field of its body. */
export const streamedFile = ({ description }: { description: string }) => Type.Unsafe<IncomingFile>({ type: 'string', format: 'binary', description })

/** Whether a handler reads it as it comes. */
export const isStreamed = (schema: TSchema): boolean => isBinary(schema) && schema.maxLength === undefined

export const isBinary = ({ format }: TSchema): boolean => format === 'binary'

/** Of an outcome whose handler says what it is. */
export const anyContentType = '*/*'

/** The body of an outcome whose `contentType` is no text: a handler gives it in one piece or in several. */
export const binaryContent = (description: string) => Type.Unsafe<Uint8Array | AsyncIterable<Uint8Array>>({ type: 'string', format: 'binary', description })

/** Who may call: everybody, whoever has credentials, whoever has signed in personally (an API key is not enough), administrators. */
export type Access = 'public' | 'user' | 'session' | 'admin'

/** What an API key may do: each includes those before. */
export const apiKeyScopes = ['read', 'write', 'admin'] as const
export type ApiKeyScope = (typeof apiKeyScopes)[number]

export type RateLimitClass = 'auth' | 'default' | 'messages' | 'uploads' | 'public' | 'sockets'

export interface Outcome {
  description: string
  body?: TSchema
  /** `application/json` unless said otherwise. */
  contentType?: string
  example?: unknown
  /** Beside those that every answer has. */
  headers?: Readonly<Record<string, AnswerHeader>>
}

/** A header of an answer; it is not there in every answer. */
export interface AnswerHeader {
  description: string
  schema: TSchema
  example: unknown
}

export interface Operation {
  /** `<resource>.<verb>`: also the handler's key and the SDK's method. */
  operationId: `${string}.${string}`
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: `/${string}`
  summary: string
  description?: string
  access: Access
  /** `none` is for probes and documents that must answer always, and for pictures of which a page shows many. */
  rateLimit: RateLimitClass | 'none'
  /** The body's `clientId` may also be given as the `Idempotency-Key` header. */
  idempotent?: true
  /** Of a POST or PATCH without `clientId`: doing it again changes nothing more, so a client that got no answer may repeat it. */
  repeatable?: true
  /** A browser opens it as a page and is sent on; programs do not call it, so the SDK has no method for it. */
  page?: true
  /** Of a POST that changes nothing: an API key that may only read may call it. */
  readOnly?: true
  params?: TSchema
  query?: TSchema
  body?: TSchema
  /** The body is no JSON but a form with files (`multipart/form-data`): see `uploadedFile`. */
  multipart?: true
  /** Request bodies for the documentation, by a short name. */
  examples?: Record<string, unknown>
  /** Successful outcomes by status; the lowest is the one a handler's plain return value stands for. */
  responses: Record<number, Outcome>
  /** Beyond those that every operation has: see `errorsOf`. */
  errors: readonly ErrorCode[]
}

export const defineOperation = <const O extends Operation>(operation: O): O => operation

/** What a part of a request is in a handler; `undefined` where the operation has no such part. */
export type Part<O extends Operation, K extends 'params' | 'query' | 'body'> = O[K] extends TSchema ? Static<O[K]> : undefined

/** What a handler returns: the body of one of the operation's successful outcomes. */
export type Result<O extends Operation> = {
  [S in keyof O['responses']]: O['responses'][S] extends { body: infer B extends TSchema } ? Static<B> : void
}[keyof O['responses']]

/** What an API key must be allowed for this operation; undefined where none will do. */
export function scopeOf({ method, access, readOnly }: Pick<Operation, 'method' | 'access' | 'readOnly'>): ApiKeyScope | undefined {
  if (access === 'session') return undefined
  if (access === 'admin') return 'admin'
  return method === 'GET' || readOnly ? 'read' : 'write'
}

/** The errors an operation can answer with: its own and those that follow from what it is. */
export function errorsOf(operation: Operation): ErrorCode[] {
  // A query parameter that an operation does not know is refused, also by those that know none.
  const errors = new Set<ErrorCode>([...operation.errors, 'validation_error'])
  // A body that is sent is read, also where none is asked for.
  if (operation.method !== 'GET') for (const code of ['payload_too_large', 'unsupported_media_type'] as const) errors.add(code)
  if (operation.method !== 'GET' && !operation.multipart) errors.add('malformed_json')
  if (operation.access !== 'public') {
    errors.add('unauthorized')
    if (scopeOf(operation) !== 'read') errors.add('insufficient_scope')
    if (operation.method !== 'GET') errors.add('csrf_rejected')
  }
  if (operation.access === 'admin') errors.add('forbidden')
  // Probes and documents do not need the database either; what does says so itself.
  if (operation.rateLimit !== 'none') for (const code of ['rate_limit_exceeded', 'unavailable', 'internal_error'] as const) errors.add(code)
  return [...errors]
}

/**
 * What the server pushes. A *change* is numbered by its conversation's `changeSeq` and can be resumed; a *signal*
 * (typing, control frames) is of the moment and is never repeated.
 */
export interface RealtimeEvent {
  type: string
  kind: 'change' | 'signal'
  summary: string
  description?: string
  data: TSchema
  example: unknown
}

export const defineEvent = <const E extends RealtimeEvent>(event: E): E => event

/** What a client may say over the socket. Every command that bears an `id` is answered by `ack` or `error` with the same `id`. */
export interface Command {
  type: string
  summary: string
  description?: string
  rateLimit: RateLimitClass
  /** An API key that may only read may say it. */
  readOnly?: true
  data: TSchema
  result?: TSchema
  /** Beyond those that any frame can be answered by: see `errorsOfCommand`. */
  errors: readonly ErrorCode[]
  example: unknown
}

export const defineCommand = <const C extends Command>(command: C): C => command

/** What an API key must be allowed for this command. */
export const scopeOfCommand = ({ readOnly }: Pick<Command, 'readOnly'>): ApiKeyScope => (readOnly ? 'read' : 'write')

/** The errors a command can be answered by: its own and those that follow from what it is. */
export const errorsOfCommand = (command: Command): ErrorCode[] => [
  ...command.errors,
  ...(scopeOfCommand(command) === 'read' ? [] : (['insufficient_scope'] as const)),
]
