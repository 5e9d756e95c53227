/** Lists answer `{ items, nextCursor, hasMore }`; the cursor is opaque and says where the next page begins. */
import { type TSchema, Type } from '@sinclair/typebox'
import { nullable } from '../contract.ts'

export const Cursor = Type.String({ minLength: 1, maxLength: 500, pattern: '^[A-Za-z0-9_-]+$', description: '`nextCursor` of the page before' })

export const limit = (maximum: number, defaultValue: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: defaultValue, description: 'Items per page' }))

export const page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item, { description: 'What is on this page' }),
    nextCursor: nullable(Type.String({ description: 'Pass it as `cursor` for the next page; null on the last' })),
    hasMore: Type.Boolean({ description: 'Whether there is a next page' }),
  })
