/** Path, query and header parameters of operations. */
import type { Operation } from '../contract.ts'
import { ClientId } from '../shared/scalars.ts'
import { emitSchema, isObject, type JsonObject } from './schema.ts'

export const sharedParameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The same as `clientId` in the body: if both are there, they say the same.',
    schema: { type: 'string', minLength: ClientId.minLength, maxLength: ClientId.maxLength },
  },
}

export function parametersOf({ params, query, idempotent }: Operation): JsonObject[] {
  return [
    ...(params ? partParameters('path', emitSchema(params, { discriminators: true })) : []),
    ...(query ? partParameters('query', emitSchema(query, { discriminators: true })) : []),
    ...(idempotent ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ]
}

function partParameters(place: 'path' | 'query', { properties, required }: JsonObject): JsonObject[] {
  const requiredNames = Array.isArray(required) ? required : []
  return Object.entries(isObject(properties) ? properties : {}).map(([name, property]) => {
    const { description, ...schema } = isObject(property) ? property : {}
    return { name, in: place, required: requiredNames.includes(name), ...(description !== undefined && { description }), schema }
  })
}
