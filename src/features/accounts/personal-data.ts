/**
 * Every place in the database that refers to a user, and what becomes of it when users take their data along and when they go. A test
 * compares the list with the foreign keys that there are, so that a table that comes later cannot be forgotten.
 */
interface Place {
  /** The section of the export that it is in, or why it is in none. */
  exported: { section: string } | { because: string }
  /** Whether an erasure deletes it, or why it stays. */
  erased: true | { because: string }
}

const secret = { because: 'it holds secrets only, and of the moment' }
const shared = { because: 'others hold it too' }

/** By `<table>.<column>`, the column as the foreign key has it, or the one that holds an address. */
export const personalData: Readonly<Record<string, Place>> = {
  'sessions.user_id': { exported: { section: 'sessions' }, erased: true },
  'refresh_tokens.session_id': { exported: secret, erased: true },
  'api_keys.user_id': { exported: { section: 'apiKeys' }, erased: true },
  'oauth_accounts.user_id': { exported: { section: 'oauthAccounts' }, erased: true },
  'oauth_flows.user_id': { exported: secret, erased: true },
  'oauth_flows.session_id': { exported: secret, erased: true },
  'known_devices.user_id': { exported: { section: 'devices' }, erased: true },
  'email_codes.email': { exported: secret, erased: true },
  'password_resets.email': { exported: secret, erased: true },
  'blocks.blocker_id': { exported: { section: 'blockedUsers' }, erased: true },
  'blocks.blocked_id': { exported: { because: 'whom somebody has blocked is theirs to know' }, erased: true },
  'online_users.user_id': { exported: { because: 'it says no more than that a socket is open' }, erased: true },
  'security_events.user_id': { exported: { section: 'securityEvents' }, erased: true },
  'audit_log.actor_id': { exported: { section: 'auditLog' }, erased: { because: 'what administrators did stays on record' } },
  'audit_log.target_id': { exported: { section: 'auditLog' }, erased: { because: 'what administrators did stays on record' } },
  'conversations.created_by': { exported: { section: 'createdConversations' }, erased: shared },
  'invites.created_by': { exported: { section: 'invites' }, erased: true },
  'invites.conversation_id': { exported: { section: 'invites' }, erased: true },
  'members.user_id': { exported: { section: 'memberships' }, erased: shared },
  'members.conversation_id': { exported: { section: 'memberships' }, erased: shared },
  'message_versions.conversation_id, seq': { exported: { section: 'messages' }, erased: { because: 'they go with their message' } },
  'reactions.conversation_id, seq': { exported: { section: 'reactions' }, erased: { because: 'those of others stay where they are' } },
  'reactions.user_id': { exported: { section: 'reactions' }, erased: true },
  'files.conversation_id': { exported: { section: 'files' }, erased: { because: 'those that messages have go with the messages' } },
  'files.owner_id': { exported: { section: 'files' }, erased: { because: 'those that messages have go with the messages' } },
  'file_usage.user_id': { exported: { because: 'it is the sum of the files' }, erased: true },
  'messages.conversation_id, sender_id': { exported: { section: 'messages' }, erased: { because: 'they stay as those of a deleted user, or are emptied' } },
}
