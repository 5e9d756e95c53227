/** Errors, made from what the server answers. */
import * as errors from './errors.ts'
import type { ErrorResponse } from './generated/types.ts'

const classes: Record<number, typeof errors.ParleyError> = {
  400: errors.ValidationError,
  401: errors.UnauthorizedError,
  403: errors.ForbiddenError,
  404: errors.NotFoundError,
  409: errors.ConflictError,
  429: errors.RateLimitError,
}

/** An answer that is an error, as what is thrown. A proxy's answer without our envelope is told by its status. */
export function errorFromResponse(response: Response, body: unknown): errors.ParleyError {
  const { status, headers } = response
  const error = isErrorResponse(body) ? body.error : undefined
  return newError({
    code: error?.code ?? 'unexpected_answer',
    message: error?.message ?? `The server answered with status ${status}`,
    status,
    requestId: error?.requestId ?? headers.get('X-Request-Id') ?? undefined,
    details: error?.details,
    retryAfterSeconds: readSeconds(headers.get('Retry-After')),
  })
}

/** The class that fits the status. */
export function newError(facts: errors.ErrorFacts & { status: number }): errors.ParleyError {
  const ErrorClass = classes[facts.status] ?? (facts.status >= 500 ? errors.ServerError : errors.ParleyError)
  return new ErrorClass(facts)
}

function readSeconds(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN)
  return Number.isNaN(seconds) ? undefined : seconds
}

function isErrorResponse(body: unknown): body is ErrorResponse {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}
