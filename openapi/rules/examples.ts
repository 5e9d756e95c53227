/**
 * Examples are checked more strictly than answers: a client must ignore fields that it does not know, but an example must not
 * show any. So every object is closed in the copy of the schemas that examples are held against.
 */
import type { TSchema } from '@sinclair/typebox'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { allComponents } from '../contract.ts'
import { isObject, type Json, type JsonObject, toJson } from '../emission/schema.ts'

const ajv = createAjv()

export function exampleProblems(schema: TSchema, example: unknown, where: string): string[] {
  const validate = ajv.compile(closedCopy(schema))
  return validate(toJson({ example }).example) ? [] : (validate.errors ?? []).map((error) => `${where}${error.instancePath} ${sentence(error)}`)
}

function createAjv(): Ajv2020 {
  const instance = new Ajv2020({ allErrors: true, allowUnionTypes: true, discriminator: true })
  formats.default(instance)
  for (const [name, schema] of allComponents()) instance.addSchema({ ...closedCopy(schema), $id: name })
  return instance
}

const sentence = ({ message, params }: ErrorObject) =>
  typeof params.additionalProperty === 'string' ? `has ${params.additionalProperty}, which the schema does not know` : String(message)

/** Without `$id`, which may be known already, and with every object closed. */
function closedCopy(schema: TSchema): JsonObject {
  const { $id: _, ...copy } = toJson(schema)
  return closedNode(copy)
}

function closedNode(node: JsonObject): JsonObject {
  const copy = Object.fromEntries(Object.entries(node).map(([key, part]) => [key, closedPart(part)]))
  return isObject(copy.properties) && copy.type === 'object' ? { additionalProperties: false, ...copy } : copy
}

function closedPart(part: Json | undefined): Json | undefined {
  if (Array.isArray(part)) return part.map((one) => closedPart(one) ?? null)
  return isObject(part) ? closedNode(part) : part
}
