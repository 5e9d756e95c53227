import { type ErrorCode, errorCatalog, type FieldError } from '../../openapi/shared/errors.ts'

/** A failure that the caller is told: a code of the catalog, a sentence for a person, and the fields that are wrong where there are any. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly details: FieldError[] | undefined
  /** For `Retry-After`. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string = errorCatalog[code].title, options: { details?: FieldError[]; retryAfterSeconds?: number } = {}) {
    super(message)
    this.name = 'AppError'
    this.code = code
    this.details = options.details
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return errorCatalog[this.code].status
  }
}

const mebibyte = 1_048_576

export const fileTooLarge = (maxBytes: number): AppError =>
  new AppError('payload_too_large', `A file may have ${maxBytes % mebibyte === 0 ? `${maxBytes / mebibyte} MiB` : `${maxBytes} bytes`} at most.`)

/** One field that is well-formed and still cannot be. */
export const invalidField = (field: string, reason: string): AppError => new AppError('validation_error', undefined, { details: [{ field, reason }] })
