/** Lists answer `{ items, nextCursor, hasMore }`; the cursor is opaque and says where the next page begins. */
import { type IntegerOptions, type TSchema, Type } from '@sinclair/typebox'
import { type AnswerHeader, nullable } from '../contract.ts'

export const Cursor = Type.String({ minLength: 1, maxLength: 500, pattern: '^[A-Za-z0-9_-]+$', description: '`nextCursor` of the page before' })

export const limit = (maximum: number, defaultValue: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: defaultValue, description: 'Items per page' }))

export const page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item, { description: 'What is on this page' }),
    nextCursor: nullable(Type.String({ description: 'Pass it as `cursor` for the next page; null on the last' })),
    hasMore: Type.Boolean({ description: 'Whether there is a next page' }),
  })

const usualTotal = { maximum: 10_000, description: 'How many fit, where `includeTotal` asks for it; 10,000 stands for "so many, or more"' }

/** A page of what can be counted, up to 10,000 unless something else is said. */
export const countedPage = <T extends TSchema>(item: T, total: IntegerOptions = usualTotal) =>
  Type.Object({ ...page(item).properties, total: Type.Optional(Type.Integer({ minimum: 0, ...total })) })

const countHeader = (description: string, example: number): AnswerHeader => ({ description, schema: Type.Integer({ minimum: 0 }), example })

/** Of lists that can be counted: there where `includeTotal` asks for it. */
export const paginationHeaders = {
  'X-Pagination-Total': countHeader('How many fit, where `includeTotal` asks for it: as `total`', 57),
  'X-Pagination-Pages': countHeader('How many pages of this size they are', 3),
  'X-Pagination-Current-Page': countHeader('Which one this is; not there where a `cursor`, `before` or `after` leads to it', 1),
  'X-Pagination-Per-Page': countHeader('How many a page holds', 20),
}
