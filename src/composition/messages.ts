/** Messages: written, read, changed, and what becomes of those of somebody who goes. */
import type { ConversationService } from '../features/conversations/service.ts'
import type { FileService } from '../features/files/service.ts'
import { createAuthorship } from '../features/messages/authorship.ts'
import { createAuthorshipRepository } from '../features/messages/authorship-repository.ts'
import { createMessageChangeRepository } from '../features/messages/change-repository.ts'
import { createFilterRepository } from '../features/messages/filter-repository.ts'
import { publishStored } from '../features/messages/publication.ts'
import { createReactionRepository } from '../features/messages/reaction-repository.ts'
import { createMessageRepository } from '../features/messages/repository.ts'
import { createMessageService } from '../features/messages/service.ts'
import type { Foundation } from './foundation.ts'

interface Dependencies {
  conversations: ConversationService
  files: FileService
  /** Hears of every message that is stored for the first time. */
  onMessage(): void
}

export function composeMessages({ database, db, topics, clock, newId }: Foundation, { conversations, files, onMessage }: Dependencies) {
  const repository = createMessageRepository(database, {
    files,
    onStored: (written) => {
      if (written.created) onMessage()
      publishStored(topics, written)
    },
  })
  const changes = createMessageChangeRepository(db)
  const messages = createMessageService({
    ...{ messages: repository, filters: createFilterRepository(database), changes, reactions: createReactionRepository(database) },
    ...{ conversations, files, topics, clock, newId },
  })
  const authorship = createAuthorship({ authorship: createAuthorshipRepository(db), changes, files, topics, clock })
  return { messages, authorship }
}
