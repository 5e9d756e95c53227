/**
 * Who has a socket open in which process. All times here are the database's: processes are compared with each other, and their own
 * clocks may differ. Whatever decides whether somebody has come or gone does so under the lock of that user's row, so that of two
 * processes that lose the same user at once the second one sees that it was the last.
 */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { UserId } from '../../../openapi/shared/ids.ts'
import type { ChosenPresence } from '../../../openapi/users/schemas.ts'
import type { Database } from '../../db/client.ts'
import type { Executor } from '../../db/executor.ts'
import { processes } from '../../db/schema/presence.ts'
import { users } from '../../db/schema/users.ts'
import type { PresenceEntity } from '../../topics.ts'

/** A process that was silent for longer is taken for dead. */
const silenceSeconds = 15
/** In larger groups everybody would be told of everybody all the time. */
const maximumAudience = 250

/** Somebody without a socket in this process. */
export interface Departure {
  userId: UserId
  /** Since the last socket was closed. */
  ageSeconds: number
}

export interface Audience {
  presence: PresenceEntity
  /** Of those who were asked about, who may see it; never the user. */
  viewerIds: UserId[]
}

export interface Pair {
  viewerId: UserId
  userId: UserId
}

export interface View {
  viewerId: UserId
  presence: PresenceEntity
}

export interface ChosenResult {
  presence: PresenceEntity
  /** Whether others are shown something else now. */
  hasChanged: boolean
}

export type PresenceRepository = ReturnType<typeof createPresenceRepository>

export const createPresenceRepository = ({ db, pool }: Pick<Database, 'db' | 'pool'>) => ({
  /**
   * Says that a process lives.
   * @returns whether nothing was known of it, at its start or because others took it for dead, and whether others are silent.
   */
  async beat(processId: string): Promise<{ isNew: boolean; othersAreSilent: boolean }> {
    const { rows } = await pool.query<{ isNew: boolean; othersAreSilent: boolean }>(
      `insert into processes (id, last_beat_at) values ($1, now()) on conflict (id) do update set last_beat_at = now()
       returning xmax = 0 as "isNew", exists (select from processes p where p.id <> $1 and not ${isAlive('p')}) as "othersAreSilent"`,
      [processId],
    )
    const [beat] = rows
    if (beat === undefined) throw new Error('The statement returned no row')
    return beat
  },

  /** To be called in a transaction, and first in it. @returns of whom others are shown something else now */
  async write(processId: string, came: readonly UserId[], went: readonly Departure[], tx: Executor): Promise<UserId[]> {
    const [cameIds, wentIds] = [uuids(came), uuids(went.map(({ userId }) => userId))]
    const all = sql`${cameIds} || ${wentIds}`
    await lockUsers(sql`id = any(${all})`, tx)
    await tx.execute(
      sql`insert into online_users (process_id, user_id) select ${processId}::uuid, id from users where id = any(${cameIds}) on conflict do nothing`,
    )
    await tx.execute(sql`delete from online_users where process_id = ${processId} and user_id = any(${wentIds})`)
    const ages = sql.param(went.map(({ ageSeconds }) => ageSeconds))
    await tx.execute(sql`
      update users u set last_seen_at = greatest(u.last_seen_at, now() - make_interval(secs => went.age))
      from unnest(${wentIds}, ${ages}::float8[]) went (user_id, age)
      where u.id = went.user_id and u.erased_at is null and ${sql.raw(isVisible('u'))}`)
    return userIds(
      tx,
      sql`select u.id from users u where u.id = any(${all}) and ${sql.raw(isVisible('u'))}
      and not exists (${sql.raw(liveRowOf('u.id'))} and o.process_id <> ${processId})`,
    )
  },

  /** To be called in a transaction: removes processes that are silent. @returns who is not there any more */
  async sweep(tx: Executor): Promise<UserId[]> {
    const { rows } = await tx.execute<{ id: string }>(sql`select id from processes p where not ${sql.raw(isAlive('p'))} order by id for update skip locked`)
    const dead = uuids(rows.map(({ id }) => id))
    await lockUsers(sql`id in (select user_id from online_users where process_id = any(${dead}))`, tx)
    await writeLastSeen(sql`p.id = any(${dead})`, sql`p.last_beat_at`, tx)
    const gone = await userIds(
      tx,
      sql`select distinct u.id from online_users dead join users u on u.id = dead.user_id
      where dead.process_id = any(${dead}) and ${sql.raw(isVisible('u'))} and not exists (${sql.raw(liveRowOf('u.id'))})`,
    )
    await tx.execute(sql`delete from processes where id = any(${dead})`)
    return gone
  },

  /**
   * The process ends. Its users count as there for `graceSeconds` more: they are connecting to another one, and whoever does not is
   * swept by the others like those of a process that died.
   */
  async handOver(processId: string, graceSeconds: number): Promise<void> {
    await db.transaction(async (tx) => {
      await lockUsers(sql`id in (select user_id from online_users where process_id = ${processId})`, tx)
      await writeLastSeen(sql`p.id = ${processId}`, sql`now()`, tx)
      await tx
        .update(processes)
        .set({ lastBeatAt: sql`now() - make_interval(secs => ${silenceSeconds - graceSeconds})` })
        .where(eq(processes.id, processId))
    })
  },

  /** To be called in a transaction. @returns undefined when there is no such user, or no more */
  async choose(userId: UserId, status: ChosenPresence, now: Date, tx: Executor): Promise<ChosenResult | undefined> {
    const [before] = await tx
      .select({ status: users.presence })
      .from(users)
      .where(and(eq(users.id, userId), isNull(users.erasedAt)))
      .for('no key update')
    if (before === undefined) return undefined
    if (before.status !== status) {
      // Whoever hides is seen last at this moment.
      if (status === 'offline') await writeLastSeen(sql`o.user_id = ${userId} and ${sql.raw(isAlive('p'))}`, sql`now()`, tx)
      await tx.update(users).set({ presence: status, updatedAt: now }).where(eq(users.id, userId))
    }
    const { rows } = await tx.execute<PresenceRow>(sql`select ${sql.raw(presenceColumns)} from ${sql.raw(usersWithBeats)} where u.id = ${userId}`)
    const [row] = rows
    return row && { presence: presenceOf(row), hasChanged: row.isThere && before.status !== status }
  },

  async deleteOf(userId: UserId, tx: Executor): Promise<void> {
    await tx.execute(sql`delete from online_users where user_id = ${userId}`)
  },

  /** What one user may see of others, or null, whom nobody blocks; those of whom nothing may be seen are left out. */
  async statusOf(viewerId: UserId | null, userIds: readonly UserId[]): Promise<PresenceEntity[]> {
    const { rows } = await pool.query<PresenceRow>({
      name: 'presence-status',
      text: `select ${presenceColumns} from ${usersWithBeats} where u.id = any($2::uuid[]) and u.erased_at is null
        and not exists (select from blocks b where b.blocker_id = u.id and b.blocked_id = $1)`,
      values: [viewerId, userIds],
    })
    return rows.map(presenceOf)
  },

  /** Who of `connected` may see these users: two lists meet, and nobody else's membership is read, however large a group is. */
  async audiences(userIds: readonly UserId[], connected: readonly UserId[]): Promise<Audience[]> {
    const { rows } = await pool.query<PresenceRow & { viewerIds: UserId[] | null }>({
      name: 'presence-audiences',
      text: audiencesStatement,
      values: [userIds, connected],
    })
    return rows.map((row) => ({ presence: presenceOf(row), viewerIds: row.viewerIds ?? [] }))
  },

  /**
   * What viewers are shown of users after a block or its end. Pairs that share no conversation are left out, and so are users who are
   * not there, or hide: who blocks does not show that way when it was.
   */
  async views(pairs: readonly Pair[]): Promise<View[]> {
    const { rows } = await pool.query<PresenceRow & { viewerId: UserId; isBlocked: boolean }>({
      name: 'presence-views',
      text: viewsStatement,
      values: [pairs.map(({ viewerId }) => viewerId), pairs.map(({ userId }) => userId)],
    })
    return rows.map(({ viewerId, isBlocked, ...row }) => ({
      viewerId,
      presence: isBlocked ? { userId: row.userId, status: 'offline', lastSeen: null } : presenceOf(row),
    }))
  },
})

type PresenceRow = {
  userId: UserId
  status: PresenceEntity['status']
  lastSeenMilliseconds: number | null
  isThere: boolean
}

const presenceOf = ({ userId, status, lastSeenMilliseconds }: PresenceRow): PresenceEntity => ({
  userId,
  status,
  lastSeen: lastSeenMilliseconds === null ? null : new Date(lastSeenMilliseconds),
})

const uuids = (ids: readonly string[]): SQL => sql`${sql.param(ids)}::uuid[]`

const isAlive = (process: string): string => `${process}.last_beat_at > now() - interval '${silenceSeconds} seconds'`

/** Others are not shown when somebody who hides comes and goes: not by `lastSeen` either. */
const isVisible = (user: string): string => `${user}.presence <> 'offline'`

const liveRowOf = (userId: string): string =>
  `select from online_users o join processes p on p.id = o.process_id where o.user_id = ${userId} and ${isAlive('p')}`

const usersWithBeats = `users u left join lateral (
  select max(p.last_beat_at) as last_beat_at from online_users o join processes p on p.id = o.process_id where o.user_id = u.id and ${isAlive('p')}) there on true`

/** The beat of a process is when all its users were there last: nothing is written for each of them. */
const presenceColumns = `u.id as "userId", there.last_beat_at is not null as "isThere",
  case when there.last_beat_at is null then 'offline' else u.presence end as status,
  extract(epoch from case when ${isVisible('u')} then greatest(u.last_seen_at, there.last_beat_at) else u.last_seen_at end)::float8 * 1000 as "lastSeenMilliseconds"`

const sharedConversations = `members them
  join conversations c on c.id = them.conversation_id and c.member_count <= ${maximumAudience} and them.left_at is null
  join members me on me.conversation_id = c.id and me.user_id <> them.user_id and me.left_at is null`

const audiencesStatement = `
  select ${presenceColumns}, seen.viewer_ids as "viewerIds" from ${usersWithBeats}
  left join (
    select them.user_id, array_agg(distinct me.user_id) as viewer_ids from ${sharedConversations}
    where them.user_id = any($1::uuid[]) and me.user_id = any($2::uuid[])
      and not exists (select from blocks b where b.blocker_id = them.user_id and b.blocked_id = me.user_id)
    group by them.user_id
  ) seen on seen.user_id = u.id
  where u.id = any($1::uuid[])`

/** The limit has each pair looked up by itself: joined, all memberships might be read for a few pairs. */
const viewsStatement = `
  select pair.viewer_id as "viewerId", ${presenceColumns},
    exists (select from blocks b where b.blocker_id = u.id and b.blocked_id = pair.viewer_id) as "isBlocked"
  from unnest($1::uuid[], $2::uuid[]) pair (viewer_id, user_id), ${usersWithBeats},
    lateral (select from ${sharedConversations} where them.user_id = u.id and me.user_id = pair.viewer_id limit 1) together
  where u.id = pair.user_id and u.erased_at is null and there.last_beat_at is not null and ${isVisible('u')}`

/** Always in the same order, so that two processes do not wait for each other. */
async function lockUsers(which: SQL, tx: Executor): Promise<void> {
  await tx.execute(sql`select from users where ${which} order by id for no key update`)
}

/** Of those who are there, by the rows `o` of their processes `p`. */
async function writeLastSeen(which: SQL, at: SQL, tx: Executor): Promise<void> {
  await tx.execute(sql`
    update users u set last_seen_at = greatest(u.last_seen_at, seen.at)
    from (select o.user_id, max(${at}) as at from online_users o join processes p on p.id = o.process_id where ${which} group by o.user_id) seen
    where u.id = seen.user_id and u.erased_at is null and ${sql.raw(isVisible('u'))}`)
}

async function userIds(tx: Executor, query: SQL): Promise<UserId[]> {
  const { rows } = await tx.execute<{ id: UserId }>(query)
  return rows.map(({ id }) => id)
}
