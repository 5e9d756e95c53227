/**
 * Values against the contract. JSON means what it says: nothing is converted, nothing unknown is dropped. Query and path are text on the
 * wire, so there `12` becomes a number where the contract says so.
 */
import type { TSchema } from '@sinclair/typebox'
import { Ajv, type ErrorObject, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import { allComponents } from '../openapi/contract.ts'
import type { FieldError } from '../openapi/shared/errors.ts'

/** @returns every field that is wrong. */
export type Validate = (value: unknown) => FieldError[]

// `strictNumbers` refuses what JSON cannot say: 1e400 is read as Infinity, and would come back as null.
const options: Options = { allErrors: true, removeAdditional: false, useDefaults: true, strict: false, strictNumbers: true }
// Made at the first use: by then every module of the contract has named its components.
const validators: { json?: Ajv; text?: Ajv } = {}

/** @param place what the names of wrong fields begin with: `body`, `frame` … */
export function compileJsonValidation(schema: TSchema, place: string): Validate {
  validators.json ??= withComponents(new Ajv({ ...options, coerceTypes: false, discriminator: true }))
  return compile(validators.json, schema, place)
}

export function compileTextValidation(schema: TSchema, place: string): Validate {
  validators.text ??= withComponents(new Ajv({ ...options, coerceTypes: 'array' }))
  const validate = compile(validators.text, schema, place)
  const integers = Object.entries<TSchema>(schema.properties).flatMap(([name, { type }]) => (type === 'integer' ? [name] : []))
  return (value) => {
    const texts = new Map(Object.entries(value ?? {}))
    const odd = integers.filter((name) => !isIntegerText(texts.get(name)))
    const errors = validate(value)
    const named = new Set(errors.map(({ field }) => field))
    return [...errors, ...odd.map((name) => ({ field: `${place}.${name}`, reason: 'must be integer' })).filter(({ field }) => !named.has(field))]
  }
}

/** Ajv makes integers of `Infinity`, which it then finds neither too small nor too large, of `0x10` and of ` 5`. */
const isIntegerText = (value: unknown): boolean => typeof value !== 'string' || /^-?\d+$/.test(value)

function compile(ajv: Ajv, schema: TSchema, place: string): Validate {
  const validate = ajv.compile(schema)
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
