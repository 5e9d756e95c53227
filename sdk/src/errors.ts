import type { ApiError, FieldError } from './generated/types.ts'

/** The codes of the API, and those that the SDK adds for what never reached it or came back broken. A newer server may know more. */
export type ErrorCode = ApiError['code'] | 'connection_failed' | 'timeout' | 'closed' | 'outbox_full' | 'unexpected_answer' | (string & {})

/** What an error is made of. */
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
