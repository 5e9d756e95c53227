import { type Static, Type } from '@sinclair/typebox'
import { component, described, nullable, oneOfWords, ref } from '../contract.ts'
import { ConversationStatus, ConversationType } from '../conversations/schemas.ts'
import { Message } from '../messages/schemas.ts'
import { ConversationId } from '../shared/ids.ts'
import { page } from '../shared/pagination.ts'
import { Count, storableText, Timestamp } from '../shared/scalars.ts'
import { UserSummary } from '../users/schemas.ts'

export const SearchQuery = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: storableText,
  description: 'Words that must all be there; `"a phrase"`, `-without`, `this or that`',
})

/** Texts in a row, not HTML and not positions: so there is nothing to be escaped, and no unit to be mistaken. */
export const ExcerptPart = component(
  'ExcerptPart',
  Type.Object(
    {
      text: Type.String({ description: 'Plain text: to be shown as it is, never as HTML' }),
      marked: Type.Boolean({ description: 'Whether it is what was searched for' }),
    },
    { description: 'A piece of an excerpt. All of them, one after another, are the excerpt' },
  ),
)
export type ExcerptPart = Static<typeof ExcerptPart>

const Excerpt = Type.Array(ref(ExcerptPart), {
  description:
    'Where it was found, at most some 200 characters, in pieces of which some are marked, none where a title or name is only like it; `…` stands where it was cut',
})

const Title = nullable(Type.String({ description: 'Null for a direct conversation, and a group without one' }))

const RelevanceScore = Type.Number({
  minimum: 0,
  maximum: 1,
  description: 'How well it fits, compared with others of this search; results come in this order, and of two that fit equally well the later one comes first',
})

export const FoundMessage = component(
  'FoundMessage',
  Type.Object(
    {
      message: described(ref(Message), 'As it is now'),
      conversation: Type.Object(
        {
          id: ConversationId,
          type: ConversationType,
          title: Title,
        },
        { description: 'Where it was said' },
      ),
      excerpt: Excerpt,
      relevanceScore: RelevanceScore,
    },
    { description: 'A message that was found' },
  ),
)
export type FoundMessage = Static<typeof FoundMessage>

export const MatchedField = oneOfWords(['title', 'summary', 'description', 'member', 'message'], {
  description: 'What the excerpt is of; `member`: the name of the other one of a direct conversation',
})
export type MatchedField = Static<typeof MatchedField>

export const FoundConversation = component(
  'FoundConversation',
  Type.Object(
    {
      conversation: Type.Object(
        {
          id: ConversationId,
          type: ConversationType,
          title: Title,
          status: ConversationStatus,
          otherMember: Type.Union([ref(UserSummary), Type.Null()], { description: 'Of a direct conversation; null for a group' }),
        },
        { description: 'The conversation, in short' },
      ),
      matchedField: MatchedField,
      excerpt: Excerpt,
      relevanceScore: RelevanceScore,
      messageCount: described(Count, 'How many messages there are, less those that are deleted'),
      lastActivity: described(Timestamp, 'When something was last said or changed: ISO 8601, UTC'),
      matchedMessage: Type.Union([ref(Message), Type.Null()], { description: 'The message that fits best; null when it was found by something else alone' }),
    },
    { description: 'A conversation that was found' },
  ),
)
export type FoundConversation = Static<typeof FoundConversation>

export const foundMessages = page(ref(FoundMessage))
export const foundConversations = page(ref(FoundConversation))
