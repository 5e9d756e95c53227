/** The document, read into what a method needs to know: its arguments, its result, its errors. */

export interface Operation {
  resource: string
  verb: string
  id: string
  method: string
  path: string
  summary: string
  description?: string
  /** Names of the path's parameters, in order. */
  parameters: string[]
  query?: string
  body?: { type: string; optional: boolean }
  /** The result is the response, whose body the caller reads. */
  raw: boolean
  /** The body is sent as a form: it has files. */
  form: boolean
  result: string
  /** The item's type, when the result is a page of a list. */
  item?: string
  errors: { code: string; status: number }[]
  public: boolean
  /** Its body bears a `clientId`. */
  idempotent: boolean
  /** May be sent again when no answer came. */
  repeatable: boolean
  /** Statuses from 400 on that are results, not errors. */
  accepts: number[]
}

export interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  items?: Schema
  required?: string[]
  description?: string
  format?: string
  discriminator?: unknown
  anyOf?: Schema[]
}

interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Schema
}

interface Answer {
  content?: Record<string, { schema: Schema }>
  'x-error-codes'?: string[]
}

interface OperationObject {
  operationId: string
  'x-repeatable'?: true
  'x-page'?: true
  summary: string
  description?: string
  security?: unknown[]
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, Answer | { $ref: string }>
}

export interface OpenApi {
  tags: { name: string; description?: string }[]
  paths: Record<string, Record<string, OperationObject>>
  components: { schemas: Record<string, Schema>; parameters?: Record<string, Parameter>; responses?: Record<string, Answer> }
}

/** Every operation that a program calls, and every schema: the components with those that were given a name. */
export function readOperations({ paths, components }: OpenApi): { operations: Operation[]; schemas: Record<string, Schema> } {
  const schemas = { ...components.schemas }
  const operations: Operation[] = []
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) if (!operation['x-page']) operations.push(readOperation(path, method, operation))
  }
  return { operations, schemas }

  function readOperation(path: string, method: string, operation: OperationObject): Operation {
    const id = operation.operationId
    const [resource = '', verb = ''] = id.split('.')
    const parameters = (operation.parameters ?? []).map((parameter) => resolve(parameter, components.parameters))
    const answers = Object.entries(operation.responses).map(([status, answer]) => ({ status: Number(status), ...resolve(answer, components.responses) }))
    const outcomes = answers.filter((answer) => answer['x-error-codes'] === undefined)
    const success = outcomes.find(({ status }) => status < 400)?.content
    const raw = Object.values(success ?? {}).some(({ schema }) => schema.format === 'binary')
    const item = itemOf(success?.['application/json']?.schema)
    const query = parameters.filter((parameter) => parameter.in === 'query')
    const { 'application/json': json, 'multipart/form-data': form } = operation.requestBody?.content ?? {}
    const body = (json ?? form)?.schema
    const idempotent = parameters.some(({ name }) => name === 'Idempotency-Key')
    return {
      resource,
      verb,
      id,
      method: method.toUpperCase(),
      path,
      summary: operation.summary,
      ...(operation.description && { description: operation.description }),
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
      ...(query.length > 0 && { query: typeOf(querySchema(query), `${pascalCase(id)}Query`) }),
      ...(body && { body: { type: typeOf(body, `${pascalCase(id)}Request`), optional: required(body).length === 0 } }),
      form: form !== undefined,
      raw,
      result: raw
        ? 'Response'
        : item
          ? `Page<${item}>`
          : success
            ? typeOf(success['application/json']?.schema ?? { type: 'string' }, `${pascalCase(id)}Result`)
            : 'void',
      ...(item && { item }),
      errors: answers.flatMap(({ status, 'x-error-codes': codes = [] }) => codes.map((code) => ({ code, status }))),
      public: operation.security?.length === 0,
      idempotent,
      repeatable: idempotent || operation['x-repeatable'] === true,
      accepts: outcomes.map(({ status }) => status).filter((status) => status >= 400),
    }
  }

  /** The name of a schema's type; an object without a name gets the given one. */
  function typeOf(schema: Schema, name: string): string {
    if (schema.$ref) return nameOf(schema.$ref)
    if (schema.type === 'string') return 'string'
    schemas[name] = schema
    return name
  }

  function itemOf(schema: Schema | undefined): string | undefined {
    const items = schema?.properties?.nextCursor && schema.properties.items?.items
    return items?.$ref && nameOf(items.$ref)
  }

  function required(schema: Schema): string[] {
    return (schema.$ref ? schemas[nameOf(schema.$ref)]?.required : schema.required) ?? []
  }
}

const querySchema = (parameters: Parameter[]): Schema => ({
  type: 'object',
  required: parameters.filter((parameter) => parameter.required).map(({ name }) => name),
  properties: Object.fromEntries(parameters.map(({ name, schema, description }) => [name, { ...schema, ...(description && { description }) }])),
})

function resolve<T extends object>(value: T | { $ref: string }, named: Record<string, T> | undefined): T {
  if (!('$ref' in value)) return value
  const found = named?.[nameOf(value.$ref)]
  if (!found) throw new Error(`openapi.json refers to ${value.$ref}, which it does not contain`)
  return found
}

const nameOf = (reference: string) => reference.slice(reference.lastIndexOf('/') + 1)

const pascalCase = (id: string) => id.replace(/(^|\.)(\w)/g, (_, _dot, letter: string) => letter.toUpperCase())
