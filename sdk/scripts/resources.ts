/** Operations → the methods of the SDK: an interface per resource, which a reader and an editor see, and a function that makes it. */
import type { Operation } from './operations.ts'

export function writeResources(operations: Operation[], tags: { name: string; description?: string }[]): string {
  const resources = [...Map.groupBy(operations, ({ resource }) => resource)]
  const describe = (resource: string) => tags.find(({ name }) => name === resource)?.description ?? `The operations of \`${resource}\`.`
  const parts = [
    "import { type ApiCall, type Call, type CallOptions, type PagedCall, paged, path, type UploadOptions, withClientId } from '../api-call.ts'",
    `import type {${typesOf(operations)
      .map((name) => `\n  ${name},`)
      .join('')}\n} from './types.ts'`,
    ...resources.map(([resource, methods]) => writeInterface(resource, describe(resource), methods)),
    writeClass(resources.map(([resource]) => resource)),
    ...resources.map(([resource, methods]) => writeFactory(resource, methods)),
  ]
  return `${parts.join('\n\n')}\n`
}

const writeInterface = (resource: string, description: string, methods: Operation[]) => `/** ${description} */
export interface ${pascalCase(resource)} {
${methods.map((method) => `${writeComment(method)}\n  ${method.verb}(${parameters(method, true)}): ${resultOf(method)}`).join('\n\n')}
}`

const writeClass = (resources: string[]) => `/** Every resource of the API. */
export class Resources {
${resources.map((resource) => `  readonly ${resource}: ${pascalCase(resource)}`).join('\n')}

  constructor(call: Call) {
${resources.map((resource) => `    this.${resource} = ${resource}(call)`).join('\n')}
  }
}`

const writeFactory = (resource: string, methods: Operation[]) => `const ${resource} = (call: Call): ${pascalCase(resource)} => ({
${methods.map((method) => `  ${method.verb}: (${parameters(method, false)}) => ${writeCall(method)},`).join('\n')}
})`

function writeCall({ id, method, path, parameters, query, body, form, raw, item, public: isPublic, idempotent, repeatable, accepts }: Operation): string {
  const request = [
    `id: '${id}'`,
    `method: '${method}'`,
    `path: ${parameters.length > 0 ? `path\`${path.replaceAll('{', '${')}\`` : `'${path}'`}`,
    body && (idempotent ? 'body: withClientId(body)' : 'body'),
    form && 'form: true',
    raw && 'raw: true',
    query && (item ? 'query: { ...query, ...next }' : 'query'),
    isPublic && 'public: true',
    repeatable && 'repeatable: true',
    accepts.length > 0 && `accepts: [${accepts.join(', ')}]`,
  ]
    .filter(Boolean)
    .join(', ')
  return item ? `paged((next) => call({ ${request} }, options))` : `call({ ${request} }, options)`
}

function parameters({ parameters, body, form, query }: Operation, typed: boolean): string {
  const list = [
    ...parameters.map((name) => [name, ': string']),
    ...(body ? [['body', `${body.optional ? '?' : ''}: ${body.type}`]] : []),
    ...(query ? [['query', `?: ${query}`]] : []),
    ['options', `?: ${form ? 'UploadOptions' : 'CallOptions'}`],
  ]
  return list.map(([name, type]) => (typed ? `${name}${type}` : name === 'body' && body?.optional ? 'body = {}' : name)).join(', ')
}

const resultOf = ({ item, result }: Operation) => (item ? `PagedCall<${item}>` : `ApiCall<${result}>`)

function writeComment({ summary, description, method, path, errors }: Operation): string {
  const thrown = errors.filter(({ code }) => !everywhere.has(code)).map(({ code, status }) => `@throws {${errorClasses[status] ?? 'ParleyError'}} \`${code}\``)
  const paragraphs = [/[.?!]$/.test(summary) ? summary : `${summary}.`, description, `\`${method} ${path}\``, thrown.join('\n')].filter(Boolean)
  return [
    '  /**',
    ...paragraphs
      .join('\n\n')
      .replaceAll('*/', '*\\/')
      .split('\n')
      .map((line) => `   * ${line}`.trimEnd()),
    '   */',
  ].join('\n')
}

/** What every call can throw is told once, at `Parley`; what the SDK does not provoke is not told. */
const everywhere = new Set([
  'unauthorized',
  'rate_limit_exceeded',
  'internal_error',
  'unavailable',
  'malformed_json',
  'unsupported_media_type',
  'payload_too_large',
])

const errorClasses: Record<number, string> = {
  400: 'ValidationError',
  401: 'UnauthorizedError',
  403: 'ForbiddenError',
  404: 'NotFoundError',
  409: 'ConflictError',
}

function typesOf(operations: Operation[]): string[] {
  const names = operations.flatMap(({ body, query, item, result }) => [body?.type, query, item ?? result])
  return [...new Set(names.filter((name): name is string => name !== undefined && !['void', 'string', 'Response', undefined].includes(name)))].sort()
}

const pascalCase = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)
