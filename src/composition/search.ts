import { createConversationSearchRepository } from '../features/search/conversation-repository.ts'
import { createSearchIndexRepository } from '../features/search/index-repository.ts'
import { createSearchRepository } from '../features/search/repository.ts'
import { createSearchService } from '../features/search/service.ts'
import { createSearchUpkeep } from '../features/search/upkeep.ts'
import type { Foundation } from './foundation.ts'

export async function composeSearch({ config, database, db, jobs, log }: Foundation) {
  const upkeep = createSearchUpkeep({ db, index: createSearchIndexRepository(db), jobs, log })
  await jobs.work('search.index', upkeep.indexAll)
  await upkeep.setLanguage(config.searchLanguage)
  return {
    search: createSearchService({ search: createSearchRepository(database), conversations: createConversationSearchRepository() }),
    searchUpkeep: upkeep,
  }
}
