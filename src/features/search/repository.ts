/**
 * Search in messages. However often a word is used, what it costs to find the latest messages with it stays about the same: the planner's own
 * estimate of how many have it tells how far back one has to look for enough of them, and that far back (a range of ids, which go by
 * time) is one more condition that PostgreSQL intersects in its indexes, as it does with the reader's conversations where these are few.
 * When the estimate was too bold it is looked for once more, farther back. Statements are planned for their values, so never prepared by name.
 */
import { type SQL, sql } from 'drizzle-orm'
import type { ConversationType } from '../../../openapi/conversations/schemas.ts'
import type { Message } from '../../../openapi/messages/schemas.ts'
import type { ConversationId, MessageId, UserId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { messageText } from '../../db/json.ts'
import { one } from '../../db/sql.ts'
import { markEnd, markStart } from './excerpt.ts'
import { isOneWord } from './query.ts'
import { type Ask, createReading } from './reading.ts'
import { createTableStatistics, type TableStatistics } from './table-statistics.ts'

/** Messages that are compared with each other: the latest that fit. */
const comparedMessages = 200

/** What somebody may read: conversations, each from a message on. */
export interface Readable {
  conversationIds: ConversationId[]
  firstSeqs: number[]
  /** How many messages that is. */
  messageCount: number
}

export interface MessageFilter {
  senderId?: UserId | undefined
  from?: Date | undefined
  to?: Date | undefined
}

/** The score is in hundredths. */
export interface Hit {
  id: MessageId
  conversationId: ConversationId
  score: number
}

export type PresentedMessage = {
  message: Message
  conversation: { id: ConversationId; type: ConversationType; title: string | null }
  marked: string
}

export type SearchRepository = ReturnType<typeof createSearchRepository>

interface Dependencies extends Pick<Database, 'db'> {
  /** Of a search as a whole. */
  limitMilliseconds?: number
}

export function createSearchRepository({ db, limitMilliseconds = 5_000 }: Dependencies) {
  const statistics = createTableStatistics()

  return {
    read: createReading({ db }, limitMilliseconds),

    /** @returns undefined when there is no word to look for. */
    async parse(webSearch: string, ask: Ask): Promise<string | undefined> {
      const rows = await ask<{ query: string; indexable: string }>(sql`
        select query::text, querytree(query) as indexable from (
          select case when indexed then now else now || websearch_to_tsquery('search_before', ${webSearch}) end as query
          from search_index, websearch_to_tsquery('search', ${webSearch}) now
        ) parsed`)
      const { query, indexable } = one(rows)
      return indexable === '' || indexable === 'T' ? undefined : query
    },

    async readable(readerId: UserId, { conversationId, includeArchived }: { conversationId?: ConversationId | undefined; includeArchived: boolean }, ask: Ask) {
      const rows = await ask<{ conversationIds: ConversationId[]; firstSeqs: string[]; messageCount: number }>(sql`
        select coalesce(array_agg(id), '{}') as "conversationIds", coalesce(array_agg(first_seq), '{}')::text[] as "firstSeqs",
          coalesce(sum(greatest(last_seq - first_seq + 1, 0)), 0)::float8 as "messageCount"
        from (
          select c.id, greatest(me.first_seq, c.first_seq) as first_seq, c.last_seq
          from members me join conversations c on c.id = me.conversation_id
          where me.user_id = ${readerId} and me.left_at is null
            and (${conversationId ?? null}::uuid is null or me.conversation_id = ${conversationId ?? null}::uuid)
            and (${includeArchived} or c.status <> 'archived')
        ) mine`)
      const { firstSeqs, ...readable } = one(rows)
      return { ...readable, firstSeqs: firstSeqs.map(Number) }
    },

    /** The best first. @returns the latest that fit, up to `comparedMessages` */
    async find(query: string, readable: Readable, filter: MessageFilter, ask: Ask): Promise<Hit[]> {
      if (readable.messageCount === 0) return []
      const table = await statistics(ask)
      const filters = conditionsOf(filter)
      const matching = await estimate([hasWords(query)], ask)
      const fitting = filters.length === 0 ? matching : await estimate([hasWords(query), ...filters], ask)
      const wanted = fitting * adjacentShare ** (query.match(/<(-|\d+)>/g)?.length ?? 0)
      const readableShare = Math.min(1, readable.messageCount / Math.max(table.rows, 1))
      let depth = enough / Math.max(wanted * readableShare, 1)
      for (;;) {
        const plan = planOf(table, { query, matching, readableShare, depth })
        const hits = await look({ query, readable, filters, plan }, ask)
        if (plan.since === undefined || hits.length === comparedMessages) return hits
        depth *= Math.max(4, enough / Math.max(hits.length, 1))
      }
    },

    /**
     * Of these words, in the forms of the language, those that some message has. Each of hundreds of lookups reads the whole list of what is not
     * sorted into the index yet; so that is sorted in before.
     */
    async known(words: readonly string[], ask: Ask): Promise<string[]> {
      await ask(sql`select gin_clean_pending_list('messages_search')`)
      const rows = await ask<{ lexeme: string }>(
        sql`
          select lexeme from unnest(to_tsvector('search', ${words.join(' ')}))
          where exists (select from messages where search @@ ('''' || replace(lexeme, '''', '''''') || '''')::tsquery)`,
        'bitmaps',
      )
      return rows.map(({ lexeme }) => lexeme)
    },

    async present(ids: readonly MessageId[], readerId: UserId, query: string, ask: Ask): Promise<Map<MessageId, PresentedMessage>> {
      const rows = await ask<PresentedMessage & { id: MessageId }>(sql`
        select m.id, (${sql.raw(messageText('m', 'me.first_seq'))})::json as message, json_build_object('id', c.id, 'type', c.type, 'title', c.title) as conversation,
          ${marked(sql`m.content`, query)} as marked
        from messages m join conversations c on c.id = m.conversation_id
        join members me on me.conversation_id = c.id and me.user_id = ${readerId} where m.id = any(${sql.param(ids)}::uuid[])`)
      return new Map(rows.map(({ id, ...presented }) => [id, presented]))
    },
  }
}

/** Every letter in its place, marks apart. */
export const marked = (text: SQL, query: string): SQL =>
  sql`ts_headline('search', search_plain(${text}), ${query}::tsquery, ${`HighlightAll=true, StartSel=${markStart}, StopSel=${markEnd}`})`

interface Plan {
  /** An id: older messages are not looked at. */
  since: string | undefined
  /** There are fewer messages to look at than their list in the index is worth. */
  isCommon: boolean
  /** The reader's conversations are few enough to be worth looking up. */
  isSelective: boolean
}

/** So many are expected as far back as is looked, so that there are enough also where they are rarer of late. */
const enough = 1.5 * comparedMessages
/** Of the messages that have two words, those in which they follow each other: the planner knows nothing of that. */
const adjacentShare = 0.1
const selectiveShare = 0.3
/** What it costs to find a message by one list of the index, or by several, compared with looking at it. */
const listedShare = { one: 0.05, several: 0.3 }
/** Fewer are looked through as quickly as anything. */
const wholeRows = 20_000

interface Circumstances {
  query: string
  /** Of all messages, those that have the words. */
  matching: number
  readableShare: number
  /** The share of all messages that is to be looked at, from the latest back. */
  depth: number
}

function planOf({ rows, newest }: TableStatistics, { query, matching, readableShare, depth }: Circumstances): Plan {
  const since = rows < wholeRows || depth >= 1 ? undefined : newest(depth)
  const isSelective = readableShare < selectiveShare
  const looked = rows * (since === undefined ? 1 : depth) * (isSelective ? readableShare : 1)
  return { since, isCommon: looked < matching * listedShare[isOneWord(query) ? 'one' : 'several'], isSelective }
}

const hasWords = (query: string): SQL => sql`m.search @@ ${query}::tsquery`

const conditionsOf = ({ senderId, from, to }: MessageFilter): SQL[] => [
  ...(senderId === undefined ? [] : [sql`m.sender_id = ${senderId}::uuid`]),
  ...(from === undefined ? [] : [sql`m.created_at >= ${from.toISOString()}::timestamptz`]),
  ...(to === undefined ? [] : [sql`m.created_at < ${to.toISOString()}::timestamptz`]),
]

async function estimate(conditions: readonly SQL[], ask: Ask): Promise<number> {
  const rows = await ask<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(sql`
    explain (format json) select from messages m where ${sql.join([...conditions], sql` and `)}`)
  return one(rows)['QUERY PLAN'][0].Plan['Plan Rows']
}

interface Look {
  query: string
  readable: Readable
  filters: readonly SQL[]
  plan: Plan
}

async function look({ query, readable, filters, plan: { since, isCommon, isSelective } }: Look, ask: Ask): Promise<Hit[]> {
  const { conversationIds, firstSeqs } = readable
  const conditions = [
    // What is asked whether it `is true` is looked up in no index.
    isCommon ? sql`(${hasWords(query)}) is true` : hasWords(query),
    ...filters,
    ...(since === undefined ? [] : [sql`m.id >= ${since}::uuid`]),
    ...(isSelective ? [sql`m.conversation_id = any(${sql.param(conversationIds)}::uuid[])`] : []),
  ]
  return ask<{ id: MessageId; conversationId: ConversationId; score: number }>(
    sql`
      with mine as materialized (
        select * from unnest(${sql.param(conversationIds)}::uuid[], ${sql.param(firstSeqs)}::bigint[]) mine (conversation_id, first_seq)
      ), hits as materialized (
        select m.conversation_id, m.seq, m.id, m.search from messages m where ${sql.join(conditions, sql` and `)}
      ), latest as (
        select hits.* from hits join mine using (conversation_id) where hits.seq >= mine.first_seq order by hits.id desc limit ${comparedMessages}
      )
      select id, conversation_id as "conversationId", round(100 * density / (density + 0.1))::int4 as score
      from latest, ts_rank_cd(search, ${query}::tsquery) density
      order by score desc, id desc`,
    'bitmaps',
  )
}
