/** Conversations: who is in them, what becomes of them, and what leads into groups. */
import { conversationChanges } from '../features/conversations/changes.ts'
import type { CreationDependencies } from '../features/conversations/creation.ts'
import { createInviteRepository } from '../features/conversations/invite-repository.ts'
import { createInviteService } from '../features/conversations/invite-service.ts'
import { createConversationListRepository } from '../features/conversations/list-repository.ts'
import { createPublicGroupRepository } from '../features/conversations/public-group-repository.ts'
import { createPublicGroupService } from '../features/conversations/public-group-service.ts'
import { createConversationRepository } from '../features/conversations/repository.ts'
import { createRetention } from '../features/conversations/retention.ts'
import { createRetentionRepository } from '../features/conversations/retention-repository.ts'
import { createConversationService } from '../features/conversations/service.ts'
import type { FileService } from '../features/files/service.ts'
import type { Foundation } from './foundation.ts'

interface Dependencies extends Pick<CreationDependencies, 'users' | 'sendMessage' | 'isSent'> {
  files: Pick<FileService, 'discardWithin'>
}

export async function composeConversations({ database, db, topics, jobs, clock, newId, log }: Foundation, { users, files, sendMessage, isSent }: Dependencies) {
  const repository = createConversationRepository(database)
  const changes = conversationChanges({ conversations: repository, topics })
  const retention = createRetention({ changes, repository: createRetentionRepository(db), files, jobs, clock, log })
  await jobs.work('conversations.deleteOldMessages', ({ conversationId }) => retention.deleteOld(conversationId))
  const lists = createConversationListRepository(database)
  const conversations = createConversationService({
    ...{ conversations: repository, lists, changes, retention, users, sendMessage, isSent, topics, clock, newId },
  })
  const invites = createInviteService({ changes, conversations: repository, invites: createInviteRepository(db), clock, newId })
  const publicGroups = createPublicGroupService({ changes, groups: createPublicGroupRepository(database), clock })
  return { conversations, invites, publicGroups, retention }
}
