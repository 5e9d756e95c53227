/** Opaque cursors: a few values that say where the next page begins. They give no rights, so they are not signed; they are checked. */
import { invalidField } from './errors/app-error.ts'

interface Types {
  string: string
  number: number
}

export const encodeCursor = (values: (string | number)[]): string => Buffer.from(JSON.stringify(values)).toString('base64url')

/** @throws `validation_error` for a cursor that we did not make. */
export function decodeCursor<const T extends (keyof Types)[]>(cursor: string, types: T): { [I in keyof T]: Types[T[I]] } {
  const values = parse(Buffer.from(cursor, 'base64url').toString())
  if (!isTuple(values, types)) throw invalidField('query.cursor', 'is not a cursor of this list')
  return values
}

function isTuple<const T extends (keyof Types)[]>(values: unknown, types: T): values is { [I in keyof T]: Types[T[I]] } {
  return Array.isArray(values) && values.length === types.length && types.every((type, index) => isOf(type, values[index]))
}

const isOf = (type: keyof Types, value: unknown): boolean => (type === 'number' ? Number.isSafeInteger(value) : typeof value === 'string')

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
