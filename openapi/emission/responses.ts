/**
 * Successful outcomes and failures of operations. The failures of one status are one response of the document, shared by all
 * operations that can answer with exactly those codes.
 */
import { errorsOf, type Operation, type Outcome } from '../contract.ts'
import { type ErrorCode, errorCatalog } from '../shared/errors.ts'
import { emitSchema, type JsonObject, toJson } from './schema.ts'

const header = (name: string) => ({ $ref: `#/components/headers/${name}` })

export const sharedHeaders = {
  RequestId: {
    required: true,
    description: 'Names this request in the logs: the one that you sent as `X-Request-Id`, or a new one',
    schema: { type: 'string' },
    example: '0193a1b2-0000-7000-8000-00000000000f',
  },
  RateLimitLimit: {
    description: 'How many requests the time window allows; not there where the limit is switched off',
    schema: { type: 'integer' },
    example: 100,
  },
  RateLimitRemaining: { description: 'How many are left in this window', schema: { type: 'integer' }, example: 99 },
  RateLimitReset: { description: 'When the window ends, in Unix seconds', schema: { type: 'integer' }, example: 1795168860 },
  ContentRange: { required: true, description: 'How many bytes there are', schema: { type: 'string' }, example: 'bytes */183204' },
  RetryAfter: { required: true, description: 'Seconds to wait before the next try', schema: { type: 'integer' }, example: 30 },
}

export function responsesOf(operation: Operation): JsonObject {
  const failures = failuresOf(operation).map(({ status, name }) => [String(status), { $ref: `#/components/responses/${name}` }])
  return Object.fromEntries([...Object.entries(operation.responses).map(([status, outcome]) => [status, emitOutcome(operation, outcome)]), ...failures])
}

/** Every failure that any of the operations refers to, by name. */
export function sharedResponses(operations: readonly Operation[]): Record<string, JsonObject> {
  const failures = operations.flatMap((operation) => failuresOf(operation))
  const sorted = failures.sort((a, b) => a.status - b.status || (a.name < b.name ? -1 : 1))
  return Object.fromEntries(sorted.map((failure) => [failure.name, emitFailure(failure)]))
}

function emitOutcome(operation: Operation, { description, body, contentType = 'application/json', example, headers }: Outcome): JsonObject {
  return {
    description,
    headers: { ...headersOf(isLimited(operation)), ...toJson(headers ?? {}) },
    ...(body && {
      content: { [contentType]: { schema: emitSchema(body, { discriminators: true }), ...(example !== undefined && { example: toJson(example) }) } },
    }),
  }
}

interface Failure {
  name: string
  status: number
  codes: ErrorCode[]
  limited: boolean
}

const isLimited = (operation: Operation) => operation.rateLimit !== 'none'

function failuresOf(operation: Operation): Failure[] {
  const limited = isLimited(operation)
  const codes = errorsOf(operation)
  const catalogOrder = Object.keys(errorCatalog).filter((code): code is ErrorCode => codes.some((one) => one === code))
  const byStatus = Map.groupBy(catalogOrder, (code) => errorCatalog[code].status)
  return [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, group]) => ({ name: group.map(pascalCase).join('Or') + (limited ? '' : 'Unlimited'), status, codes: group, limited }))
}

const pascalCase = (code: string) => code.replace(/(^|_)(\w)/g, (_, _line, letter: string) => letter.toUpperCase())

function emitFailure({ status, codes, limited }: Failure): JsonObject {
  return {
    description: codes.map((code) => (codes.length > 1 ? `\`${code}\`: ${errorCatalog[code].title}` : errorCatalog[code].title)).join('\n\n'),
    'x-error-codes': codes,
    headers: {
      ...headersOf(limited),
      ...((status === 429 || status === 503) && { 'Retry-After': header('RetryAfter') }),
      ...(status === 416 && { 'Content-Range': header('ContentRange') }),
    },
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorResponse' },
        examples: Object.fromEntries(codes.map((code) => [code, { value: { error: errorExample(code) } }])),
      },
    },
  }
}

/** What the error of this code looks like, for the documentation. */
export const errorExample = (code: ErrorCode): JsonObject => ({
  code,
  message: errorCatalog[code].title,
  ...(code === 'validation_error' && { details: [{ field: 'body.email', reason: 'must match format "email"' }] }),
  requestId: '0193a1b2-0000-7000-8000-00000000000f',
  timestamp: '2026-11-20T10:00:00.000Z',
})

function headersOf(limited: boolean): JsonObject {
  return {
    'X-Request-Id': header('RequestId'),
    ...(limited && {
      'X-RateLimit-Limit': header('RateLimitLimit'),
      'X-RateLimit-Remaining': header('RateLimitRemaining'),
      'X-RateLimit-Reset': header('RateLimitReset'),
    }),
  }
}
