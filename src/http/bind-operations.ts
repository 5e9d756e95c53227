/**
 * From the contract to routes: whatever an operation declares (access, limits, validation, statuses) is enforced here, once, for
 * all of them. A handler sees typed parts and returns a typed body; it knows the actor, not how one signs in.
 */
import { Readable } from 'node:stream'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler, onRequestHookHandler } from 'fastify'
import {
  type Access,
  allComponents,
  anyContentType,
  isBodyOptional,
  type Operation,
  type Part,
  type RateLimitClass,
  type Result,
} from '../../openapi/contract.ts'
import type { Actor, Caller, SessionActor } from '../actor.ts'
import { AppError, invalidField } from '../errors/app-error.ts'
import type { JsonPieces, JsonText } from '../json-text.ts'
import { callerOf, requireAccess } from './authenticate.ts'
import { abandonForm, type FormTimes, isStreamedForm, openForm, readForm, requireForm } from './multipart.ts'
import { compileRequestValidation } from './validate-request.ts'

/** A union of access levels, as of any operation, is all of their actors. */
type ActorOf<A extends Access> = A extends 'public' ? Actor | undefined : A extends 'session' ? SessionActor : Actor

export interface Call<O extends Operation> {
  actor: ActorOf<O['access']>
  params: Part<O, 'params'>
  query: Part<O, 'query'>
  body: Part<O, 'body'>
  /** Where it comes from, for what is written down about it. */
  caller: Caller
  request: FastifyRequest
  reply: FastifyReply
}

export type Handler<O extends Operation> = (call: Call<O>) => Promise<Result<O> | JsonText<Result<O>> | JsonPieces<Result<O>>>

/** One handler per operation of a module, keyed by operationId: one that is missing or mistyped does not compile. */
export type Handlers<M extends Record<string, Operation>> = { [O in M[keyof M] as O['operationId']]: Handler<O> }

export interface RequestHooks {
  /** Of a file that is handed on as it comes. */
  uploadMaxBytes: number
  formTimes: FormTimes

  /** Sets `request.actor` where the credentials are good; refuses nobody. */
  identify: onRequestHookHandler
  rateLimit(rateLimitClass: RateLimitClass): onRequestAsyncHookHandler[]
}

/** Schemas that answers refer to; call it once, before the first `bindOperations`. */
export function addComponents(app: FastifyInstance): void {
  for (const schema of allComponents().values()) app.addSchema(serializable(schema))
}

export function bindOperations<M extends Record<string, Operation>>(app: FastifyInstance, hooks: RequestHooks, operations: M, handlers: Handlers<M>): void {
  for (const operation of Object.values(operations)) {
    const handler = handlers[operation.operationId as keyof Handlers<M>] as Handler<Operation>
    const validate = compileRequestValidation(operation)
    const [defaultStatus] = Object.keys(operation.responses).map(Number)
    const mayLackBody = operation.body !== undefined && isBodyOptional(operation.body)
    const respond = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      if (operation.idempotent) useIdempotencyKey(request)
      validate(request)
      if (defaultStatus !== undefined) reply.code(defaultStatus)
      const { params, query, body, actor } = request
      const result = await handler({ actor, params, query, body, caller: callerOf(request), request, reply } as Call<Operation>)
      return answer(operation, reply, result)
    }
    app.route({
      method: operation.method,
      url: operation.path.replace(/\{(\w+)\}/g, ':$1'),
      schema: { response: responseSchemas(operation) },
      config: { operation },
      // Limits come before access, so that guessing tokens is limited too; identity comes before limits, so that users are counted and not their office.
      onRequest: [
        // What is public asks nobody, and has no need of the database for it.
        ...(operation.access === 'public' ? [] : [hooks.identify]),
        ...(operation.rateLimit === 'none' ? [] : hooks.rateLimit(operation.rateLimit)),
        requireAccess(operation),
        ...(operation.multipart ? [requireForm] : []),
      ],
      handler: async (request, reply) => {
        if (mayLackBody && request.body === undefined) request.body = {}
        if (request.isMultipart()) return withForm(operation, hooks, request, reply, respond)
        return respond(request, reply)
      },
    })
  }
}

type Respond = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

async function withForm({ multipart, body }: Operation, hooks: RequestHooks, request: FastifyRequest, reply: FastifyReply, respond: Respond) {
  try {
    if (!multipart || body === undefined) throw new AppError('unsupported_media_type')
    request.body = isStreamedForm(body) ? await openForm(request, body, hooks) : await readForm(request, body, hooks.formTimes)
    return await respond(request, reply)
  } catch (error) {
    abandonForm(request)
    throw error
  }
}

/** An undeclared status would skip its schema and leak fields, so it is a defect of the handler and stops here. */
function answer(operation: Operation, reply: FastifyReply, result: unknown) {
  const outcome = operation.responses[reply.statusCode]
  if (outcome === undefined) throw new Error(`${operation.operationId} answered ${reply.statusCode}, which it does not declare`)
  if (outcome.body === undefined) return reply.send()
  if (outcome.contentType !== undefined) {
    if (outcome.contentType !== anyContentType) reply.type(outcome.contentType)
    return reply.send(isInPieces(result) ? Readable.from(result) : result)
  }
  const isPieces = isInPieces(result)
  if (typeof result === 'string' || isPieces) reply.type('application/json; charset=utf-8')
  // What fails on the way cuts the connection, so that nobody takes a part for the whole.
  if (isPieces) return reply.send(Readable.from(result, { objectMode: false }))
  return reply.send(result)
}

/** Content that is to be sent as it comes; a stream is sent as it is. */
const isInPieces = (result: unknown): result is AsyncIterable<Uint8Array | string> =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result && !(result instanceof Readable)

/** The header is another way to give the body's `clientId`. @throws `validation_error` when both are there and differ */
function useIdempotencyKey({ headers, body }: FastifyRequest): void {
  const key = headers['idempotency-key']
  if (key === undefined || !isRecord(body)) return
  body.clientId ??= key
  if (body.clientId !== key) throw invalidField('body.clientId', 'is not what the header Idempotency-Key says')
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const responseSchemas = ({ responses }: Operation) =>
  Object.fromEntries(Object.entries(responses).map(([status, outcome]) => [status, outcome.body ? serializable(outcome.body) : { type: 'null' }]))

/** The serializer needs the shape alone: formats and lengths would cost it a third of its speed wherever a union is told apart. */
function serializable(schema: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) => (constraints.has(key) && typeof value !== 'object' ? undefined : value)) as TSchema
}

const constraints = new Set([
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'description',
  'uniqueItems',
  'maxProperties',
])

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}
