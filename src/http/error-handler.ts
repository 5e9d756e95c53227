/** Every failure, wherever it comes from, leaves as one envelope; what the catalog does not know becomes `internal_error` and stays in the log. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Operation } from '../../openapi/contract.ts'
import type { ErrorCode, ErrorResponse } from '../../openapi/shared/errors.ts'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors/app-error.ts'
import { apiError, toAppError } from '../errors/to-app-error.ts'

/** Fastify's own refusals, by its error codes. */
const frameworkErrors: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'validation_error',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

function toHttpError(error: unknown): AppError {
  const code = frameworkErrors[(error as FastifyError | undefined)?.code ?? '']
  if (code !== undefined) return new AppError(code)
  if (error instanceof SyntaxError && (error as Partial<FastifyError>).statusCode === 400) return new AppError('malformed_json')
  return toAppError(error)
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, clock: Clock): FastifyReply {
  const known = toHttpError(error)
  if (known.code === 'internal_error') request.log.error({ err: error }, 'A request failed unexpectedly')
  if (known.code === 'unavailable') request.log.warn({ err: error }, 'A request came while something that it needs was unavailable')
  // Already there, but on what failed before the hooks: a URL that cannot be decoded.
  reply.header('x-request-id', request.id)
  if (known.retryAfterSeconds !== undefined) reply.header('retry-after', known.retryAfterSeconds)
  const body: ErrorResponse = { error: apiError(known, request.id, clock.now()) }
  return reply.code(known.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(body)
}

export function handleErrors(app: FastifyInstance, { clock, operations }: { clock: Clock; operations: readonly Operation[] }): void {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, clock))

  const paths = operations.map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?')
    const allowed = paths.filter(({ pattern }) => pattern.test(path)).flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    if (allowed.length === 0) return sendError(new AppError('not_found', 'There is no such path.'), request, reply, clock)
    reply.header('allow', allowed.join(', '))
    return sendError(new AppError('method_not_allowed'), request, reply, clock)
  })
}

/** What never became a request: HTTP that cannot be parsed, headers that are too long. */
export function badRequestBytes(error: NodeJS.ErrnoException, now: Date): string {
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
  const known = new AppError(tooLarge ? 'payload_too_large' : 'validation_error', tooLarge ? 'The headers are too long.' : 'This is not valid HTTP.')
  const body = JSON.stringify({ error: apiError(known, null, now) } satisfies ErrorResponse)
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
  return `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
