import { createHash } from 'node:crypto'
import type { ExcerptPart, MatchedField } from '../../../openapi/search/schemas.ts'
import type { ConversationId, MessageId } from '../../../openapi/shared/ids.ts'
import type { Actor } from '../../actor.ts'
import { AppError, invalidField } from '../../errors/app-error.ts'
import { decodeCursor, encodeCursor } from '../../pagination.ts'
import type { ConversationSearchRepository, Named, PresentedConversation } from './conversation-repository.ts'
import { excerptOf } from './excerpt.ts'
import { correctableWords, isOneWord, openSingleLetters, replaceWords, slipsOf, termOf, toWebSearch, unbrokenRunsOf } from './query.ts'
import type { Ask } from './reading.ts'
import type { Hit, MessageFilter, PresentedMessage, Readable, SearchRepository } from './repository.ts'

interface Dependencies {
  search: SearchRepository
  conversations: ConversationSearchRepository
}

interface Slice {
  limit?: number | undefined
  cursor?: string | undefined
}

interface MessageSearch extends MessageFilter, Slice {
  q: string
  conversationId?: ConversationId | undefined
}

interface ConversationSearch extends Slice {
  q: string
  includeArchived?: boolean | undefined
}

interface Found {
  excerpt: ExcerptPart[]
  /** 0 to 1. */
  relevanceScore: number
}

export interface FoundMessageEntity extends Found, Pick<PresentedMessage, 'message' | 'conversation'> {}

export interface FoundConversationEntity extends Found, PresentedConversation {
  matchedField: MatchedField
  matchedMessage: PresentedMessage['message'] | null
}

interface Page<T> {
  items: T[]
  nextCursor: string | null
}

/** Words that were taken to be misspelt are worth less. */
const correctedShare = 0.5
/** A conversation is found less by what is said in it than by what it is called. */
const messageShare = 0.8
const usualLimit = 10

export type SearchService = ReturnType<typeof createSearchService>

export function createSearchService({ search, conversations }: Dependencies) {
  /** Where nothing has all the words: what has those with one letter wrong that are in nothing the reader may read. */
  const findLike = async (query: string, readable: Readable, filter: MessageFilter, ask: Ask) => {
    const alternatives = new Map<string, string[]>()
    for (const word of correctableWords(query)) {
      // Whether others have written it is nobody's business.
      if (!isOneWord(query) && (await search.find(`'${word}'`, readable, {}, ask)).length > 0) continue
      const known = await search.known(slipsOf(word), ask)
      if (known.length > 0) alternatives.set(word, known)
    }
    if (alternatives.size === 0) return { query, hits: [] }
    const corrected = replaceWords(query, alternatives)
    const hits = await search.find(corrected, readable, filter, ask)
    return { query: corrected, hits: hits.map((hit) => ({ ...hit, score: Math.round(hit.score * correctedShare) })) }
  }

  const find = async (query: string, readable: Readable, filter: MessageFilter, ask: Ask): Promise<{ query: string; hits: Hit[] }> => {
    const hits = await search.find(query, readable, filter, ask)
    return hits.length > 0 || readable.messageCount === 0 ? { query, hits } : findLike(query, readable, filter, ask)
  }

  const parse = async (q: string, ask: Ask): Promise<string | undefined> => {
    const query = await search.parse(toWebSearch(q), ask)
    return query === undefined ? undefined : openSingleLetters(query)
  }

  return {
    /** Those that fit best first. @throws `not_found` when the actor may not read the conversation, `validation_error` for a cursor of another search */
    messages: ({ userId }: Actor, { q, conversationId, limit = usualLimit, cursor, ...filter }: MessageSearch): Promise<Page<FoundMessageEntity>> =>
      search.read(async (ask) => {
        const readable = await search.readable(userId, { conversationId, includeArchived: true }, ask)
        if (conversationId !== undefined && readable.conversationIds.length === 0) throw new AppError('not_found')
        const parsed = await parse(q, ask)
        if (parsed === undefined) return { items: [], nextCursor: null }
        const { query, hits } = await find(parsed, readable, filter, ask)
        const { shown, nextCursor } = slice(['messages', q, conversationId, filter], hits, { limit, cursor })
        const presented = await search.present(
          shown.map(({ id }) => id),
          userId,
          query,
          ask,
        )
        const items = shown.flatMap(({ id, score }) => {
          const { marked, ...found } = presented.get(id) ?? missing(id)
          return { ...found, excerpt: excerptOf(found.message.content, marked, unbrokenRunsOf(q)), relevanceScore: score / 100 }
        })
        return { items, nextCursor }
      }),

    /** Those that fit best first. @throws `validation_error` for a cursor of another search */
    conversations: (
      { userId }: Actor,
      { q, includeArchived = false, limit = usualLimit, cursor }: ConversationSearch,
    ): Promise<Page<FoundConversationEntity>> =>
      search.read(async (ask) => {
        const parsed = await parse(q, ask)
        if (parsed === undefined) return { items: [], nextCursor: null }
        const term = termOf(q)
        const named = await conversations.named(userId, { query: parsed, term, includeArchived }, ask)
        const readable = await search.readable(userId, { includeArchived }, ask)
        // What is called so is meant: nobody is then taken to have misspelt it.
        const { query, hits } = named.length > 0 ? { query: parsed, hits: await search.find(parsed, readable, {}, ask) } : await find(parsed, readable, {}, ask)
        const { shown, nextCursor } = slice(['conversations', q, includeArchived], merge(named, hits), { limit, cursor })
        const messages = await search.present(
          shown.flatMap(({ messageId }) => messageId ?? []),
          userId,
          query,
          ask,
        )
        const presented = await conversations.present(
          shown.map(({ id }) => id),
          userId,
          ask,
        )
        const items = shown.map(({ id, score, name, messageId }) => {
          const said = messageId === undefined ? undefined : messages.get(messageId)
          return {
            ...(presented.get(id) ?? missing(id)),
            matchedField: name?.field ?? ('message' as const),
            excerpt: name === undefined ? excerptOfMessage(said, q) : excerptOfName(name, term, q),
            relevanceScore: score / 100,
            matchedMessage: said?.message ?? null,
          }
        })
        return { items, nextCursor }
      }),
  }
}

/** In hundredths. */
interface Ranked {
  id: ConversationId
  score: number
  /** Undefined where what is said fits better. */
  name: Named | undefined
  messageId: MessageId | undefined
}

function merge(named: readonly Named[], hits: readonly Hit[]): Ranked[] {
  const ranked = new Map<ConversationId, Ranked>(named.map((name) => [name.id, { id: name.id, score: name.score, name, messageId: undefined }]))
  for (const hit of hits) {
    const score = Math.round(hit.score * messageShare)
    const { conversationId: id, id: messageId } = hit
    const before = ranked.get(id)
    // The best come first.
    if (before?.messageId !== undefined) continue
    ranked.set(id, before !== undefined && before.score >= score ? { ...before, messageId } : { id, score, name: undefined, messageId })
  }
  return [...ranked.values()].sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1))
}

interface Place {
  limit: number
  cursor: string | undefined
}

/** @param search what was asked: a cursor is a place in what that found. @throws `validation_error` for a cursor of anything else */
function slice<T extends { id: string; score: number }>(search: unknown[], ranked: readonly T[], { limit, cursor }: Place) {
  const own = createHash('sha256').update(JSON.stringify(search)).digest('base64url').slice(0, 16)
  const [of, score, id] = cursor === undefined ? [own, Number.POSITIVE_INFINITY, ''] : decodeCursor(cursor, ['string', 'number', 'id'])
  if (of !== own) throw invalidField('query.cursor', 'is not a cursor of this search')
  const left = ranked.filter((one) => one.score < score || (one.score === score && one.id < id))
  const shown = left.slice(0, limit)
  const last = shown.at(-1)
  return { shown, nextCursor: left.length > limit && last !== undefined ? encodeCursor([own, last.score, last.id]) : null }
}

const excerptOfMessage = (said: PresentedMessage | undefined, q: string): ExcerptPart[] =>
  said === undefined ? [] : excerptOf(said.message.content, said.marked, unbrokenRunsOf(q))

/** Names are found by parts of words too. */
const excerptOfName = ({ text, marked }: Named, term: string, q: string): ExcerptPart[] =>
  excerptOf(text, marked, [...unbrokenRunsOf(q), ...(term === '' ? [] : [term])])

function missing(id: string): never {
  throw new Error(`What was found is not there: ${id}`)
}
