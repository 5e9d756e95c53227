/**
 * The index of messages. PostgreSQL puts the words of a new message into a list beside it, which every search reads too, and sorts many of them in at once,
 * while a send waits for it when the list is full; so it is done here before. When the language changes, messages are indexed anew in the background, some
 * at a time; until that is done searches look for what is meant in both languages.
 */
import type { ConversationId } from '../../../openapi/shared/ids.ts'
import type { Executor } from '../../db/executor.ts'
import type { JobData } from '../../jobs/job-types.ts'
import type { Jobs } from '../../jobs/queue.ts'
import type { Log } from '../../log.ts'
import type { SearchLanguage } from '../../search-languages.ts'
import type { SearchIndexRepository } from './index-repository.ts'

interface Dependencies {
  db: Executor
  index: SearchIndexRepository
  jobs: Pick<Jobs, 'enqueue' | 'wake'>
  log: Log
}

/** Some megabytes of words: searches hardly notice, and sorting in fewer at once costs more. */
const sortedInAtOnce = 5_000
/** Sends to their conversation wait for that long. */
const indexedAtOnce = 200
/** Less than what a job may take. */
const sliceMilliseconds = 20_000

export function createSearchUpkeep({ db, index, jobs, log }: Dependencies) {
  let waiting = 0
  let sorting = false

  const sortIn = async (): Promise<void> => {
    sorting = true
    waiting = 0
    await index.sortIn().catch((error: unknown) => log.warn({ err: error }, 'New words could not be sorted into the index of messages'))
    sorting = false
  }

  /** @returns where to go on, undefined at the end */
  const indexSome = async (from: ConversationId | undefined): Promise<ConversationId | undefined> => {
    const endsAt = performance.now() + sliceMilliseconds
    let last = from
    while (performance.now() < endsAt) {
      const next = await index.nextConversation(last)
      if (next === undefined) return undefined
      for (let seq: number | undefined = 0; seq !== undefined; ) seq = await index.indexAgain({ conversationId: next, afterSeq: seq, count: indexedAtOnce })
      last = next
    }
    return last
  }

  return {
    /** To be told of every message that is stored. */
    noteMessage(): void {
      waiting += 1
      if (waiting >= sortedInAtOnce && !sorting) void sortIn()
    },

    /** Has messages indexed in this language, where they are not. To be called at the start. */
    async setLanguage(language: SearchLanguage): Promise<void> {
      const isComplete = await db.transaction(async (tx) => {
        const isIndexed = await index.setLanguage(language, tx)
        if (!isIndexed) await jobs.enqueue(tx, 'search.index', { language })
        return isIndexed
      })
      if (isComplete) return
      log.info({ language }, 'Messages are indexed for the search')
      jobs.wake('search.index')
    },

    /** The job. */
    async indexAll({ language, afterConversationId }: JobData['search.index']): Promise<void> {
      if ((await index.language()) !== language) return
      const last = await indexSome(afterConversationId)
      if (last === undefined) return index.finish(language)
      await jobs.enqueue(db, 'search.index', { language, afterConversationId: last })
      jobs.wake('search.index')
    },
  }
}
