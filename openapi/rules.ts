/**
 * What every contract must fulfil beyond what the types demand. `npm run check` and the tests execute these rules: a contract that
 * breaks one is not published.
 */
import type { TSchema } from '@sinclair/typebox'
import { allComponents, type Command, errorsOf, type Operation, type RealtimeEvent } from './contract.ts'
import { allOperations } from './document.ts'
import { changeEvents, changeFrames, commandFrames, commands, signalEvents, signalFrames } from './realtime/frames.ts'
import { commandFrameExample, eventFrameExample } from './realtime.ts'
import { componentProblems, fieldProblems } from './rules/descriptions.ts'
import { exampleProblems } from './rules/examples.ts'
import { hasFile, propertyNames, requestProblems } from './rules/requests.ts'
import { errorCatalog } from './shared/errors.ts'

export interface Contract {
  components: ReadonlyMap<string, TSchema>
  operations: readonly Operation[]
  events: readonly RealtimeEvent[]
  commands: readonly Command[]
}

const published: Contract = { components: allComponents(), operations: allOperations, events: [...changeEvents, ...signalEvents], commands }

/** One sentence for each thing that is wrong; none for a good contract. */
export const contractProblems = (contract: Contract = published): string[] => [
  ...twice(
    'operationId',
    contract.operations.map(({ operationId }) => operationId),
  ),
  ...twice(
    'route',
    contract.operations.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`),
  ),
  ...twice(
    'frame type',
    contract.events.map(({ type }) => type),
  ),
  ...twice(
    'command',
    contract.commands.map(({ type }) => type),
  ),
  ...componentProblems(contract.components),
  ...contract.operations.flatMap((operation) => operationProblems(operation).map((problem) => `${operation.operationId}: ${problem}`)),
  ...contract.events.flatMap((event) => eventProblems(event).map((problem) => `event ${event.type}: ${problem}`)),
  ...contract.commands.flatMap((command) => commandProblems(command).map((problem) => `command ${command.type}: ${problem}`)),
]

function twice(what: string, values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index).map((value) => `${what} ${value} is there twice`)
}

function operationProblems(operation: Operation): string[] {
  return [...nameProblems(operation), ...pathProblems(operation), ...inputProblems(operation), ...outcomeProblems(operation)]
}

function nameProblems({ operationId, summary }: Operation): string[] {
  return [...(/^[a-z][A-Za-z]*\.[a-z][A-Za-z]*$/.test(operationId) ? [] : ['an operationId is <resource>.<verb>']), ...summaryProblems(summary)]
}

const summaryProblems = (summary: string): string[] =>
  summary.trim() === '' || summary.endsWith('.') || summary.length > 80 ? ['needs a summary: up to 80 characters, without a full stop'] : []

function pathProblems({ path, params }: Operation): string[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const declared = params ? propertyNames(params) : []
  return inPath.toSorted().join() === declared.toSorted().join() ? [] : [`the path has {${inPath.join()}}, params declare {${declared.join()}}`]
}

function inputProblems({ params, query, body, examples = {}, idempotent, page, multipart }: Operation): string[] {
  return [
    ...(params ? [...requestProblems(params, 'params'), ...fieldProblems(params, 'params')] : []),
    // Who sends a browser to a page may add what is to be ignored (RFC 6749, section 4.1.2).
    ...(query ? [...requestProblems(page ? { ...query, additionalProperties: false } : query, 'query'), ...fieldProblems(query, 'query')] : []),
    ...(body ? requestProblems(body, 'body') : []),
    ...(body && Object.keys(examples).length === 0 ? ['the body has no example'] : []),
    ...(body ? Object.entries(examples).flatMap(([name, example]) => exampleProblems(body, example, `example ${name}`)) : []),
    ...(body && !multipart && hasFile(body) ? ['has a file in a body that is no multipart'] : []),
    ...(idempotent && !(body && propertyNames(body).includes('clientId')) ? ['is idempotent, but its body has no clientId'] : []),
  ]
}

function outcomeProblems(operation: Operation): string[] {
  const errorStatuses: number[] = errorsOf(operation).map((code) => errorCatalog[code].status)
  const outcomes = Object.entries(operation.responses)
  const successes = outcomes.filter(([status]) => Number(status) < (operation.page ? 400 : 300))
  return [
    ...(successes.length > 0 ? [] : ['has no success']),
    ...outcomes.flatMap(([status, { body, example, description }]) => [
      ...(description.trim() === '' ? [`outcome ${status} has no description`] : []),
      ...(errorStatuses.includes(Number(status)) ? [`status ${status} is an outcome and an error`] : []),
      ...(body && example === undefined ? [`outcome ${status} has no example`] : []),
      ...(body && example !== undefined ? exampleProblems(body, example, `example of ${status}`) : []),
    ]),
  ]
}

function eventProblems(event: RealtimeEvent): string[] {
  const frame = (event.kind === 'change' ? changeFrames : signalFrames).get(event.type)
  return [
    ...summaryProblems(event.summary),
    ...exampleProblems(event.data, event.example, 'example'),
    ...(frame ? exampleProblems(frame, eventFrameExample(event), 'frame') : ['is not in realtime/frames.ts']),
  ]
}

function commandProblems(command: Command): string[] {
  const frame = commandFrames.get(command.type)
  return [
    ...summaryProblems(command.summary),
    ...exampleProblems(command.data, command.example, 'example'),
    ...(frame ? [...requestProblems(frame, 'frame'), ...exampleProblems(frame, commandFrameExample(command), 'frame')] : ['is not in realtime/frames.ts']),
  ]
}
