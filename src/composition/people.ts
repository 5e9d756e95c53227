/** Users among one another: the directory, presence and blocks; and what becomes of accounts: leaving, erasure, administration. */
import { createErasure } from '../features/accounts/erasure.ts'
import { createExportRepository } from '../features/accounts/export-repository.ts'
import { createNotices } from '../features/accounts/notices.ts'
import { createAccountRepository } from '../features/accounts/repository.ts'
import { createAccountService } from '../features/accounts/service.ts'
import { createFirstAdmin } from '../features/admin/first-admin.ts'
import { createAdminRepository } from '../features/admin/repository.ts'
import { createAdminService } from '../features/admin/service.ts'
import { requireGoodPassword } from '../features/auth/password-rules.ts'
import type { AvatarService } from '../features/avatars/service.ts'
import type { BlockService } from '../features/blocks/service.ts'
import type { ConversationService } from '../features/conversations/service.ts'
import type { FileService } from '../features/files/service.ts'
import type { Authorship } from '../features/messages/authorship.ts'
import type { MessageService } from '../features/messages/service.ts'
import { createAnnouncements } from '../features/presence/announcements.ts'
import { createAttendance, type PresenceTimes } from '../features/presence/attendance.ts'
import { createPresenceRepository } from '../features/presence/repository.ts'
import { createPresenceService, type PresenceService } from '../features/presence/service.ts'
import type { SecurityService } from '../features/security/service.ts'
import type { UserService } from '../features/users/service.ts'
import type { Foundation } from './foundation.ts'
import type { Identity } from './identity.ts'

export async function composePresence({ database, db, topics, bus, clock, log }: Foundation, times: PresenceTimes) {
  const repository = createPresenceRepository(database)
  const announcements = createAnnouncements({ presence: repository, connected: () => attendance.connected(), topics, log })
  const attendance = createAttendance({ db, presence: repository, bus, onChanged: announcements.announce, log, ...times })
  await attendance.start()
  return { presence: createPresenceService({ db, presence: repository, announcements, bus, clock }), attendance }
}

interface AccountDependencies {
  identity: Identity
  users: UserService
  security: SecurityService
  avatars: AvatarService
  files: FileService
  conversations: ConversationService
  messages: Pick<MessageService, 'eraseReactions'>
  authorship: Authorship
  blocks: BlockService
  presence: PresenceService
}

export async function composeAccounts(
  foundation: Foundation,
  { identity, users, security, avatars, files, conversations, messages, authorship, blocks, presence }: AccountDependencies,
) {
  const { config, db, log, clock, newId, jobs, mailer } = foundation
  const { passwords } = identity
  const repository = createAccountRepository(db)
  const exports = createExportRepository(db)
  const ends = { sessions: identity.sessions, apiKeys: identity.apiKeys }
  const accounts = createAccountService({ db, accounts: repository, exports, ends, users, messages: authorship, presence, security, jobs, clock })
  const erasure = createErasure({
    ...{ db, accounts: repository, users, ends, conversations, messages, clock, log },
    eraseMessages: config.erasedUsersMessages === 'erase' ? authorship.erase : undefined,
    eraseWithin: [avatars.eraseWithin, files.eraseWithin, ...identity.eraseWithin, blocks.eraseWithin, presence.eraseWithin, security.eraseWithin],
  })
  await jobs.work('accounts.erase', ({ userId }) => erasure.erase(userId))
  await jobs.work('accounts.mailNotice', createNotices({ users, mailer }))
  const admin = createAdminService({
    ...{ db, admin: createAdminRepository(db), users, accounts, sessions: identity.sessions, presence, security, jobs, clock, newId },
  })
  const { adminEmail: email, adminPassword: password } = config
  const firstAdmin = createFirstAdmin({ db, users, requireGoodPassword, passwords, security, clock, newId, log })
  if (email !== undefined && password !== undefined) await firstAdmin.ensure({ email, password })
  return { accounts, admin, erasure }
}
