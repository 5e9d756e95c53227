import type { ApiError } from '../../openapi/shared/errors.ts'
import { isUnavailable } from '../db/client.ts'
import { AppError } from './app-error.ts'

/** What a client waits before it tries again while the database is away. */
const unavailableRetrySeconds = 2

/** Any failure as one of the catalog. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (isUnavailable(error)) return new AppError('unavailable', undefined, { retryAfterSeconds: unavailableRetrySeconds })
  return new AppError('internal_error')
}

/** What the caller is told. */
export const apiError = (error: AppError, requestId: string | null, now: Date): ApiError => ({
  code: error.code,
  message: error.message,
  ...(error.details && { details: error.details }),
  ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
  requestId,
  timestamp: now.toISOString(),
})
