/**
 * Requests against the contract. All parts of a request are validated together, so that one answer names every field that is
 * wrong. Bodies mean what they say: nothing is converted, nothing unknown is dropped. Query and path are text on the wire, so
 * there `12` becomes a number where the contract says so.
 */
import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyRequest } from 'fastify'
import { allComponents, type Operation } from '../../openapi/contract.ts'
import type { FieldError } from '../../openapi/shared/errors.ts'
import { AppError } from '../errors/app-error.ts'

// `strictNumbers` refuses what JSON cannot say: 1e400 is read as Infinity, and would come back as null.
const bodies = withComponents(
  new Ajv({ allErrors: true, coerceTypes: false, removeAdditional: false, useDefaults: true, discriminator: true, strict: false, strictNumbers: true }),
)
const texts = withComponents(new Ajv({ allErrors: true, coerceTypes: 'array', removeAdditional: false, useDefaults: true, strict: false, strictNumbers: true }))

export type Validate = (value: unknown) => FieldError[]

/** For JSON that is no request: the frames of a socket. */
export const compileJsonValidation = (schema: TSchema, place: string): Validate => compile(bodies, schema, place)

export function compileRequestValidation(operation: Operation): (request: FastifyRequest) => void {
  const params = operation.params && compile(texts, operation.params, 'params')
  const query = compile(texts, closedQuery(operation.query), 'query')
  const body = operation.body && compile(bodies, operation.body, 'body')

  return (request) => {
    const details = [...(params?.(request.params) ?? []), ...query(request.query), ...(body?.(request.body) ?? [])]
    if (details.length > 0) throw new AppError('validation_error', undefined, { details })
  }
}

/** A misspelt parameter would otherwise be ignored without a word. */
const closedQuery = (query: TSchema | undefined): TSchema => ({ ...(query ?? { type: 'object', properties: {} }), additionalProperties: false }) as TSchema

function compile(ajv: Ajv, schema: TSchema, place: string): Validate {
  const validate: ValidateFunction = ajv.compile(schema)
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map((error) => fieldError(place, error)))
}

function fieldError(place: string, { instancePath, keyword, params, message = 'is not valid' }: ErrorObject): FieldError {
  const path = [
    place,
    ...instancePath
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
  ]
  if (keyword === 'required') return { field: [...path, String(params.missingProperty)].join('.'), reason: 'is required' }
  if (keyword === 'additionalProperties') return { field: [...path, String(params.additionalProperty)].join('.'), reason: 'is not known' }
  if (keyword === 'enum') return { field: path.join('.'), reason: `must be one of ${(params.allowedValues as unknown[]).join(', ')}` }
  return { field: path.join('.'), reason: message }
}

function withComponents(ajv: Ajv): Ajv {
  addFormats.default(ajv)
  for (const schema of allComponents().values()) ajv.addSchema(schema)
  return ajv
}
