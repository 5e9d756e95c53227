/**
 * Work that outlives the request that causes it: stored in the transaction of what causes it, done after the commit, by whichever
 * process is free, tried again with growing pauses, and parked in `dead-letters` when nothing helps. So a job may run more than
 * once, and its handler must bear that. pg-boss does it, in a schema of its own, through our pool.
 */
import { setTimeout } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type pg from 'pg'
import { fromDrizzle, PgBoss } from 'pg-boss'
import { isUnavailable } from '../db/client.ts'
import type { Executor } from '../db/executor.ts'
import type { Log } from '../log.ts'
import { type JobData, type JobName, jobNames } from './job-types.ts'

const schema = 'jobs'
const deadLetters = 'dead-letters'

const queueOptions = {
  deadLetter: deadLetters,
  // 1 s, 2 s, 4 s … up to 10 minutes: about an hour in all.
  retryLimit: 15,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 600,
  // A process that dies with a job in hand gives it back after this.
  expireInSeconds: 90,
  deleteAfterSeconds: 3600,
}

/** What is to be deleted is deleted, however long the storage is away: for a week. */
const deletionOptions = { ...queueOptions, retryLimit: 1_000 }
const deletions: readonly JobName[] = ['objects.delete', 'files.deleteUnused', 'avatars.deleteUnused']

/** Long enough to be looked at; there may be addresses in them, and who is erased is not looked for there. */
const deadLetterOptions = { retentionSeconds: 24 * 3600 }

/** The process that enqueues wakes its own worker at once; this is how soon another one sees the job. */
const pollingIntervalSeconds = 1

const stopTimeoutMilliseconds = 10_000

interface Options {
  pool: pg.Pool
  log: Log
}

export type JobHandler<Name extends JobName> = (data: JobData[Name]) => Promise<void>

export type Jobs = Awaited<ReturnType<typeof createJobs>>

/** Makes the tables where they are missing; several processes may do so at once. */
export async function createJobs({ pool, log }: Options) {
  const connection = watchConnection(pool)
  const boss = new PgBoss({ db: connection, schema, schedule: false })
  // Unheard, an error would end the process. While the database is away every poll is one; polling goes on until it is back.
  boss.on('error', (error) => log[connection.isUp() ? 'warn' : 'debug']({ err: error }, 'The job queue met an error'))
  boss.on('warning', (warning) => log.warn({ warning }, 'The job queue warns'))
  await boss.start()
  await createQueues(boss)
  const workerIds = new Map<JobName, string>()

  return {
    /** Stores the job with the transaction: it exists when and if that commits. Call `wake` afterwards, unless it is for later. */
    async enqueue<Name extends JobName>(executor: Executor, name: Name, data: JobData[Name], { afterSeconds = 0 } = {}): Promise<void> {
      await boss.send(name, data, { db: fromDrizzle(executor, sql), startAfter: afterSeconds })
    },

    /** Has this process look for jobs now. */
    wake(name: JobName): void {
      const workerId = workerIds.get(name)
      if (workerId !== undefined) boss.notifyWorker(workerId)
    },

    /** Handles jobs of this name from now on, several at a time. A handler that rejects has its job tried again. */
    async work<Name extends JobName>(name: Name, handler: JobHandler<Name>): Promise<void> {
      const options = { batchSize: 10, burstWhenBatchFull: true, pollingIntervalSeconds, perJobResults: true } as const
      const workerId = await boss.work<JobData[Name], void, typeof options>(name, options, (jobs) =>
        Promise.all(jobs.map(async ({ id, data }) => ({ id, ...(await settle(name, handler, data, log)) }))),
      )
      workerIds.set(name, workerId)
    },

    /** Whether it reached the database when it last looked for jobs. */
    isUp: connection.isUp,

    /** Waits for what is in hand; what takes too long is given back and done again later. */
    async stop(): Promise<void> {
      const stopped = Promise.all([...workerIds.keys()].map((name) => boss.offWork(name, { wait: true })))
      await Promise.race([stopped, setTimeout(stopTimeoutMilliseconds, undefined, { ref: false })])
      await boss.stop({ graceful: false }).catch((error: unknown) => log.warn({ err: error }, 'The job queue could not give back its jobs'))
    },
  }
}

function watchConnection(pool: pg.Pool) {
  let isUp = true
  return {
    isUp: (): boolean => isUp,
    async executeSql(text: string, values?: unknown[]) {
      try {
        const result = await pool.query(text, values)
        isUp = true
        return result
      } catch (error) {
        isUp = !isUnavailable(error)
        throw error
      }
    },
  }
}

async function createQueues(boss: PgBoss): Promise<void> {
  const queues = [
    [deadLetters, deadLetterOptions],
    ...jobNames.map((name) => [name, deletions.includes(name) ? deletionOptions : queueOptions] as const),
  ] as const
  for (const [name, options] of queues) {
    await boss.createQueue(name, options)
    // One that an earlier version has made keeps its options otherwise.
    await boss.updateQueue(name, options)
  }
}

async function settle<Name extends JobName>(name: Name, handler: JobHandler<Name>, data: JobData[Name], log: Log) {
  try {
    await handler(data)
    return { status: 'completed' } as const
  } catch (error) {
    log.warn({ err: error, job: name }, 'A job failed; it is tried again later')
    return { status: 'failed', output: { message: error instanceof Error ? error.message : String(error) } } as const
  }
}
