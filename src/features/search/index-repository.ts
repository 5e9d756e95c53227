import { sql } from 'drizzle-orm'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { one } from '../../db/sql.ts'
import type { SearchLanguage } from '../../search-languages.ts'

export type SearchIndexRepository = ReturnType<typeof createSearchIndexRepository>

/** Any number, as long as it stays. */
const sortingLock = 7_275_392

export const createSearchIndexRepository = (db: Executor) => ({
  /** What one process does no other need do. */
  async sortIn(): Promise<void> {
    await db.execute(sql`select gin_clean_pending_list('messages_search') from (select pg_try_advisory_xact_lock(${sortingLock}) as taken) lock where taken`)
  },

  /** @returns whether all messages are indexed in it */
  async setLanguage(language: SearchLanguage, tx: Executor): Promise<boolean> {
    const { rows } = await tx.execute<{ language: SearchLanguage; indexed: boolean }>(sql`select language, indexed from search_index for update`)
    const before = one(rows)
    if (before.language === language) return before.indexed
    await tx.execute(mapping('search_before', before.language))
    await tx.execute(mapping('search', language))
    const changed = await tx.execute<{ indexed: boolean }>(sql`
      update search_index set language = ${language}, indexed = not exists (select from messages) returning indexed`)
    return one(changed.rows).indexed
  },

  async language(): Promise<SearchLanguage> {
    const { rows } = await db.execute<{ language: SearchLanguage }>(sql`select language from search_index`)
    return one(rows).language
  },

  async nextConversation(after: ConversationId | undefined): Promise<ConversationId | undefined> {
    const { rows } = await db.execute<{ id: ConversationId }>(sql`
      select id from conversations where ${after ?? null}::uuid is null or id > ${after ?? null}::uuid order by id limit 1`)
    return rows[0]?.id
  },

  /** Under the lock of the conversation, as whoever else changes messages. @returns `seq` of the last, undefined when there are no more */
  async indexAgain({ conversationId, afterSeq, count }: { conversationId: ConversationId; afterSeq: number; count: number }): Promise<number | undefined> {
    return db.transaction(async (tx) => {
      await tx.execute(sql`select from conversations where id = ${conversationId} for no key update`)
      const { rows } = await tx.execute<{ last: number | null }>(sql`
        with batch as (
          select seq from messages where conversation_id = ${conversationId} and seq > ${afterSeq} order by seq limit ${count}
        ), indexed as (
          update messages m set search = search_terms(m.content)
          where m.conversation_id = ${conversationId} and m.seq in (select seq from batch) and m.deleted_at is null and m.content <> ''
            and m.search is distinct from search_terms(m.content)
        )
        select max(seq) as last from batch`)
      return one(rows).last ?? undefined
    })
  },

  async finish(language: SearchLanguage): Promise<void> {
    await db.execute(sql`update search_index set indexed = true where language = ${language}`)
  },
})

/** What has digits in it is no word of any language. */
const kinds = 'asciiword, word, asciihword, hword, hword_asciipart, hword_part'

/** Names cannot be parameters; these are from lists of ours. */
const mapping = (configuration: 'search' | 'search_before', language: SearchLanguage) =>
  sql.raw(`alter text search configuration ${configuration} alter mapping for ${kinds} with unaccent, ${language === 'simple' ? 'simple' : `${language}_stem`}`)
