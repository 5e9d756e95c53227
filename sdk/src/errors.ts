import type { ApiError, ErrorResponse, FieldError } from './generated/types.ts'

/** The codes of the API, and those that the SDK adds for what never reached it or came back broken. A newer server may know more. */
export type ErrorCode = ApiError['code'] | 'connection_failed' | 'timeout' | 'closed' | 'outbox_full' | 'unexpected_answer' | (string & {})

export interface ErrorFacts {
  code: ErrorCode
  message: string
  status?: number | undefined
  requestId?: string | undefined
  details?: FieldError[] | undefined
  retryAfterSeconds?: number | undefined
}

/**
 * What every failed call throws. Ask `instanceof` for the kind (`NotFoundError`, `RateLimitError` …) or read `code` for the exact
 * reason; `message` is a sentence for a person.
 */
export class ParleyError extends Error {
  /** For programs: `not_found`, `conflict`, `timeout` … */
  readonly code: ErrorCode
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined
  /** Quote it when you report a problem: the server's log has it on every line of the request. */
  readonly requestId: string | undefined
  /** Every field that is wrong, in a `ValidationError`. */
  readonly details: readonly FieldError[]
  /** How many seconds the server asks you to wait. */
  readonly retryAfterSeconds: number | undefined

  constructor({ code, message, status, requestId, details = [], retryAfterSeconds }: ErrorFacts, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.status = status
    this.requestId = requestId
    this.details = details
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** 400: the request does not fit the contract; `details` names every field that is wrong. */
export class ValidationError extends ParleyError {}
/** 401: credentials are missing, wrong, expired or revoked, and could not be renewed. */
export class UnauthorizedError extends ParleyError {}
/** 403: you may not do this. */
export class ForbiddenError extends ParleyError {}
/** 404: there is no such resource, or you may not see it. */
export class NotFoundError extends ParleyError {}
/** 409: the request contradicts the present state. */
export class ConflictError extends ParleyError {}
/** 429, after the retries: wait for `retryAfterSeconds`. */
export class RateLimitError extends ParleyError {}
/** 5xx, after the retries. */
export class ServerError extends ParleyError {}
/** No answer came: the network, DNS, TLS, or no server. `cause` holds the error of `fetch`. */
export class ConnectionError extends ParleyError {}
/** No answer came in time. Whether the server did what was asked is not known. */
export class TimeoutError extends ParleyError {}

const classes: Record<number, typeof ParleyError> = {
  400: ValidationError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  429: RateLimitError,
}

/** An answer that is an error, as what is thrown. A proxy's answer without our envelope is told by its status. */
export function errorFromResponse(response: Response, body: unknown, now: number): ParleyError {
  const { status, headers } = response
  const error = isErrorResponse(body) ? body.error : undefined
  return newError({
    code: error?.code ?? 'unexpected_answer',
    message: error?.message ?? `The server answered with status ${status}`,
    status,
    requestId: error?.requestId ?? headers.get('X-Request-Id') ?? undefined,
    details: error?.details,
    retryAfterSeconds: readRetryAfter(headers.get('Retry-After'), now),
  })
}

/** The class that fits the status. */
export function newError(facts: ErrorFacts & { status: number }): ParleyError {
  const ErrorClass = classes[facts.status] ?? (facts.status >= 500 ? ServerError : ParleyError)
  return new ErrorClass(facts)
}

export function isErrorResponse(body: unknown): body is ErrorResponse {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
}

/** Seconds, or a date from servers in between. */
function readRetryAfter(header: string | null, now: number): number | undefined {
  if (!header) return undefined
  const seconds = Number(header)
  const value = Number.isNaN(seconds) ? (Date.parse(header) - now) / 1000 : seconds
  return Number.isNaN(value) ? undefined : Math.max(0, value)
}
