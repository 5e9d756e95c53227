/**
 * Lists of users. A search reads four indexes at once: usernames and display names that begin with the term (`text_pattern_ops`), and those
 * of which a word is like it (trigrams). So the statements are not prepared by name: a plan that is made without knowing the term can use
 * none of them.
 */
import { and, desc, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import { type UserRow, users } from '../../db/schema/users.ts'

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

  async count(filter: DirectoryFilter): Promise<number> {
    return db.$count(users, matches(filter))
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
  const sortKey = sql<number>`(case when lower(${term}) in (${username}, ${displayName}) then 4000000 when ${beginsWith(term)} then 2000000 else 0 end
    + (greatest(${likeness(username)}, ${likeness(displayName)}) * 1000000)::int4)`
  return {
    sortKey,
    by: [desc(sortKey), desc(users.id)],
    isAfter: (position) => sql`(${sortKey}, ${users.id}) < (${position.sortKey}::int8, ${position.id}::uuid)`,
  }
}

const username = sql`lower(${users.username})`
const displayName = sql`lower(${users.displayName})`

const matches = ({ term, ids, verifiedOr }: DirectoryFilter): SQL | undefined =>
  and(
    isNull(users.erasedAt),
    verifiedOr && or(isNotNull(users.emailVerifiedAt), sql`${users.id} = ${verifiedOr}`),
    ids && sql`${users.id} = any(${sql.param(ids)}::uuid[])`,
    term === undefined ? undefined : or(beginsWith(term), isLike(term)),
  )

/** What the caller writes stands for itself, `%` and `_` too. */
function beginsWith(term: string): SQL {
  const pattern = sql`lower(${term.replace(/[\\%_]/g, '\\$&')}) || '%'`
  // In brackets: it is combined with others.
  return sql`(${username} like ${pattern} or ${displayName} like ${pattern})`
}

/** Trigrams of less than three letters are like everything that has one of them. */
const shortest = 3

const isLike = (term: string): SQL | undefined =>
  [...term].length < shortest ? undefined : sql`(${username} %> lower(${term}) or ${displayName} %> lower(${term}))`
