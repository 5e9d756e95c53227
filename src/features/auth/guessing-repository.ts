import { and, desc, gt, inArray, isNull, lt, lte, or, sql } from 'drizzle-orm'
import type { Executor } from '../../db/executor.ts'
import { signInFailures } from '../../db/schema/credentials.ts'

const cleanupLimit = 20

/** One count of failures. */
export interface FailureCount {
  key: string
  /** Failures that cost nothing. */
  free: number
  /** The wait doubles from 1 s up to this. */
  longestWaitSeconds: number
}

export interface CountedFailure {
  key: string
  failures: number
}

/** Keys of counts. */
export interface Correction {
  forgotten: readonly string[]
  /** They go down by one. */
  lessened: readonly string[]
  /** Of these: who ends the wait. It is for whoever began it, not for others who failed meanwhile. */
  unblocked: readonly string[]
}

export type GuessingRepository = ReturnType<typeof createGuessingRepository>

export const createGuessingRepository = (db: Executor) => ({
  /**
   * Adds one to each count unless one of them is blocked. Each row is looked at again under its lock, so of many that come at once no
   * more get through than would one by one. Rows are locked in the order of their keys: two statements never wait in a circle.
   * @returns the counts that were added to: fewer than were asked for when another one is blocked
   */
  async add(counts: readonly FailureCount[], now: Date, forgottenAfterSeconds: number): Promise<CountedFailure[]> {
    const column = <T>(of: (count: FailureCount) => T) => sql.param(counts.map(of))
    const at = sql`${now.toISOString()}::timestamptz`
    const failures = sql`case when f.counted_since <= ${at} - make_interval(secs => ${forgottenAfterSeconds}) then 1 else f.failures + 1 end`
    const { rows } = await db.execute<{ key: string; failures: number }>(sql`
      with asked as (
        select * from unnest(${column(({ key }) => key)}::text[], ${column(({ free }) => free)}::int[], ${column(({ longestWaitSeconds }) => longestWaitSeconds)}::int[])
          as asked (key, free, longest)
      ), blocked as (
        select from sign_in_failures join asked using (key) where blocked_until > ${at}
      )
      insert into sign_in_failures as f (key, failures, counted_since)
      select key, 1, ${at} from asked where not exists (select from blocked) order by key
      on conflict (key) do update set
        failures = ${failures},
        counted_since = case when f.counted_since <= ${at} - make_interval(secs => ${forgottenAfterSeconds}) then ${at} else f.counted_since end,
        blocked_until = (
          select ${at} + make_interval(secs => least(longest, 2 ^ least(${failures} - free - 1, 30)))
          from asked where asked.key = f.key and ${failures} > free
        )
      where f.blocked_until is null or f.blocked_until <= ${at}
      returning f.key, f.failures`)
    return rows
  },

  /** @returns when the last of the blocks ends */
  async findBlockedUntil(keys: readonly string[], now: Date): Promise<Date | undefined> {
    const [row] = await db
      .select({ until: signInFailures.blockedUntil })
      .from(signInFailures)
      .where(and(inArray(signInFailures.key, [...keys]), gt(signInFailures.blockedUntil, now)))
      .orderBy(desc(signInFailures.blockedUntil))
      .limit(1)
    return row?.until ?? undefined
  },

  /** What was counted was no failure. */
  async takeBack({ forgotten, lessened, unblocked }: Correction, executor: Executor = db): Promise<void> {
    const keys = (some: readonly string[]) => sql`any(${sql.param([...some])}::text[])`
    await executor.execute(sql`
      with locked as (
        select key from sign_in_failures where key = ${keys([...forgotten, ...lessened])} order by key for update
      ), deleted as (
        delete from sign_in_failures where key in (select key from locked) and key = ${keys(forgotten)}
      )
      update sign_in_failures
      set failures = greatest(failures - 1, 0), blocked_until = case when key = ${keys(unblocked)} then null else blocked_until end
      where key in (select key from locked) and key = ${keys(lessened)}`)
  },

  async deleteForgotten(countedBefore: Date, now: Date): Promise<void> {
    const forgotten = db
      .select({ key: signInFailures.key })
      .from(signInFailures)
      .where(and(lt(signInFailures.countedSince, countedBefore), or(isNull(signInFailures.blockedUntil), lte(signInFailures.blockedUntil, now))))
      .limit(cleanupLimit)
      .for('update', { skipLocked: true })
    await db.delete(signInFailures).where(inArray(signInFailures.key, forgotten))
  },
})
