/** What comes in is closed and bounded everywhere: no unknown fields, no text, list or record without an end. */
import type { TSchema } from '@sinclair/typebox'
import { allComponents } from '../contract.ts'
import { isObject, type Json, type JsonObject, toJson } from '../emission/schema.ts'

export function requestProblems(schema: TSchema, where: 'params' | 'query' | 'body' | 'frame'): string[] {
  const open = where === 'params' || where === 'query'
  const { additionalProperties, ...parts } = toJson(schema)
  return nodeProblems(open ? { ...parts, additionalProperties: additionalProperties ?? false } : toJson(schema), where)
}

/** Whether one of an object's fields is a file, behind a reference too. */
export const hasFile = (schema: TSchema): boolean =>
  Object.values(toJson(resolved(toJson(schema)).properties ?? {})).some((field) => isObject(field) && field.format === 'binary')

/** The names of an object's fields, behind a reference too. */
export const propertyNames = (schema: TSchema): string[] => Object.keys(toJson(resolved(toJson(schema)).properties ?? {}))

function nodeProblems(node: JsonObject, where: string): string[] {
  const schema = resolved(node)
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => nodes(schema[keyword]))
  if (parts.length > 0) return parts.flatMap((part) => nodeProblems(part, where))
  const types = Array.isArray(schema.type) ? schema.type : [schema.type]
  return types.flatMap((type) => {
    if (type === 'string') return isBoundedText(schema) ? [] : [`${where} is text without an end: maxLength, enum or a bounded pattern`]
    if (type === 'array') return arrayProblems(schema, where)
    if (type === 'object') return objectProblems(schema, where)
    return typeof type === 'string' ? [] : [`${where} has no type`]
  })
}

function arrayProblems({ items, maxItems }: JsonObject, where: string): string[] {
  return [...(maxItems === undefined ? [`${where} is a list without maxItems`] : []), ...nodes(items).flatMap((item) => nodeProblems(item, `${where}[]`))]
}

function objectProblems({ properties = {}, patternProperties, additionalProperties, maxProperties }: JsonObject, where: string): string[] {
  const fields = Object.entries(isObject(properties) ? properties : {}).flatMap(([name, field]) =>
    nodes(field).flatMap((node) => nodeProblems(node, `${where}.${name}`)),
  )
  const patterns = Object.entries(isObject(patternProperties) ? patternProperties : {})
  const records = patterns.flatMap(([pattern, value]) => [
    ...(maxProperties === undefined ? [`${where} is a record without maxProperties`] : []),
    ...(isBoundedPattern(pattern) ? [] : [`${where} has keys without an end`]),
    ...nodes(value).flatMap((node) => nodeProblems(node, `${where}.*`)),
  ])
  return [...(additionalProperties === false ? [] : [`${where} takes unknown fields`]), ...fields, ...records]
}

const isBoundedText = ({ enum: words, maxLength, format, pattern }: JsonObject) =>
  Array.isArray(words) || typeof maxLength === 'number' || ['uuid', 'date-time', 'date', 'binary'].includes(String(format)) || isBoundedPattern(pattern)

/** Anchored at both ends, and nothing in it repeats for ever. */
function isBoundedPattern(pattern: Json | undefined): boolean {
  if (typeof pattern !== 'string' || !pattern.startsWith('^') || !pattern.endsWith('$')) return false
  const withoutClasses = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  return !/[*+]|\{\d+,\}|\|/.test(withoutClasses)
}

export const nodes = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : isObject(value) ? [value] : [])

function resolved(node: JsonObject): JsonObject {
  if (typeof node.$ref !== 'string') return node
  const component = allComponents().get(node.$ref.replace(/#$/, ''))
  if (component === undefined) throw new Error(`There is no component ${node.$ref}`)
  return toJson(component)
}
