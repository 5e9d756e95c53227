/** Search in what conversations are called. Somebody's own are gone through, one after another: they are a few hundred, and their texts short. */
import { sql } from 'drizzle-orm'
import type { ConversationStatus, ConversationType } from '../../../openapi/conversations/schemas.ts'
import type { MatchedField } from '../../../openapi/search/schemas.ts'
import type { ConversationId, UserId } from '../../../openapi/shared/ids.ts'
import type { UserSummary } from '../../../openapi/users/schemas.ts'
import type { Executor } from '../../db/executor.ts'
import { isoTime, userSummaryJson } from '../../db/json.ts'
import { escapeLike } from '../../db/sql.ts'
import { marked } from './repository.ts'

/** Conversations that are compared with each other, of those that are found by something else than their messages. */
const comparedConversations = 200

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
  async named(readerId: UserId, { query, term, includeArchived }: Wanted, tx: Executor): Promise<Named[]> {
    const { rows } = await tx.execute<Named & Record<string, unknown>>(sql`
      with mine as materialized (
        select c.* from members me join conversations c on c.id = me.conversation_id
        where me.user_id = ${readerId} and me.left_at is null and (${includeArchived} or c.status <> 'archived')
      ), fields as (
        select id, 'title' as field, title as text, 1.0 as weight from mine
        union all select id, 'summary', summary, 0.9 from mine
        union all select id, 'description', description, 0.9 from mine
        union all select mine.id, 'member', coalesce(u.display_name, u.username), 1.0
          from mine join members o on o.conversation_id = mine.id and o.user_id <> ${readerId} join users u on u.id = o.user_id
          where mine.type = 'direct' and u.erased_at is null
        union all select mine.id, 'member', u.username, 1.0
          from mine join members o on o.conversation_id = mine.id and o.user_id <> ${readerId} join users u on u.id = o.user_id
          where mine.type = 'direct' and u.erased_at is null and u.display_name is not null
      ), found as (
        select id, field, text, round(100 * weight * greatest(
            case when holds then 0.9 end, (0.8 * word_similarity(${term}, text) + 0.2 * similarity(${term}, text))::numeric))::int4 as score
        from fields, lateral (select (${term} <> '' and text ilike ${`%${escapeLike(term)}%`}) or search_terms(text) @@ ${query}::tsquery as holds) has
        where text is not null and (holds or ${term} <% text)
      ), best as (
        select distinct on (id) * from found order by id, score desc, field
      )
      select id, field, score, text, ${marked(sql`text`, query)} as marked from best order by score desc, id desc limit ${comparedConversations}`)
    return rows
  },

  async present(ids: readonly ConversationId[], readerId: UserId, tx: Executor): Promise<Map<ConversationId, PresentedConversation>> {
    const { rows } = await tx.execute<PresentedConversation & Record<string, unknown>>(sql`
      select json_build_object('id', c.id, 'type', c.type, 'title', c.title, 'status', c.status, 'otherMember', (
          select ${sql.raw(userSummaryJson('u'))} from members o join users u on u.id = o.user_id
          where o.conversation_id = c.id and o.user_id <> ${readerId} and c.type = 'direct')) as conversation,
        c.last_seq - c.first_seq + 1 - c.deleted_count as "messageCount", ${sql.raw(isoTime('c.updated_at'))} as "lastActivity"
      from conversations c where c.id = any(${sql.param(ids)}::uuid[])`)
    return new Map(rows.map((row) => [row.conversation.id, row]))
  },
})
