import type { PublicGroup } from '../../../openapi/conversations/group-schemas.ts'
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Database } from '../../db/client.ts'
import { isoTime } from '../../db/json.ts'
import { escapeLike } from '../../db/sql.ts'
import type { JsonText } from '../../json-text.ts'

interface Looked {
  /** Of those that fit, the newest first. */
  texts: JsonText<PublicGroup>[]
  ids: ConversationId[]
  /** How many were looked at, and the last one of them. */
  count: number
  lastId: ConversationId | null
}

export type PublicGroupRepository = ReturnType<typeof createPublicGroupRepository>

export const createPublicGroupRepository = ({ pool }: Database) => ({
  /** Looks at some groups and no more, however few of them fit. */
  async look({ search, before, look, limit }: { search: string | undefined; before: string | undefined; look: number; limit: number }): Promise<Looked> {
    const pattern = search === undefined ? null : `%${escapeLike(search)}%`
    const { rows } = await pool.query<Looked>({ name: 'public-groups', text: lookStatement, values: [before ?? null, look, pattern, limit] })
    return rows[0] ?? { texts: [], ids: [], count: 0, lastId: null }
  },
})

/** In the order of an index that has public groups only: `conversations_public`. One that everybody has left is no group any more. */
const lookStatement = `
  with looked as materialized (
    select c.id, c.title, c.description, c.tags, c.member_count, c.created_at, c.updated_at from conversations c
    where not c.is_private and c.status = 'active' and c.type = 'group' and ($1::uuid is null or c.id < $1) order by c.id desc limit $2
  ), found as (
    select c.id, json_build_object('id', c.id, 'title', c.title, 'description', c.description, 'tags', c.tags, 'memberCount', c.member_count,
      'createdAt', ${isoTime('c.created_at')}, 'updatedAt', ${isoTime('c.updated_at')})::text as text
    from looked c
    where c.member_count > 0
      and ($3::text is null or c.title ilike $3 or c.description ilike $3 or exists (select from unnest(c.tags) tag where tag ilike $3))
    order by c.id desc limit $4
  )
  select array(select text from found order by id desc) as texts, array(select id::text from found order by id desc) as ids,
    (select count(*) from looked) as count, (select id from looked order by id limit 1) as "lastId"`
