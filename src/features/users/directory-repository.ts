/**
 * Lists of users. A search first gathers a bounded number of candidates and then compares only these, so that it costs the same however
 * many have such a name. They come from four places: usernames and display names that begin with the term, in the order of an index, and
 * those of which a word is like it. Of the likenesses trigrams find the rare ones; where most names are alike, the index of no order
 * (`users_shuffled`) soon has enough. Only who knows the term and the statistics can choose: so the statements are not prepared by name.
 */
import { and, desc, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'
import { escapeLike } from '../../db/sql.ts'

/** Users that a search finds at most: what it costs does not grow with how many there are. */
export const searchLimit = 1_000

export interface DirectoryFilter {
  /** What names begin with or are like. */
  term: string | undefined
  ids: string[] | undefined
  /** Only users with a verified address, and this one. */
  verifiedOr: UserId | undefined
}

export interface DirectoryPosition {
  sortKey: number
  id: string
}

export interface ListedUser {
  user: UserRow
  /** Together with the id it says where in the list the user stands. */
  sortKey: number
}

interface Slice {
  after: DirectoryPosition | undefined
  offset: number | undefined
  limit: number
}

export type DirectoryRepository = ReturnType<typeof createDirectoryRepository>

export const createDirectoryRepository = (db: Executor) => ({
  /** Not those who were erased. */
  async list(filter: DirectoryFilter, { after, offset = 0, limit }: Slice): Promise<ListedUser[]> {
    const order = filter.term === undefined ? newest : likeliest(filter.term)
    return db
      .select({ user: users, sortKey: order.sortKey })
      .from(users)
      .where(and(matches(filter), after && order.isAfter(after)))
      .orderBy(...order.by)
      .limit(limit)
      .offset(offset)
  },

  /** @returns how many fit, or `most` when there are more */
  async count(filter: DirectoryFilter, most: number): Promise<number> {
    return db.$count(db.select({ id: users.id }).from(users).where(matches(filter)).limit(most).as('listed'))
  },
})

interface Order {
  sortKey: SQL<number>
  by: SQL[]
  isAfter(position: DirectoryPosition): SQL
}

/** The sort key is in microseconds, which is what PostgreSQL keeps. */
const newest: Order = {
  sortKey: sql<number>`(extract(epoch from ${users.createdAt}) * 1000000)::int8`,
  by: [desc(users.createdAt), desc(users.id)],
  isAfter: ({ sortKey, id }) => sql`(${users.createdAt}, ${users.id}) < (to_timestamp(0) + ${sortKey} * interval '1 microsecond', ${id}::uuid)`,
}

/** Millionths of likeness. Whose name is the term comes first, then those that begin with it, then those that are like it. */
function likeliest(term: string): Order {
  const likeness = (name: SQL) => sql`coalesce(word_similarity(lower(${term}), ${name}), 0)`
  const begins = or(...names.map((name) => beginsWith(name, term)))
  const sortKey = sql<number>`(case when lower(${term}) in (${username}, ${displayName}) then 4000000 when ${begins} then 2000000 else 0 end
    + (greatest(${likeness(username)}, ${likeness(displayName)}) * 1000000)::int4)`
  return {
    sortKey,
    by: [desc(sortKey), desc(users.id)],
    isAfter: (position) => sql`(${sortKey}, ${users.id}) < (${position.sortKey}::int8, ${position.id}::uuid)`,
  }
}

const username = sql`lower(${users.username})`
const displayName = sql`lower(${users.displayName})`
const names = [username, displayName]

const matches = (filter: DirectoryFilter): SQL | undefined =>
  filter.term === undefined ? isListed(filter) : sql`${users.id} in (${candidates(filter, filter.term)})`

const isListed = ({ ids, verifiedOr }: DirectoryFilter): SQL | undefined =>
  and(
    isNull(users.erasedAt),
    verifiedOr && or(isNotNull(users.emailVerifiedAt), sql`${users.id} = ${verifiedOr}`),
    ids && sql`${users.id} = any(${sql.param(ids)}::uuid[])`,
  )

/**
 * Who begins with the term comes in the order of the alphabet, where a name that is the term itself is the first; who is like it in no
 * order, but always the same. The latter are not looked for when the former are enough.
 */
function candidates(filter: DirectoryFilter, term: string): SQL {
  const places = (isWanted: SQL, order: SQL) =>
    sql`(select id, row_number() over () as place
      from (select ${users.id} from ${users} where ${and(isListed(filter), isWanted)} order by ${order} limit ${searchLimit}) wanted)`
  const all = (sources: SQL[]) => sql.join(sources, sql` union all `)
  const beginning = all(names.map((name) => places(beginsWith(name, term), sql`${name} using ~<~, ${users.id}`)))
  if ([...term].length < shortestLikeness) return sql`select id from (${beginning}) found group by id order by min(place), id limit ${searchLimit}`
  const alike = all(names.map((name) => places(sql`${name} %> lower(${term})`, sql`uuid_hash(${users.id}), ${users.id}`)))
  return sql`with beginning as materialized (${beginning}), found as (
      select id, place from beginning
      union all select id, ${searchLimit} + place from (${alike}) alike where (select count(distinct id) from beginning) < ${searchLimit}
    ) select id from found group by id order by min(place), id limit ${searchLimit}`
}

/** What the caller writes stands for itself, `%` and `_` too. */
const beginsWith = (name: SQL, term: string): SQL => sql`${name} like lower(${escapeLike(term)}) || '%'`

/** Trigrams of less than three letters are like everything that has one of them. */
const shortestLikeness = 3
