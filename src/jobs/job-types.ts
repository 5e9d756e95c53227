import type { ApiKeyScope } from '../../openapi/api-keys/schemas.ts'
import type { ConversationId, FileId, UserId } from '../../openapi/shared/ids.ts'

/** With a mailed token, or with the old one. */
export type PasswordChange = 'reset' | 'changed'

/** Every kind of job, and what it needs to know. Jobs wait in the database across versions: add fields as optional ones. */
export interface JobData {
  /** `requestId` is a UUIDv7: it tells which of two requests is the later one. */
  'auth.mailCode': { email: string; requestId: string; isRegistration?: boolean; ip?: string }
  /** `at` is ISO 8601. */
  'auth.mailNewDevice': { userId: UserId; device: string; ip: string; at: string }
  /** `at` and `expiresAt` are ISO 8601; `hint` is how the key ends, `provider` what the provider is called. */
  'auth.mailNewCredential': { userId: UserId; ip: string; at: string } & (
    | { credential: 'api_key'; hint: string; scope: ApiKeyScope; expiresAt?: string }
    | { credential: 'oauth_account'; provider: string }
  )
  'auth.mailPasswordReset': { email: string; requestId: string; ip: string }
  'auth.mailPasswordNotice': { userId: UserId; change: PasswordChange }
  'accounts.erase': { userId: UserId }
  /** `deletionAt` is ISO 8601. */
  'accounts.mailNotice': { userId: UserId } & ({ notice: 'deletion_scheduled'; deletionAt: string } | { notice: 'deletion_cancelled' })
  /** A picture that was stored for this user. */
  'avatars.deleteUnused': { userId: UserId; key: string }
  /** Of a conversation that keeps messages for another time than before. */
  'conversations.deleteOldMessages': { conversationId: ConversationId }
  /** Of the object storage. */
  'objects.delete': { keys: string[] }
  /** A file that was to be stored. */
  'files.deleteUnused': { fileId: FileId }
  /** For the search; how far it has come is kept with the index. Of another generation than that one's it has nothing to do. */
  'search.index': { generation: number }
}

export type JobName = keyof JobData

export const jobNames: readonly JobName[] = [
  'auth.mailCode',
  'auth.mailNewDevice',
  'auth.mailNewCredential',
  'auth.mailPasswordReset',
  'auth.mailPasswordNotice',
  'accounts.erase',
  'accounts.mailNotice',
  'avatars.deleteUnused',
  'conversations.deleteOldMessages',
  'objects.delete',
  'files.deleteUnused',
  'search.index',
]
