/**
 * The index of messages. PostgreSQL puts the words of a new message into a list beside it, which every search reads too, and sorts many of them in at once,
 * while a send waits for it when the list is full; so it is done here before. When the language changes, messages are indexed anew in the background, some
 * at a time; until that is done searches look for what is meant in both languages.
 */
import type { Executor } from '../../db/executor.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import type { SearchLanguage } from '../../search-languages.ts'
import type { Progress, SearchIndexRepository } from './index-repository.ts'

interface Dependencies {
  db: Executor
  index: SearchIndexRepository
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  log: Log
  /** Less than what a job may take. */
  sliceMilliseconds?: number
}

/** Searches hardly notice so many, one with a word that nobody has used sorts them in itself, and sorting in fewer at once costs more. */
const sortedInAtOnce = 2_000
/** Sends to their conversation wait for that long. */
const indexedAtOnce = 200
const charactersAtOnce = 100_000
/** Of a conversation whose messages are all indexed. */
const pastTheLast = Number.MAX_SAFE_INTEGER

export function createSearchUpkeep({ db, index, jobs, log, sliceMilliseconds = 20_000 }: Dependencies) {
  let waiting = 0
  let sorting = false

  const sortIn = async (): Promise<void> => {
    sorting = true
    waiting = 0
    await index.sortIn().catch((error: unknown) => log.warn({ err: error }, 'New words could not be sorted into the index of messages'))
    sorting = false
  }

  /** @returns how far it has come, undefined at the end */
  const indexSome = async ({ conversationId, seq }: Progress): Promise<Progress | undefined> => {
    const endsAt = performance.now() + sliceMilliseconds
    let last = conversationId
    let afterSeq = seq === pastTheLast ? undefined : seq
    do {
      if (last !== null && afterSeq !== undefined) {
        afterSeq = await index.indexMessages({ conversationId: last, afterSeq, count: indexedAtOnce, characters: charactersAtOnce })
      } else {
        const next = await index.nextConversation(last)
        if (next === undefined) return undefined
        await index.indexConversation(next)
        ;[last, afterSeq] = [next, 0]
      }
    } while (performance.now() < endsAt)
    return { conversationId: last, seq: afterSeq ?? pastTheLast }
  }

  return {
    /** To be told of every message that is stored. */
    noteMessage(): void {
      waiting += 1
      if (waiting >= sortedInAtOnce && !sorting) void sortIn()
    },

    /** Has messages indexed in this language, where they are not. To be called at the start. */
    async setLanguage(language: SearchLanguage): Promise<void> {
      const generation = await db.transaction(async (tx) => {
        const begun = await index.setLanguage(language, tx)
        if (begun !== undefined) await jobs.enqueue(tx, 'search.index', { generation: begun })
        return begun
      })
      if (generation === undefined) return
      log.info({ language }, 'Messages are indexed for the search')
      jobs.wake('search.index')
    },

    /** The job. It goes on from where the one before it ended, also when that was of an earlier generation. */
    async indexAll({ generation }: JobData['search.index']): Promise<void> {
      const progress = await index.progress(generation)
      if (progress === undefined) return
      const reached = await indexSome(progress)
      if (reached === undefined) return index.finish(generation)
      await db.transaction(async (tx) => {
        if (await index.keepProgress(generation, reached, tx)) await jobs.enqueue(tx, 'search.index', { generation })
      })
      jobs.wake('search.index')
    },
  }
}
