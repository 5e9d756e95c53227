/** Requests against the contract: all parts of a request are validated together, so that one answer names every field that is wrong. */
import type { TSchema } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import type { Operation } from '../../openapi/contract.ts'
import { AppError } from '../errors/app-error.ts'
import { compileJsonValidation, compileTextValidation } from '../validation.ts'
import { compileFormValidation } from './multipart.ts'

export function compileRequestValidation(operation: Operation): (request: FastifyRequest) => void {
  const params = operation.params && compileTextValidation(operation.params, 'params')
  const query = compileTextValidation(closedQuery(operation.query), 'query')
  const body = operation.body && (operation.multipart ? compileFormValidation(operation.body) : compileJsonValidation(operation.body, 'body'))

  return (request) => {
    const details = [...(params?.(request.params) ?? []), ...query(request.query), ...(body?.(request.body) ?? [])]
    if (details.length > 0) throw new AppError('validation_error', undefined, { details })
  }
}

/** A misspelt parameter would otherwise be ignored without a word; a query that others make says itself that it is open. */
const closedQuery = (query: TSchema | undefined): TSchema => ({ additionalProperties: false, ...(query ?? { type: 'object', properties: {} }) }) as TSchema
