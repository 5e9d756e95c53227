/**
 * Every component and every field says what it is: the reader of a page finds it there, and the SDK's user under the cursor. An id and
 * other shared schemas bring their description along; a reference needs one of its own, for what the thing is *here*.
 */
import type { TSchema } from '@sinclair/typebox'
import { isObject, type JsonObject, toJson } from '../emission/schema.ts'
import { nodes } from './requests.ts'

export const componentProblems = (components: ReadonlyMap<string, TSchema>): string[] =>
  [...components].flatMap(([name, schema]) => [
    ...(isDescribed(toJson(schema)) ? [] : [`component ${name} has no description`]),
    ...fieldProblems(schema, `component ${name}`),
  ])

/** Of all fields, also of those inside of others. */
export const fieldProblems = (schema: TSchema, where: string): string[] => undescribedFields(toJson(schema), where)

function undescribedFields(node: JsonObject, where: string): string[] {
  const fields = Object.entries(isObject(node.properties) ? node.properties : {}).flatMap(([name, field]) =>
    nodes(field).flatMap((schema) => [
      ...(isDescribed(schema) ? [] : [`${where}.${name} has no description`]),
      ...undescribedFields(schema, `${where}.${name}`),
    ]),
  )
  const parts = ['items', 'anyOf', 'oneOf', 'allOf'].flatMap((keyword) => nodes(node[keyword]))
  return [...fields, ...parts.flatMap((part) => undescribedFields(part, where))]
}

const isDescribed = ({ description }: JsonObject) => typeof description === 'string' && description.trim() !== ''
