declare const body: unique symbol

/** JSON that is text already, made by PostgreSQL or once for many receivers, and goes out as it is. The tests hold it against the contract. */
export type JsonText<T> = string & { readonly [body]?: T }

export const jsonText = <T>(text: string): JsonText<T> => text

/** One page as the contract has it; `items` is a JSON array already. */
export const pageText = (items: string, nextCursor: string | null): JsonText<never> =>
  `{"items":${items},"nextCursor":${JSON.stringify(nextCursor)},"hasMore":${nextCursor !== null}}`
