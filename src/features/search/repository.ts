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
import type { Executor } from '../../db/executor.ts'
import { messageText } from '../../db/json.ts'
import { one } from '../../db/sql.ts'
import { AppError } from '../../errors/app-error.ts'
import { markEnd, markStart } from './excerpt.ts'
import { createGate } from './gate.ts'
import { sortingLock } from './index-repository.ts'
import { isOneWord } from './query.ts'
import { createTableStatistics, type TableStatistics } from './table-statistics.ts'

/** A process has some ten connections. */
const searchesAtOnce = 3
const waitMilliseconds = 2_000
/** Of a search as a whole. */
const limitMilliseconds = 5_000

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

export function createSearchRepository({ db }: Pick<Database, 'db'>) {
  const statistics = createTableStatistics()
  const gate = createGate({ atOnce: searchesAtOnce, waitMilliseconds })
  const endsAt = new WeakMap<Executor, number>()

  /** Before each statement that may take long: PostgreSQL limits the time of one only. */
  const limitTime = async (tx: Executor): Promise<void> => {
    const left = Math.floor((endsAt.get(tx) ?? 0) - performance.now())
    if (left <= 0) throw new AppError('unavailable', 'The search takes too long; try again, or look for less.', { retryAfterSeconds: 1 })
    await tx.execute(sql`select set_config('statement_timeout', ${String(left)}, true)`)
  }

  return {
    /** All reads of one search see the database as it is at one moment. @throws `unavailable` when it, or others before it, take too long */
    read: <T>(work: (tx: Executor) => Promise<T>): Promise<T> =>
      gate(() =>
        db.transaction(
          async (tx) => {
            endsAt.set(tx, performance.now() + limitMilliseconds)
            await tx.execute(settings)
            return work(tx)
          },
          { isolationLevel: 'repeatable read', accessMode: 'read only' },
        ),
      ),

    /** @returns undefined when there is no word to look for. */
    async parse(webSearch: string, tx: Executor): Promise<string | undefined> {
      const { rows } = await tx.execute<{ query: string; indexable: string }>(sql`
        select query::text, querytree(query) as indexable from (
          select case when indexed then now else now || websearch_to_tsquery('search_before', ${webSearch}) end as query
          from search_index, websearch_to_tsquery('search', ${webSearch}) now
        ) parsed`)
      const { query, indexable } = one(rows)
      return indexable === '' || indexable === 'T' ? undefined : query
    },

    async readable(
      readerId: UserId,
      { conversationId, includeArchived }: { conversationId?: ConversationId | undefined; includeArchived: boolean },
      tx: Executor,
    ) {
      const { rows } = await tx.execute<{ conversationIds: ConversationId[]; firstSeqs: string[]; messageCount: number }>(sql`
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
    async find(query: string, readable: Readable, filter: MessageFilter, tx: Executor): Promise<Hit[]> {
      if (readable.messageCount === 0) return []
      const table = await statistics(tx)
      const matching = await estimate(sql`m.search @@ ${query}::tsquery`, tx)
      const wanted = (await estimate(condition(query, filter), tx)) * adjacentShare ** (query.match(/<(-|\d+)>/g)?.length ?? 0)
      const readableShare = Math.min(1, readable.messageCount / Math.max(table.rows, 1))
      let depth = enough / Math.max(wanted * readableShare, 1)
      for (;;) {
        await limitTime(tx)
        const plan = planOf(table, { query, matching, readableShare, depth })
        const hits = await look({ query, readable, filter, plan }, tx)
        if (plan.since === undefined || hits.length === comparedMessages) return hits
        depth *= Math.max(4, enough / Math.max(hits.length, 1))
      }
    },

    /**
     * Of these words, in the forms of the language, those that some message has. Each of hundreds of lookups reads the whole list of what is not
     * sorted into the index yet; so that is sorted in before.
     */
    async known(words: readonly string[], tx: Executor): Promise<string[]> {
      await limitTime(tx)
      await tx.execute(sql`select gin_clean_pending_list('messages_search') from (select pg_advisory_xact_lock(${sortingLock})) lock`)
      await limitTime(tx)
      await tx.execute(bitmapsOnly)
      const { rows } = await tx.execute<{ lexeme: string }>(sql`
        select lexeme from unnest(to_tsvector('search', ${words.join(' ')}))
        where exists (select from messages where search @@ ('''' || replace(lexeme, '''', '''''') || '''')::tsquery)`)
      await tx.execute(allIndexes)
      return rows.map(({ lexeme }) => lexeme)
    },

    async present(ids: readonly MessageId[], readerId: UserId, query: string, tx: Executor): Promise<Map<MessageId, PresentedMessage>> {
      await limitTime(tx)
      const { rows } = await tx.execute<PresentedMessage & { id: MessageId }>(sql`
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

/** Only what intersects indexes: a plan that follows one of them may go through the whole table. */
const settings = sql`select set_config('statement_timeout', '5000', true), set_config('work_mem', '32MB', true), set_config('enable_seqscan', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true), set_config('pg_trgm.word_similarity_threshold', '0.45', true)`

const bitmapsOnly = sql`select set_config('enable_indexscan', 'off', true)`
const allIndexes = sql`select set_config('enable_indexscan', 'on', true)`

interface Plan {
  /** An id: older messages are not looked at. */
  since: string | undefined
  /** There are fewer messages to look at than their list in the index is worth. */
  isCommon: boolean
  /** The reader's conversations are few enough to be worth looking up. */
  isSelective: boolean
}

/** So many are expected as far back as is looked, so that there are enough also where they are rarer of late. */
const enough = 2 * comparedMessages
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

const condition = (query: string, { senderId, from, to }: MessageFilter): SQL =>
  sql.join(
    [
      sql`m.search @@ ${query}::tsquery`,
      ...(senderId === undefined ? [] : [sql`m.sender_id = ${senderId}::uuid`]),
      ...(from === undefined ? [] : [sql`m.created_at >= ${from.toISOString()}::timestamptz`]),
      ...(to === undefined ? [] : [sql`m.created_at < ${to.toISOString()}::timestamptz`]),
    ],
    sql` and `,
  )

async function estimate(where: SQL, tx: Executor): Promise<number> {
  const { rows } = await tx.execute<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(sql`explain (format json) select from messages m where ${where}`)
  return one(rows)['QUERY PLAN'][0].Plan['Plan Rows']
}

interface Look {
  query: string
  readable: Readable
  filter: MessageFilter
  plan: Plan
}

async function look({ query, readable, filter, plan: { since, isCommon, isSelective } }: Look, tx: Executor): Promise<Hit[]> {
  await tx.execute(bitmapsOnly)
  const { conversationIds, firstSeqs } = readable
  const conditions = [
    // What is asked whether it `is true` is looked up in no index.
    isCommon ? sql`(${condition(query, filter)}) is true` : condition(query, filter),
    ...(since === undefined ? [] : [sql`m.id >= ${since}::uuid`]),
    ...(isSelective ? [sql`m.conversation_id = any(${sql.param(conversationIds)}::uuid[])`] : []),
  ]
  const { rows } = await tx.execute<{ id: MessageId; conversationId: ConversationId; score: number }>(sql`
    with mine as materialized (
      select * from unnest(${sql.param(conversationIds)}::uuid[], ${sql.param(firstSeqs)}::bigint[]) mine (conversation_id, first_seq)
    ), hits as materialized (
      select m.conversation_id, m.seq, m.id, m.search from messages m where ${sql.join(conditions, sql` and `)}
    ), latest as (
      select hits.* from hits join mine using (conversation_id) where hits.seq >= mine.first_seq order by hits.id desc limit ${comparedMessages}
    )
    select id, conversation_id as "conversationId", round(100 * density / (density + 0.1))::int4 as score
    from latest, ts_rank_cd(search, ${query}::tsquery) density
    order by score desc, id desc`)
  await tx.execute(allIndexes)
  return rows
}
