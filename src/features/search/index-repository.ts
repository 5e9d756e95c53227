import { sql } from 'drizzle-orm'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { one } from '../../db/sql.ts'
import type { SearchLanguage } from '../../search-languages.ts'

export type SearchIndexRepository = ReturnType<typeof createSearchIndexRepository>

/** How far messages are indexed: those of conversations before this one, and of this one up to `seq`. */
export interface Progress {
  conversationId: ConversationId | null
  seq: number
}

interface Batch {
  conversationId: ConversationId
  afterSeq: number
  count: number
  characters: number
}

/** Any number, as long as it stays. */
const sortingLock = 7_275_392

export const createSearchIndexRepository = (db: Executor) => ({
  /** What one process does no other need do. */
  async sortIn(): Promise<void> {
    await db.execute(sql`select gin_clean_pending_list('messages_search') from (select pg_try_advisory_xact_lock(${sortingLock}) as taken) lock where taken`)
  },

  /** @returns the generation of the jobs that are to index what is there, which ends those before; undefined when it is indexed in this language */
  async setLanguage(language: SearchLanguage, tx: Executor): Promise<number | undefined> {
    const { rows } = await tx.execute<{ language: SearchLanguage; indexed: boolean }>(sql`select language, indexed from search_index for update`)
    const before = one(rows)
    if (before.language === language && before.indexed) return undefined
    if (before.language !== language) {
      await tx.execute(mapping('search_before', before.language))
      await tx.execute(mapping('search', language))
      await tx.execute(sql`
        update search_index set language = ${language}, indexed = not exists (select from conversations), after_conversation_id = null, after_seq = 0`)
    }
    const changed = await tx.execute<{ indexed: boolean; generation: number }>(sql`
      update search_index set generation = generation + 1 returning indexed, generation`)
    const { indexed, generation } = one(changed.rows)
    return indexed ? undefined : generation
  },

  /** @returns undefined when another generation is at work */
  async progress(generation: number): Promise<Progress | undefined> {
    const { rows } = await db.execute<{ conversationId: ConversationId | null; seq: number }>(sql`
      select after_conversation_id as "conversationId", after_seq as seq from search_index where generation = ${generation} and not indexed`)
    return rows[0]
  },

  /** @returns whether this generation is still the one at work */
  async keepProgress(generation: number, { conversationId, seq }: Progress, tx: Executor): Promise<boolean> {
    const { rowCount } = await tx.execute(sql`
      update search_index set after_conversation_id = ${conversationId}::uuid, after_seq = ${seq} where generation = ${generation} and not indexed`)
    return rowCount === 1
  },

  async finish(generation: number): Promise<void> {
    await db.execute(sql`update search_index set indexed = true where generation = ${generation}`)
  },

  async nextConversation(after: ConversationId | null): Promise<ConversationId | undefined> {
    const { rows } = await db.execute<{ id: ConversationId }>(sql`
      select id from conversations where ${after}::uuid is null or id > ${after}::uuid order by id limit 1`)
    return rows[0]?.id
  },

  /** What it is called. */
  async indexConversation(id: ConversationId): Promise<void> {
    await db.execute(sql`
      update conversations set search = search_fields(title, summary, description)
      where id = ${id} and search is distinct from search_fields(title, summary, description)`)
  },

  /** Under the lock of the conversation, as whoever else changes messages. @returns `seq` of the last, undefined when there are no more */
  async indexMessages({ conversationId, afterSeq, count, characters }: Batch): Promise<number | undefined> {
    return db.transaction(async (tx) => {
      await tx.execute(sql`select from conversations where id = ${conversationId} for no key update`)
      const { rows } = await tx.execute<{ last: number | null }>(sql`
        with next as (
          select seq, content, deleted_at from messages where conversation_id = ${conversationId} and seq > ${afterSeq} order by seq limit ${count}
        ), batch as materialized (
          select seq, case when deleted_at is null and content <> '' then search_terms(content) end as terms
          from (select next.*, sum(length(content)) over (order by seq) - length(content) as before from next) counted where before < ${characters}
        ), indexed as (
          update messages m set search = terms from batch
          where m.conversation_id = ${conversationId} and m.seq = batch.seq and m.search is distinct from terms
        )
        select max(seq) as last from batch`)
      return one(rows).last ?? undefined
    })
  },
})

/** What has digits in it is no word of any language. */
const kinds = 'asciiword, word, asciihword, hword, hword_asciipart, hword_part'

/** Names cannot be parameters; these are from lists of ours. */
const mapping = (configuration: 'search' | 'search_before', language: SearchLanguage) =>
  sql.raw(`alter text search configuration ${configuration} alter mapping for ${kinds} with unaccent, ${language === 'simple' ? 'simple' : `${language}_stem`}`)
