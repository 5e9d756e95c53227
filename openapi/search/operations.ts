import { Type } from '@sinclair/typebox'
import { defineOperation, described } from '../contract.ts'
import { ConversationId, UserId } from '../shared/ids.ts'
import { Cursor, limit } from '../shared/pagination.ts'
import { Timestamp } from '../shared/scalars.ts'
import { foundConversationExample, foundMessageExample } from './examples.ts'
import { foundConversations, foundMessages, SearchQuery } from './schemas.ts'

const syntax =
  'Words are found in any letter case, with or without accents, in the forms of the language that the server is set to; where nothing has all of them, up to three of those that are in nothing you may read also with one letter wrong: left out, added, mistaken or changed for its neighbour, in words of 4–20 letters. Scripts without spaces between words (Thai, Lao, Myanmar, Khmer, kana, Han) and Hangul are found by any letters that follow each other, in the first 2,000 characters of a text, and never with a letter wrong; a single letter of theirs, wherever it stands. Without a word to look for nothing is found. A cursor goes on with the same search only. When too many search at once, or it takes longer than five seconds, the answer is `unavailable`.'

export const searchMessages = defineOperation({
  operationId: 'search.messages',
  method: 'GET',
  path: '/v1/search/messages',
  summary: 'Search messages',
  description: `In all that you may read, archived conversations too. ${syntax} Of what fits the latest 200 are compared. The score is \`r / (r + 0.1)\`, where \`r\` is how often and how close together the words stand (PostgreSQL's cover density), and half of it where a letter was taken to be wrong. A conversation that you may not read is \`not_found\`.`,
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({
    q: SearchQuery,
    conversationId: Type.Optional(described(ConversationId, 'Only in this one')),
    senderId: Type.Optional(described(UserId, 'Only what this user has sent')),
    from: Type.Optional(described(Timestamp, 'Only messages of this time and later: ISO 8601')),
    to: Type.Optional(described(Timestamp, 'Only messages before this time: ISO 8601')),
    limit: limit(50, 10),
    cursor: Type.Optional(Cursor),
  }),
  responses: {
    200: {
      description: 'A page of messages, those that fit best first',
      body: foundMessages,
      example: { items: [foundMessageExample], nextCursor: null, hasMore: false },
    },
  },
  errors: ['not_found'],
})

export const searchConversations = defineOperation({
  operationId: 'search.conversations',
  method: 'GET',
  path: '/v1/search/conversations',
  summary: 'Search conversations',
  description: `Yours, by what is said in them, and the latest 1,000 by title, summary, description and the name of the other one. ${syntax} Titles and names are found by likeness and by parts of words, too, unless they have a word that must not be there. The score is the best of: likeness of title or name, and at least 0.9 where it has the words or what was searched for is a part of it; 0.81 where summary or description have the words; eight tenths of the score of the best message. Of those that are found by one of the former the likeliest 200 are compared.`,
  access: 'user',
  rateLimit: 'default',
  query: Type.Object({
    q: SearchQuery,
    includeArchived: Type.Optional(Type.Boolean({ description: 'Whether those that are archived are searched, too' })),
    limit: limit(50, 10),
    cursor: Type.Optional(Cursor),
  }),
  responses: {
    200: {
      description: 'A page of conversations, those that fit best first',
      body: foundConversations,
      example: { items: [foundConversationExample], nextCursor: null, hasMore: false },
    },
  },
  errors: [],
})
