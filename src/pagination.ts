/** Opaque cursors: a few values that say where the next page begins. They give no rights, so they are not signed; they are checked. */
import { canonicalUuid } from '../openapi/shared/ids.ts'
import { type AppError, invalidField } from './errors/app-error.ts'
import { arrayText, type JsonText } from './json-text.ts'

interface Types {
  string: string
  /** Whole, and not below 0. */
  number: number
  id: string
}

/** A place in a list that goes by time, and by id within a millisecond. */
export interface TimePosition {
  createdAt: Date
  id: string
}

export interface Page<Row> {
  rows: Row[]
  nextCursor: string | null
}

/** Items that PostgreSQL has written as JSON. */
export interface TextPage<T> {
  items: JsonText<T[]>
  nextCursor: string | null
}

export const encodeCursor = (values: (string | number)[]): string => Buffer.from(JSON.stringify(values)).toString('base64url')

/** @throws `validation_error` for a cursor that we did not make. */
export function decodeCursor<const T extends (keyof Types)[]>(cursor: string, types: T): { [I in keyof T]: Types[T[I]] } {
  const values = parse(Buffer.from(cursor, 'base64url').toString())
  if (!isTuple(values, types)) throw notOurs()
  return values
}

/** @throws `validation_error` for a cursor that we did not make. */
export function decodeTimeCursor(cursor: string): TimePosition {
  const [milliseconds, id] = decodeCursor(cursor, ['number', 'id'])
  if (milliseconds > latestMilliseconds) throw notOurs()
  return { createdAt: new Date(milliseconds), id }
}

/** @param rows one more than the page has, where there is a next one @param position what the cursor behind a row says */
export function rowPage<Row>(rows: readonly Row[], limit: number, position: (row: Row) => (string | number)[]): Page<Row> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null }
}

/** As `rowPage`. */
export const timePage = <Row extends TimePosition>(rows: readonly Row[], limit: number): Page<Row> =>
  rowPage(rows, limit, ({ createdAt, id }) => [createdAt.getTime(), id])

/** As `rowPage`. */
export function textPage<T, Row extends { text: JsonText<T> }>(rows: readonly Row[], limit: number, position: (row: Row) => (string | number)[]): TextPage<T> {
  const { rows: shown, nextCursor } = rowPage(rows, limit, position)
  return { items: arrayText(shown.map(({ text }): JsonText<T> => text)), nextCursor }
}

export const latestMilliseconds = Date.UTC(9999, 11, 31)
const uuid = new RegExp(canonicalUuid)

export const notOurs = (): AppError => invalidField('query.cursor', 'is not a cursor of this list')

function isTuple<const T extends (keyof Types)[]>(values: unknown, types: T): values is { [I in keyof T]: Types[T[I]] } {
  return Array.isArray(values) && values.length === types.length && types.every((type, index) => isOf(type, values[index]))
}

const isOf = (type: keyof Types, value: unknown): boolean =>
  type === 'number'
    ? typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    : typeof value === 'string' && (type === 'string' || uuid.test(value))

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
