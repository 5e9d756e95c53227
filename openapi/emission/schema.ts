/**
 * Turns the contract's TypeBox schemas into those of the published documents. They differ in four things: a reference is
 * a path into the document, records say `additionalProperties` + `propertyNames` (which generators understand) instead of
 * `patternProperties`, a discriminator has the mapping that ajv refuses and generators need, and `$id` is not there.
 */
import type { TSchema } from '@sinclair/typebox'
import { allComponents } from '../contract.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export interface Emission {
  /** AsyncAPI's `discriminator` is another thing than OpenAPI's: there it is left out. */
  discriminators: boolean
}

const everyName = '^(.*)$'

export function emitSchema(schema: TSchema, emission: Emission): JsonObject {
  return emitNode(toJson(schema), emission)
}

/** Every component by its name, sorted, so that the order of imports does not show. */
export function emitComponents(emission: Emission): Record<string, JsonObject> {
  const sorted = [...allComponents()].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, schema]) => [name, emitSchema(schema, emission)]))
}

export const componentPath = (name: string) => `#/components/schemas/${name}`

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy as plain JSON: TypeBox's symbols and undefined values fall away. */
export const toJson = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value))

function emitNode({ $id: _, patternProperties, discriminator, ...schema }: JsonObject, emission: Emission): JsonObject {
  const emitted = Object.entries(schema).map(([keyword, value]) => [keyword, emitKeyword(keyword, value, emission)])
  return {
    ...Object.fromEntries(emitted),
    ...(isObject(patternProperties) && emitRecord(patternProperties, emission)),
    ...(emission.discriminators && isObject(discriminator) && { discriminator: withMapping(discriminator, schema.oneOf) }),
  }
}

function emitKeyword(keyword: string, value: Json | undefined, emission: Emission): Json | undefined {
  if (keyword === '$ref' && typeof value === 'string') return componentPath(componentName(value))
  if (keyword === 'properties' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, property]) => [name, isObject(property) ? emitNode(property, emission) : property]))
  }
  if (['oneOf', 'anyOf', 'allOf'].includes(keyword) && Array.isArray(value)) return value.map((part) => emitNode(part, emission))
  if (['items', 'additionalProperties', 'propertyNames', 'not'].includes(keyword) && isObject(value)) return emitNode(value, emission)
  return value
}

function emitRecord(patternProperties: JsonObject, emission: Emission): JsonObject {
  const [entry, ...others] = Object.entries(patternProperties)
  if (entry === undefined || others.length > 0) throw new Error('A record has one pattern for its keys')
  const [pattern, value] = entry
  return {
    ...(pattern !== everyName && { propertyNames: { type: 'string', pattern } }),
    additionalProperties: isObject(value) ? emitNode(value, emission) : {},
  }
}

/** `X#` → `X`. */
const componentName = (reference: string) => reference.replace(/#$/, '')

function withMapping(discriminator: JsonObject, oneOf: Json | undefined): JsonObject {
  const property = String(discriminator.propertyName)
  const references = Array.isArray(oneOf) ? oneOf.map((part) => componentName(String(part.$ref))) : []
  const mapping = Object.fromEntries(references.map((name) => [discriminatingWord(name, property), componentPath(name)]))
  return { ...discriminator, mapping }
}

function discriminatingWord(name: string, property: string): string {
  const words: unknown = allComponents().get(name)?.properties?.[property]?.enum
  if (!Array.isArray(words) || words.length !== 1) throw new Error(`${name}.${property} is not one word`)
  return String(words[0])
}
