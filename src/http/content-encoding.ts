/** Bodies are read as they come: one that is packed would be taken for something else. */
import type { FastifyRequest } from 'fastify'
import { AppError } from '../errors/app-error.ts'

/** @returns why the body of a request is not read, if it is not */
export function refusalOfEncoding({ headers }: Pick<FastifyRequest, 'headers'>): AppError | undefined {
  const encoding = headers['content-encoding']?.trim().toLowerCase()
  if (!encoding || encoding === 'identity') return undefined
  return new AppError('unsupported_media_type', 'A body must come as it is, without `Content-Encoding`.')
}
