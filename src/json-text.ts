declare const value: unique symbol

/**
 * JSON that is text already, made by PostgreSQL or once for many receivers, and goes out as it is: for reads that are hot. The tests hold it
 * against the contract as they do every answer.
 */
export type JsonText<T> = string & { readonly [value]?: T }

/** The same, in pieces that are made when they are wanted: for what may be too long to be in memory. */
export type JsonPieces<T> = AsyncIterable<string> & { readonly [value]?: T }

/** Says of a text what it holds; only where it is made. */
export const jsonText = <T>(text: string): JsonText<T> => text

interface Page<T> {
  items: T[]
  nextCursor: string | null
  hasMore: boolean
  total?: number
}

/** One page as the contract has it, with the number of all where that was asked for. */
export const pageText = <T>(items: JsonText<T[]>, nextCursor: string | null, total?: number): JsonText<Page<T>> =>
  `{"items":${items},"nextCursor":${JSON.stringify(nextCursor)},"hasMore":${nextCursor !== null}${total === undefined ? '' : `,"total":${total}`}}`

export const arrayText = <T>(items: JsonText<T>[]): JsonText<T[]> => `[${items.join(',')}]`
