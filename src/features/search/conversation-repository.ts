/** Search in what conversations are called. Somebody's own are gone through, one after another; their words are ready (`search_fields`). */
import { sql } from 'drizzle-orm'
import type { ConversationStatus, ConversationType } from '../../../openapi/conversations/schemas.ts'
import type { MatchedField } from '../../../openapi/search/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { UserSummary } from '../../../openapi/users/schemas.ts'
import { isoTime, userSummaryJson } from '../../db/json.ts'
import { escapeLike } from '../../db/sql.ts'
import { excludedOf } from './query.ts'
import type { Ask } from './reading.ts'
import { marked } from './repository.ts'

/** The latest of somebody's. Names are in no index, and cut into words as they are compared. */
const comparedConversations = 1_000
/** Those that are found by something else than their messages. */
const foundConversations = 200
/** In hundredths: likeness is for what is short. */
const describedScore = 81

/** The score is in hundredths; the text is what the field holds. */
export interface Named {
  id: ConversationId
  field: Exclude<MatchedField, 'message'>
  score: number
  text: string
  marked: string
}

export interface PresentedConversation {
  conversation: { id: ConversationId; type: ConversationType; title: string | null; status: ConversationStatus; otherMember: UserSummary | null }
  messageCount: number
  lastActivity: string
}

interface Wanted {
  query: string
  /** What titles and names may be like. */
  term: string
  includeArchived: boolean
}

export type ConversationSearchRepository = ReturnType<typeof createConversationSearchRepository>

export const createConversationSearchRepository = () => ({
  /** The likeliest first, each by the field that is the likeliest. */
  async named(readerId: UserId, { query, term, includeArchived }: Wanted, ask: Ask): Promise<Named[]> {
    const excluded = excludedOf(query)
    return ask<Named & Record<string, unknown>>(sql`
      with mine as materialized (
        select c.id, c.type, c.title, c.summary, c.description, case when ${excluded !== ''} or c.search @@ ${query}::tsquery then c.search end as words
        from members me join conversations c on c.id = me.conversation_id
        where me.user_id = ${readerId} and me.left_at is null and (${includeArchived} or c.status <> 'archived')
        order by c.updated_at desc limit ${comparedConversations}
      ), called as (
        select id, 'title' as field, title as text, coalesce(ts_filter(words, '{a}') @@ ${query}::tsquery, false) as has_words from mine
        union all select mine.id, 'member', name, search_terms(name) @@ ${query}::tsquery
          from mine join members o on o.conversation_id = mine.id and o.user_id <> ${readerId} join users u on u.id = o.user_id,
            lateral (values (coalesce(u.display_name, u.username)), (case when u.display_name is not null then u.username end)) names (name)
          where mine.type = 'direct' and u.erased_at is null
      ), found as (
        select id, field, text, round(100 * greatest(
            case when holds then 0.9 end, (0.8 * word_similarity(${term}, text) + 0.2 * similarity(${term}, text))::numeric))::int4 as score
        from called, lateral (select (${term} <> '' and text ilike ${`%${escapeLike(term)}%`}) or has_words as holds) has
        where text is not null and (holds or ${term} <% text) and (has_words or ${excluded === ''} or not search_terms(text) @@ ${excluded}::tsquery)
        union all select id, 'summary', summary, ${describedScore} from mine where ts_filter(words, '{b}') @@ ${query}::tsquery
        union all select id, 'description', description, ${describedScore} from mine where ts_filter(words, '{c}') @@ ${query}::tsquery
      ), best as (
        select distinct on (id) * from found order by id, score desc, field
      )
      select id, field, score, text, ${marked(sql`text`, query)} as marked from best order by score desc, id desc limit ${foundConversations}`)
  },

  async present(ids: readonly ConversationId[], readerId: UserId, ask: Ask): Promise<Map<ConversationId, PresentedConversation>> {
    const rows = await ask<PresentedConversation & Record<string, unknown>>(sql`
      select json_build_object('id', c.id, 'type', c.type, 'title', c.title, 'status', c.status, 'otherMember', (
          select ${sql.raw(userSummaryJson('u'))} from members o join users u on u.id = o.user_id
          where o.conversation_id = c.id and o.user_id <> ${readerId} and c.type = 'direct')) as conversation,
        c.last_seq - c.first_seq + 1 - c.deleted_count as "messageCount", ${sql.raw(isoTime('c.updated_at'))} as "lastActivity"
      from conversations c where c.id = any(${sql.param(ids)}::uuid[])`)
    return new Map(rows.map((row) => [row.conversation.id, row]))
  },
})
