import { Type } from '@sinclair/typebox'
import { defineOperation, ref } from '../contract.ts'
import { canonicalUuid, UserParams } from '../shared/ids.ts'
import { Cursor, limit } from '../shared/pagination.ts'
import { storableText } from '../shared/scalars.ts'
import { aliceExample, bobProfile } from './examples.ts'
import { UpdateMeRequest, User, UserProfile, userPage } from './schemas.ts'

/** Without its anchors. */
const uuid = canonicalUuid.slice(1, -1)

export const getMe = defineOperation({
  operationId: 'users.getMe',
  method: 'GET',
  path: '/v1/users/me',
  summary: 'Get your own profile',
  access: 'user',
  rateLimit: 'default',
  responses: { 200: { description: 'You', body: ref(User), example: aliceExample } },
  errors: [],
})

export const updateMe = defineOperation({
  operationId: 'users.updateMe',
  method: 'PATCH',
  path: '/v1/users/me',
  summary: 'Change your own profile',
  description:
    'What is left out stays as it is, and null takes it away. The phone is kept in E.164, time zone and locale must be ones that exist. E-mail, role and verification cannot be changed here.',
  access: 'user',
  rateLimit: 'default',
  repeatable: true,
  body: ref(UpdateMeRequest),
  examples: { any: { displayName: 'Alice', timezone: 'Europe/London', settings: { theme: 'dark' } } },
  responses: { 200: { description: 'You, as changed', body: ref(User), example: aliceExample } },
  errors: ['conflict'],
})

export const list = defineOperation({
  operationId: 'users.list',
  method: 'GET',
  path: '/v1/users',
  summary: 'List or search users',
  description:
    'Without `search` in the order of registration, the newest first; with it the likeliest first: usernames and display names that begin with it, then those that are like it. A search finds 1,000 users at most: where more begin with it the first of the alphabet, and of those that are only like it any. E-mail and phone are neither shown nor searched.',
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({
    search: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: storableText,
        description: 'How a username or display name begins, or, from three letters on, what a word of it is like',
      }),
    ),
    ids: Type.Optional(
      Type.String({
        pattern: `^${uuid}(,${uuid}){0,99}$`,
        maxLength: 3_700,
        description: 'Only these: up to 100 ids, separated by commas, with a `limit` that holds them; the presence of many in one call',
      }),
    ),
    limit: limit(100, 50),
    offset: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description: 'How many to skip, on the first page only; a `cursor`, which it does not go with, costs less and skips none when users come or go',
      }),
    ),
    cursor: Type.Optional(Cursor),
    includeTotal: Type.Optional(Type.Boolean({ description: 'Whether to count those that fit, as `total`, up to a limit' })),
  }),
  responses: { 200: { description: 'A page of users', body: userPage, example: { items: [bobProfile], nextCursor: null, hasMore: false } } },
  errors: [],
})

export const get = defineOperation({
  operationId: 'users.get',
  method: 'GET',
  path: '/v1/users/{userId}',
  summary: 'Get a user',
  access: 'user',
  rateLimit: 'default',
  params: UserParams,
  responses: { 200: { description: 'What you may see of the user', body: ref(UserProfile), example: bobProfile } },
  errors: ['not_found'],
})
