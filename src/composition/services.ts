/** All services, each on those it needs, in order. */

import { createBlockRepository } from '../features/blocks/repository.ts'
import { createBlockService } from '../features/blocks/service.ts'
import type { PresenceTimes } from '../features/presence/attendance.ts'
import { createReceiptRepository } from '../features/receipts/repository.ts'
import { createReceiptService } from '../features/receipts/service.ts'
import { createSecurityRepository } from '../features/security/repository.ts'
import { createSecurityService } from '../features/security/service.ts'
import { createSyncRepository } from '../features/sync/repository.ts'
import { createSyncService } from '../features/sync/service.ts'
import { createDirectoryRepository } from '../features/users/directory-repository.ts'
import { createDirectoryService } from '../features/users/directory-service.ts'
import { createUserRepository } from '../features/users/repository.ts'
import { createUserService } from '../features/users/service.ts'
import { composeConversations } from './conversations.ts'
import { composeFiles } from './files.ts'
import type { Foundation } from './foundation.ts'
import { composeIdentity } from './identity.ts'
import { composeMessages } from './messages.ts'
import { composeAccounts, composePresence } from './people.ts'
import { composeSearch } from './search.ts'

interface Options {
  presenceTimes: PresenceTimes
  /** Where browsers reach this server; known once it listens. */
  publicUrl(): string
  /** Hears of every message that is stored for the first time. */
  onMessage(): void
}

export type Services = Awaited<ReturnType<typeof composeServices>>

export async function composeServices(foundation: Foundation, { presenceTimes, publicUrl, onMessage }: Options) {
  const { config, database, db, clock, newId, log, topics } = foundation
  const hideUnverified = config.registrationConflicts === 'hide'
  const userRepository = createUserRepository(db)
  const users = createUserService({ users: userRepository, hideUnverified, clock })
  const security = createSecurityService({ security: createSecurityRepository(db), clock, newId, log })
  const identity = await composeIdentity(foundation, { users, security, publicUrl })
  const { avatars, files } = await composeFiles(foundation, users)

  const { search, searchUpkeep } = await composeSearch(foundation)
  const { conversations, invites, publicGroups, retention } = await composeConversations(foundation, {
    ...{ users, files },
    sendMessage: (...send) => messages.send(...send),
    isSent: (...sent) => messages.isSent(...sent),
  })
  const { messages, authorship } = composeMessages(foundation, {
    conversations,
    files,
    onMessage() {
      onMessage()
      searchUpkeep.noteMessage()
    },
  })
  const receipts = createReceiptService({ receipts: createReceiptRepository(database), topics })
  const sync = createSyncService({ sync: createSyncRepository(database) })

  const { presence, attendance } = await composePresence(foundation, presenceTimes)
  const directory = createDirectoryService({ users: userRepository, directory: createDirectoryRepository(db), presence, hideUnverified })
  const blocks = createBlockService({ db, blocks: createBlockRepository(db), users, conversations, presence, clock })
  const { accounts, admin, erasure } = await composeAccounts(foundation, {
    ...{ identity, users, security, avatars, files, conversations, messages, authorship, blocks, presence },
  })
  return {
    ...{ ...identity, users, security, avatars, files, conversations, invites, publicGroups, retention, messages, receipts, sync },
    ...{ presence, attendance, directory, blocks, accounts, admin, erasure, search },
  }
}
