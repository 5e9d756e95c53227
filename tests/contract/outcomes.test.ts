/**
 * Everything the contract says can happen does happen here, once at least: every operation's every success and error, every event,
 * every answer to every command. What is declared and never seen fails the last test.
 */
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Parley } from '@parley/sdk'
import type { TSchema } from '@sinclair/typebox'
import t from 'tap'
import { errorsOf, errorsOfCommand, type Operation } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import { changeEvents, commands, signalEvents } from '../../openapi/realtime/frames.ts'
import { type ErrorCode, errorCatalog } from '../../openapi/shared/errors.ts'
import type { FileId, UserId } from '../../openapi/shared/ids.ts'
import { deriveKeys } from '../../src/features/auth/keys.ts'
import { createFileLinks } from '../../src/features/files/links.ts'
import { frameErrors } from '../helpers/contract-guard.ts'
import { createTestDatabase } from '../helpers/database.ts'
import { formOf, tinyPng } from '../helpers/form.ts'
import { cameBack, githubEnv, refusedAtGitHub, startSearch } from '../helpers/oauth-flow.ts'
import { startProxy } from '../helpers/proxy.ts'
import { startScriptedS3 } from '../helpers/s3.ts'
import { jwtSecret, startServer, type TestServer } from '../helpers/server.ts'

const seen = new Set<string>()
const password = 'correct horse battery'

const operationOf = (operationId: string): Operation => {
  const operation = allOperations.find((one) => one.operationId === operationId)
  if (operation === undefined) throw new Error(`There is no operation ${operationId}`)
  return operation
}

interface Parts {
  params?: Record<string, string>
  search?: string
  body?: unknown
  token?: string
  headers?: Record<string, string>
}

/** Queries without which an operation does nothing. */
const searches: Record<string, string> = {
  'auth.startOAuth': startSearch,
  'auth.finishOAuth': '?state=unknown',
  'search.messages': '?q=a',
  'search.conversations': '?q=a',
}

/** Of a file that nobody has. */
const brokenLink = createFileLinks(deriveKeys([jwtSecret], 'file-links')).sign({
  ...{ fileId: randomUUID() as FileId, userId: randomUUID() as UserId },
  ...{ thumbnail: false, expiresAt: new Date(Date.now() + 3_600_000) },
})

/** What stands for a param that is not given. */
const anyParams: Record<string, string> = { provider: 'github', token: brokenLink, avatarKey: 'a'.repeat(22) }

/** Calls an operation; a body that is not given is the contract's first example, a param any id. */
function call(
  server: TestServer,
  operation: Operation,
  { params = {}, search = searches[operation.operationId] ?? '', body = exampleOf(operation), token, headers = {} }: Parts = {},
) {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? anyParams[name] ?? randomUUID())
  return server.request(operation.method, path + search, { headers, ...(body !== undefined && { body }), ...(token && { token }) })
}

function exampleOf(operation: Operation): unknown {
  const [example] = Object.values(operation.examples ?? {})
  return operation.multipart ? formOf(operation, example) : example
}

/** Everything the guard of this server sees counts. */
async function start(...[test, options]: Parameters<typeof startServer>) {
  const server = await startServer(test, { ...options, env: { ...githubEnv, ...options?.env } })
  test.teardown(() => {
    for (const outcome of server.guard.seen) seen.add(outcome)
  })
  return server
}

/** Waits for what comes about by itself; the test's own time limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

t.test('every operation answers as it declares when all is well, and when it cannot do what is asked', async (t) => {
  const server = await start(t)
  const [alice, bob, carol, stranger] = [await server.signUp(), await server.signUp(), await server.signUp(), await server.signUp()]
  const suspended = await server.signUp()
  await server.database.pool.query('update users set suspended_at = now() where id = $1', [suspended.id])
  const { conversation: direct } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const { conversation: group } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id, carol.id], title: 'Lunch' })
  const { message } = await alice.api.conversations.sendMessage(group.id, { content: 'Hello', clientId: 'taken' })
  const { message: deleted } = await alice.api.conversations.sendMessage(group.id, { content: 'Gone' })
  await alice.api.messages.delete(deleted.id)
  const { message: toBob } = await alice.api.conversations.sendMessage(direct.id, { content: 'Hello' })
  const { message: second } = await alice.api.conversations.sendMessage(direct.id, { content: 'Are you there?' })
  await server.database.pool.query(
    `update members set read_ranges = (select range_agg(int8range(2 * n, 2 * n + 1)) from generate_series(101, 1100) n)
      where conversation_id = $1 and user_id = $2`,
    [direct.id, bob.id],
  )
  const { conversation: over } = await alice.api.conversations.create({ type: 'group', memberIds: [], clientId: 'over' })
  await alice.api.conversations.archive(over.id)
  const { conversation: open } = await alice.api.conversations.create({ type: 'group', memberIds: [], isPrivate: false })
  const { invite } = await alice.api.conversations.createInvite(open.id, {})
  await alice.api.auth.register({ email: 'unverified@example.com', password })
  await alice.api.auth.register({ email: 'verified@example.com', password })
  const verified = await server.client().auth.verifyEmail({ email: 'verified@example.com', code: '000000' })

  await alice.api.auth.register({ email: 'suspended@example.com', password })
  await server.client().auth.verifyEmail({ email: 'suspended@example.com', code: '000000' })
  await server.database.pool.query("update users set suspended_at = now() where email = 'suspended@example.com'")
  const changing = await server.client().auth.login({ identifier: 'verified@example.com', password })
  await server.client().auth.forgotPassword({ email: carol.email })
  const resetToken = async () => (await server.mails()).map(({ text }) => /^[A-Za-z0-9_-]{43}$/m.exec(text ?? '')?.[0]).find((token) => token !== undefined)
  await until(async () => (await resetToken()) !== undefined)

  const refresh = async (refreshToken: string): Promise<string> =>
    (await call(server, operationOf('auth.refresh'), { body: { refreshToken } })).json.refreshToken
  const usedTwice = verified.refreshToken
  await refresh(await refresh(usedTwice))
  const fresh = await server.client().auth.verifyEmail({ email: stranger.email, code: '000000' })
  const [spent, turning] = [await server.client().auth.login({ identifier: 'verified@example.com', password }), await signInAgain(server, bob.email)]
  await refresh(spent.refreshToken)
  const own = await signInAgain(server, stranger.email)

  const of = (conversationId: string, userId?: string) => ({ conversationId, ...(userId && { userId }) })
  const [asAlice, asBob, asStranger] = [{ token: alice.accessToken }, { token: bob.accessToken }, { token: stranger.accessToken }]
  const ofFile = (fileId: string) => ({ fileId })
  const [unsent, sent] = [await upload(alice.api), await upload(alice.api)]
  await alice.api.conversations.sendMessage(group.id, { attachments: [sent.id] })
  await server.database.pool.query('insert into file_usage (user_id, used_bytes) values ($1, 1073741824)', [bob.id])
  const linkToken = (await alice.api.files.createLink(unsent.id)).url.split('/').at(-1) ?? ''
  const unknown = randomUUID()
  const { avatarUrl } = await bob.api.users.setAvatar({ file: new Blob([tinyPng]) })
  const avatarKey = avatarUrl?.split('/').at(-1) ?? ''
  const administrator = await signUpAdministrator(server)
  const asAdmin = { token: administrator.token }
  const leaving = await server.signUp()
  const { apiKey } = await alice.api.apiKeys.create({ name: 'Bot', scope: 'write' })
  await server.database.pool.query(
    `insert into api_keys (id, user_id, name, scope, key_hash, hint, created_at)
      select gen_random_uuid(), $1, 'One of many', 'read', number, 'none', now() from generate_series(1, 50) number`,
    [bob.id],
  )

  /** What is asked, and the status or the error that it is answered by; in this order. */
  const cases: [operationId: string, answer: number | ErrorCode, parts: Parts][] = [
    ['auth.register', 201, { body: { email: 'new@example.com', password, username: 'somebody' } }],
    ['auth.register', 'conflict', { body: { email: alice.email } }],
    ['auth.requestCode', 202, { body: { email: alice.email } }],
    ['auth.verifyEmail', 200, { body: { email: alice.email, code: '000000' } }],
    ['auth.verifyEmail', 'invalid_code', { body: { email: alice.email, code: '999999' } }],
    ['auth.login', 200, { body: { identifier: 'verified@example.com', password } }],
    ['auth.login', 'invalid_credentials', { body: { identifier: 'verified@example.com', password: 'wrong' } }],
    ['auth.login', 'email_not_verified', { body: { identifier: 'unverified@example.com', password } }],
    ['auth.login', 'account_suspended', { body: { identifier: 'suspended@example.com', password } }],
    ['auth.verifyEmail', 'account_suspended', { body: { email: 'suspended@example.com', code: '000000' } }],
    ['auth.refresh', 200, { body: { refreshToken: fresh.refreshToken } }],
    ['auth.refresh', 'unauthorized', { body: { refreshToken: `rt_${'a'.repeat(43)}` } }],
    ['auth.refresh', 'token_family_compromised', { body: { refreshToken: usedTwice } }],
    ['auth.me', 200, asAlice],
    ['auth.listSessions', 200, { ...asAlice, search: '?limit=1' }],
    ['auth.startCookieSession', 200, { body: { refreshToken: turning.refreshToken } }],
    ['auth.startCookieSession', 'unauthorized', { body: { refreshToken: turning.refreshToken } }],
    ['auth.startCookieSession', 'token_family_compromised', { body: { refreshToken: spent.refreshToken } }],
    ['auth.revokeSession', 'not_found', { ...asAlice, params: { sessionId: own.sessionId } }],
    ['auth.revokeAll', 200, { ...asAlice, body: { exceptCurrent: true } }],
    ['auth.forgotPassword', 202, { body: { email: alice.email } }],
    ['auth.resetPassword', 204, { body: { token: await resetToken(), password } }],
    ['auth.resetPassword', 'invalid_token', { body: { token: await resetToken(), password } }],
    ['auth.changePassword', 'invalid_credentials', { token: changing.accessToken, body: { currentPassword: 'wrong', newPassword: password } }],
    ['auth.changePassword', 204, { token: changing.accessToken, body: { currentPassword: password, newPassword: 'better horse battery' } }],

    ['auth.listOAuthProviders', 200, {}],
    ['auth.startOAuth', 302, {}],
    ['auth.startOAuth', 'not_found', { params: { provider: 'nobody' } }],
    ['auth.finishOAuth', 302, await refusedAtGitHub(server)],
    ['auth.finishOAuth', 'not_found', { params: { provider: 'nobody' } }],
    ['auth.finishOAuth', 'invalid_token', {}],
    ['auth.exchangeOAuth', 200, { body: await cameBack(server, alice.id) }],
    ['auth.exchangeOAuth', 'invalid_token', {}],
    ['auth.exchangeOAuth', 'account_suspended', { body: await cameBack(server, suspended.id) }],

    ['users.getMe', 200, asAlice],
    ['users.updateMe', 200, { ...asAlice, body: { username: 'alice' } }],
    ['users.updateMe', 'conflict', { ...asBob, body: { username: 'ALICE' } }],
    ['users.list', 200, { ...asAlice, search: '?search=ali' }],
    ['users.get', 200, { ...asAlice, params: { userId: bob.id } }],
    ['users.get', 'not_found', asAlice],
    ['users.setAvatar', 200, asAlice],
    ['users.getAvatar', 200, { params: { avatarKey } }],
    ['users.getAvatar', 304, { params: { avatarKey }, headers: { 'if-none-match': '*' } }],
    ['users.getAvatar', 'not_found', { params: { avatarKey: 'a'.repeat(22) } }],
    ['users.deleteAvatar', 200, asAlice],

    ['apiKeys.create', 201, asAlice],
    ['apiKeys.create', 'forbidden', { ...asAlice, body: { name: 'Bot', scope: 'admin' } }],
    ['apiKeys.create', 'conflict', asBob],
    ['apiKeys.list', 200, { ...asAlice, search: '?limit=1' }],
    ['apiKeys.revoke', 204, { ...asAlice, params: { apiKeyId: apiKey.id } }],
    ['apiKeys.revoke', 'not_found', { ...asAlice, params: { apiKeyId: apiKey.id } }],
    ['security.listEvents', 200, { ...asAlice, search: '?limit=1' }],
    ['security.listEvents', 'not_found', { ...asAlice, search: `?userId=${bob.id}` }],
    ['security.getStats', 200, asAlice],
    ['security.getStats', 'not_found', { ...asAlice, search: `?userId=${bob.id}` }],
    ['admin.listAuditLog', 200, asAdmin],
    ['admin.listUsers', 200, { ...asAdmin, search: '?limit=1' }],
    ['admin.getUser', 200, { ...asAdmin, params: { userId: alice.id } }],
    ['admin.getUser', 'not_found', asAdmin],
    ['admin.revokeSessions', 200, { ...asAdmin, params: { userId: suspended.id } }],
    ['admin.revokeSessions', 'not_found', asAdmin],
    ['users.create', 201, asAdmin],
    ['users.create', 'conflict', { ...asAdmin, body: { email: alice.email } }],
    ['users.update', 200, { ...asAdmin, params: { userId: suspended.id } }],
    ['users.update', 'not_found', asAdmin],
    ['users.update', 'conflict', { ...asAdmin, params: { userId: administrator.id }, body: { role: 'user' } }],
    ['users.delete', 202, { ...asAdmin, params: { userId: suspended.id } }],
    ['users.delete', 'not_found', asAdmin],
    ['users.delete', 'conflict', { ...asAdmin, params: { userId: administrator.id } }],
    ['users.exportMe', 200, asAlice],
    ['users.deleteMe', 202, { token: leaving.accessToken, body: { confirmEmail: leaving.email } }],
    ['users.deleteMe', 'conflict', { ...asAdmin, body: { confirmEmail: administrator.email } }],

    ['conversations.create', 201, { ...asAlice, body: { type: 'group', memberIds: [], clientId: 'once' } }],
    ['conversations.create', 200, { ...asAlice, body: { type: 'group', memberIds: [] }, headers: { 'idempotency-key': 'once' } }],
    ['conversations.create', 'not_found', { ...asAlice, body: { type: 'direct', memberIds: [unknown] } }],
    ['conversations.list', 200, { ...asAlice, search: '?limit=1' }],
    ['conversations.get', 200, { ...asAlice, params: of(group.id) }],
    ['conversations.get', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.update', 200, { ...asAlice, params: of(group.id) }],
    ['conversations.update', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.update', 'forbidden', { ...asBob, params: of(group.id) }],
    ['conversations.listMembers', 200, { ...asBob, params: of(group.id) }],
    ['conversations.listMembers', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.addMembers', 200, { ...asAlice, params: of(group.id), body: { userIds: [bob.id] } }],
    ['conversations.addMembers', 'not_found', { ...asAlice, params: of(group.id), body: { userIds: [unknown] } }],
    ['conversations.addMembers', 'forbidden', { ...asBob, params: of(group.id), body: { userIds: [stranger.id] } }],
    ['conversations.addMembers', 'conflict', { ...asBob, params: of(direct.id), body: { userIds: [stranger.id] } }],
    ['conversations.create', 'conflict', { ...asAlice, body: { type: 'group', memberIds: [], clientId: 'over', initialMessage: { content: 'Hello' } } }],
    ['conversations.updateMembership', 200, { ...asBob, params: of(group.id) }],
    ['conversations.updateMembership', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.archive', 204, { ...asAlice, params: of(over.id) }],
    ['conversations.archive', 'not_found', { ...asStranger, params: of(over.id) }],
    ['conversations.setTyping', 'conflict', { ...asAlice, params: of(over.id) }],
    ['conversations.archive', 'forbidden', { ...asBob, params: of(group.id) }],
    ['conversations.createInvite', 201, { ...asAlice, params: of(group.id) }],
    ['conversations.createInvite', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.createInvite', 'forbidden', { ...asBob, params: of(group.id) }],
    ['conversations.createInvite', 'conflict', { ...asAlice, params: of(direct.id) }],
    ['conversations.listInvites', 200, { ...asAlice, params: of(group.id), search: '?limit=1' }],
    ['conversations.listInvites', 'forbidden', { ...asBob, params: of(group.id) }],
    ['conversations.listInvites', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.getInvite', 200, { ...asBob, params: { code: invite.code } }],
    ['conversations.getInvite', 'not_found', { ...asBob, params: { code: unknown } }],
    ['conversations.acceptInvite', 200, { ...asBob, params: { code: invite.code } }],
    ['conversations.acceptInvite', 'not_found', { ...asBob, params: { code: unknown } }],
    ['conversations.revokeInvite', 'forbidden', { ...asBob, params: { ...of(open.id), inviteId: invite.id } }],
    ['conversations.revokeInvite', 'not_found', { ...asStranger, params: { ...of(open.id), inviteId: invite.id } }],
    ['conversations.revokeInvite', 204, { ...asAlice, params: { ...of(open.id), inviteId: invite.id } }],
    ['conversations.listPublic', 200, { ...asStranger, search: '?search=lunch' }],
    ['conversations.join', 200, { ...asStranger, params: of(open.id) }],
    ['conversations.join', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.updateMember', 200, { ...asAlice, params: of(group.id, bob.id), body: { role: 'admin' } }],
    ['conversations.updateMember', 'not_found', { ...asAlice, params: of(group.id, stranger.id) }],
    ['conversations.updateMember', 'forbidden', { ...asBob, params: of(group.id, carol.id) }],
    ['conversations.updateMember', 'conflict', { ...asAlice, params: of(group.id, alice.id), body: { role: 'member' } }],
    ['conversations.removeMember', 'not_found', { ...asStranger, params: of(group.id, carol.id) }],
    ['conversations.removeMember', 'forbidden', { ...asBob, params: of(group.id, alice.id) }],
    ['conversations.removeMember', 'conflict', { ...asAlice, params: of(direct.id, bob.id) }],
    ['conversations.removeMember', 204, { ...asAlice, params: of(group.id, carol.id) }],
    ['conversations.markRead', 200, { ...asBob, params: of(group.id), body: { seq: 1 } }],
    ['conversations.markRead', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.setTyping', 204, { ...asBob, params: of(group.id) }],
    ['conversations.setTyping', 'not_found', { ...asStranger, params: of(group.id) }],

    ['conversations.sendMessage', 201, { ...asBob, params: of(group.id) }],
    ['conversations.sendMessage', 'not_found', { ...asStranger, params: of(group.id) }],
    ['conversations.sendMessage', 'conflict', { ...asAlice, params: of(direct.id), body: { content: 'Hello', clientId: 'taken' } }],
    ['messages.list', 200, { ...asBob, params: of(group.id), search: '?limit=1' }],
    ['messages.list', 'not_found', { ...asBob, params: of(group.id), search: `?before=${unknown}` }],
    ['messages.get', 200, { ...asBob, params: { messageId: message.id } }],
    ['messages.get', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.update', 200, { ...asAlice, params: { messageId: message.id } }],
    ['messages.update', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.update', 'forbidden', { ...asBob, params: { messageId: message.id } }],
    ['messages.update', 'conflict', { ...asAlice, params: { messageId: deleted.id } }],
    ['messages.listHistory', 200, { ...asBob, params: { messageId: message.id } }],
    ['messages.listHistory', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.addReaction', 200, { ...asBob, params: { messageId: message.id, emoji: '👍' } }],
    ['messages.addReaction', 'not_found', { ...asStranger, params: { messageId: message.id, emoji: '👍' } }],
    ['messages.addReaction', 'conflict', { ...asBob, params: { messageId: deleted.id, emoji: '👍' } }],
    ['messages.listReactions', 200, { ...asAlice, params: { messageId: message.id } }],
    ['messages.listReactions', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.removeReaction', 204, { ...asBob, params: { messageId: message.id, emoji: '👍' } }],
    ['messages.removeReaction', 'not_found', { ...asStranger, params: { messageId: message.id, emoji: '👍' } }],
    ['conversations.markDelivered', 200, { ...asBob, params: of(group.id), body: { seq: 1 } }],
    ['conversations.markDelivered', 'not_found', { ...asStranger, params: of(group.id) }],
    ['messages.markRead', 200, { ...asBob, body: { messageIds: [message.id] } }],
    ['messages.markRead', 'not_found', { ...asStranger, body: { messageIds: [message.id] } }],
    ['messages.markRead', 'conflict', { ...asBob, body: { messageIds: [second.id] } }],
    ['messages.listReceipts', 200, { ...asAlice, params: { messageId: message.id } }],
    ['messages.listReceipts', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.delete', 204, { ...asAlice, params: { messageId: message.id } }],
    ['messages.delete', 'not_found', { ...asStranger, params: { messageId: message.id } }],
    ['messages.delete', 'forbidden', { ...asBob, params: { messageId: toBob.id } }],
    ['search.messages', 200, { ...asBob, search: '?q=hello' }],
    ['search.messages', 'not_found', { ...asStranger, search: `?q=hello&conversationId=${group.id}` }],
    ['search.conversations', 200, { ...asBob, search: '?q=lunch' }],
    ['messages.send', 201, { ...asAlice, body: { recipientId: stranger.id, content: 'Hello' } }],
    ['messages.send', 'not_found', { ...asAlice, body: { recipientId: unknown, content: 'Hello' } }],
    ['messages.send', 'conflict', { ...asAlice, body: { recipientId: alice.id, content: 'Hello' } }],

    ['users.setPresence', 200, asAlice],
    ['users.block', 200, { ...asAlice, params: { userId: bob.id } }],
    ['users.block', 'conflict', { ...asAlice, params: { userId: alice.id } }],
    ['users.block', 'not_found', { ...asAlice, params: { userId: unknown } }],
    ['users.listBlocked', 200, { ...asAlice, search: '?limit=1' }],
    ['conversations.sendMessage', 'forbidden', { ...asBob, params: of(direct.id), body: { content: 'Hello' } }],
    ['conversations.setTyping', 'forbidden', { ...asBob, params: of(direct.id) }],
    ['messages.send', 'forbidden', { ...asBob, body: { recipientId: alice.id, content: 'Hello' } }],
    ['messages.addReaction', 'forbidden', { ...asBob, params: { messageId: toBob.id, emoji: '👍' } }],
    ['users.unblock', 204, { ...asAlice, params: { userId: bob.id } }],
    ['users.unblock', 'not_found', { ...asAlice, params: { userId: unknown } }],
    ['users.block', 200, { ...asStranger, params: { userId: bob.id } }],
    ['conversations.create', 'forbidden', { ...asBob, body: { type: 'direct', memberIds: [stranger.id] } }],
    ['files.upload', 201, asAlice],
    ['files.upload', 'quota_exceeded', asBob],
    ['files.get', 200, { ...asAlice, params: ofFile(unsent.id) }],
    ['files.get', 'not_found', { ...asBob, params: ofFile(unsent.id) }],
    ['files.getContent', 200, { ...asAlice, params: ofFile(unsent.id) }],
    ['files.getContent', 206, { ...asAlice, params: ofFile(unsent.id), headers: { range: 'bytes=0-0' } }],
    ['files.getContent', 304, { ...asAlice, params: ofFile(unsent.id), headers: { 'if-none-match': '*' } }],
    ['files.getContent', 'not_found', { ...asBob, params: ofFile(unsent.id) }],
    ['files.getContent', 'range_not_satisfiable', { ...asAlice, params: ofFile(unsent.id), headers: { range: 'bytes=9999-' } }],
    ['files.createLink', 201, { ...asAlice, params: ofFile(unsent.id) }],
    ['files.createLink', 'not_found', { ...asBob, params: ofFile(unsent.id) }],
    ['files.getLinked', 200, { params: { token: linkToken } }],
    ['files.getLinked', 206, { params: { token: linkToken }, headers: { range: 'bytes=0-0' } }],
    ['files.getLinked', 304, { params: { token: linkToken }, headers: { 'if-none-match': '*' } }],
    ['files.getLinked', 'range_not_satisfiable', { params: { token: linkToken }, headers: { range: 'bytes=9999-' } }],
    ['files.getLinked', 'not_found', {}],
    ['files.delete', 'conflict', { ...asAlice, params: ofFile(sent.id) }],
    ['files.delete', 'forbidden', { ...asBob, params: ofFile(sent.id) }],
    ['files.delete', 204, { ...asAlice, params: ofFile(unsent.id) }],
    ['files.delete', 'not_found', { ...asAlice, params: ofFile(unsent.id) }],
    ['sync.pull', 200, { ...asBob, body: { cursors: { [group.id]: 0, [unknown]: 7 } } }],

    ['system.health', 200, {}],
    ['system.ready', 200, {}],
    ['system.metrics', 200, {}],
    ['system.openapi', 200, {}],
    ['system.asyncapi', 200, {}],
    ['system.postman', 200, {}],
    ['auth.logout', 204, { token: fresh.accessToken }],
    ['auth.revokeSession', 204, { ...asStranger, params: { sessionId: own.sessionId } }],
  ]
  for (const [operationId, answer, parts] of cases) {
    const { status, json } = await call(server, operationOf(operationId), parts)
    t.same(json?.error?.code ?? status, answer, `${operationId} answers ${answer}`)
  }
})

const upload = (api: Parley) => api.files.upload({ file: new Blob([tinyPng]) })

/** The token of somebody who may call every operation. */
async function signUpAdministrator(server: TestServer): Promise<{ token: string; id: string; email: string }> {
  const { email, id } = await server.signUp()
  await server.database.pool.query("update users set role = 'admin' where id = $1", [id])
  return { token: (await server.client().auth.verifyEmail({ email, code: '000000' })).accessToken, id, email }
}

/** Another session of somebody. */
async function signInAgain(server: TestServer, email: string) {
  const { accessToken, refreshToken } = await server.client().auth.verifyEmail({ email, code: '000000' })
  const { items } = await server.client({ accessToken }).auth.listSessions()
  return { refreshToken, sessionId: items.find(({ current }) => current)?.id ?? '' }
}

t.test('every operation refuses what is no request of its own', async (t) => {
  const server = await start(t)
  const [{ token }, alice] = [await signUpAdministrator(server), await server.signUp()]
  const { key } = await alice.api.apiKeys.create({ name: 'Reader', scope: 'read' })
  for (const operation of allOperations) {
    const asks = async (parts: Parts, code: ErrorCode) => {
      const { status, json } = await call(server, operation, { token, ...parts })
      t.same([status, json?.error.code], [errorCatalog[code].status, code], `${operation.operationId}: ${code}`)
    }
    const json = { 'content-type': 'application/json' }
    await asks({ search: '?unknown=1' }, 'validation_error')
    for (const [name, { type }] of Object.entries<TSchema>(operation.query?.properties ?? {})) {
      if (type !== 'integer') continue
      for (const odd of ['Infinity', '-1e999', 'NaN', '0x10', '%205', '5.5', '9'.repeat(30)]) await asks({ search: `?${name}=${odd}` }, 'validation_error')
    }
    if (operation.access !== 'public') await asks({ token: '' }, 'unauthorized')
    if (operation.access === 'admin') await asks({ token: alice.accessToken }, 'forbidden')
    if (errorsOf(operation).includes('insufficient_scope')) await asks({ token: key }, 'insufficient_scope')
    // A form of somebody else's page, in a browser that has a session.
    const forged = { cookie: 'parley=any', origin: 'https://elsewhere.example' }
    if (errorsOf(operation).includes('csrf_rejected')) await asks({ token: '', headers: forged }, 'csrf_rejected')
    if (operation.method === 'GET') continue
    await asks({ body: 'text', headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type')
    if (operation.multipart) {
      await asks({ body: {} }, 'unsupported_media_type')
      await asks({ body: formOf(operation, Object.values(operation.examples ?? {})[0], new Uint8Array(17 * 1_048_576)) }, 'payload_too_large')
      continue
    }
    await asks({ body: new FormData() }, 'unsupported_media_type')
    await asks({ body: '{"half":', headers: json }, 'malformed_json')
    await asks({ body: `"${'a'.repeat(1_048_576)}"`, headers: json }, 'payload_too_large')
  }
})

t.test('every limited operation says when its limit is used up', async (t) => {
  const names = ['AUTH', 'DEFAULT', 'MESSAGES', 'UPLOADS', 'PUBLIC']
  const server = await start(t, { env: Object.fromEntries(names.map((name) => [`RATE_LIMIT_${name}`, '2/1h'])) })
  const { accessToken: token, id } = await server.signUp()
  const socket = await server.socket(token)
  // Signing out would make the caller another one: it comes when there is nothing left.
  const operations = allOperations.filter(({ rateLimit }) => rateLimit !== 'none')
  for (const operation of operations.toSorted((a, b) => Number(a.operationId === 'auth.logout') - Number(b.operationId === 'auth.logout'))) {
    await call(server, operation, { token })
    await call(server, operation, { token })
    const { status, json, headers } = await call(server, operation, { token })
    t.same([status, json.error.code], [429, 'rate_limit_exceeded'], operation.operationId)
    t.match(headers.get('retry-after'), /^\d+$/)
  }
  socket.send({ type: 'conversations.setTyping', id: 1, data: { conversationId: id, typing: true } })
  t.equal((await socket.frame(({ type }) => type === 'error')).error?.code, 'rate_limit_exceeded')
})

t.test('while the database is away every operation says so and tells nothing else, and afterwards all goes on by itself', async (t) => {
  const proxied = await createTestDatabase()
  t.teardown(() => proxied.drop())
  const proxy = await startProxy(proxied.url)
  t.teardown(() => proxy.close())
  const server = await start(t, { databaseUrl: proxy.url })
  const [alice, bob] = [await server.signUp(), await server.signUp()]
  const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const socket = await server.socket(alice.accessToken)

  const { token } = await signUpAdministrator(server)

  await proxy.cut()
  // What is public and kept in the storage alone does not ask the database.
  const asking = allOperations.filter((one) => errorsOf(one).includes('unavailable') && one !== operationOf('users.getAvatar'))
  for (const operation of asking) {
    const { status, json, headers } = await call(server, operation, { token, params: { conversationId: conversation.id } })
    t.equal(status, 503, operation.operationId)
    t.strictSame(plain(json), { code: 'unavailable', message: errorCatalog.unavailable.title, retryAfterSeconds: 2 }, operation.operationId)
    t.equal(headers.get('retry-after'), '2', operation.operationId)
  }
  socket.send({ type: 'conversations.sendMessage', id: 1, data: { conversationId: conversation.id, content: 'Hello' } })
  t.equal((await socket.frame(({ id }) => id === 1)).error?.code, 'unavailable')

  t.equal((await server.request('GET', '/health')).status, 200, 'it is alive')
  const away = await server.request('GET', '/ready')
  t.equal(away.status, 503, 'but not ready')
  t.same(away.json.services.database, 'down')

  await proxy.restore()
  await until(async () => (await server.request('GET', '/ready')).status === 200)
  t.equal((await call(server, operationOf('auth.me'), { token })).status, 200)
  socket.send({ type: 'conversations.sendMessage', id: 2, data: { conversationId: conversation.id, content: 'Hello' } })
  t.equal((await socket.frame(({ id }) => id === 2)).type, 'ack', 'the socket outlived it')
})

t.test('what comes from the storage alone says when that is away, and when too much of it is under way', async (t) => {
  const s3 = await startScriptedS3(t, (method) => (method === 'GET' ? [503, 'SlowDown'] : [200]))
  const avatar = async (server: TestServer) => (await call(server, operationOf('users.getAvatar'))).json.error.code
  t.equal(await avatar(await start(t, { env: s3.env })), 'unavailable')
  const full = await start(t, { downloadLimits: { atOnce: 0, silenceMilliseconds: 1_000 } })
  t.equal(await avatar(full), 'rate_limit_exceeded')
  const { api } = await full.signUp()
  const { url } = await api.files.createLink((await upload(api)).id)
  t.equal((await full.request('GET', url)).json.error.code, 'rate_limit_exceeded')
})

t.test('a defect of the server tells the caller nothing but its request id', async (t) => {
  const server = await start(t)
  const [{ token }, { id }] = [await signUpAdministrator(server), await server.signUp()]
  const socket = await server.socket(token)
  const ofPeople = ['users', 'oauth_flows', 'email_codes', 'password_resets', 'sessions', 'refresh_tokens', 'api_keys', 'security_events', 'audit_log']
  for (const table of [...ofPeople, 'conversations', 'members', 'messages']) await server.database.pool.query(`alter table ${table} rename to lost_${table}`)
  await server.database.pool.query('alter schema jobs rename to lost_jobs')
  await writeFile(join(server.dataDir, 'objects'), 'No folder')

  for (const operation of allOperations.filter((one) => errorsOf(one).includes('internal_error'))) {
    const { status, json, headers } = await call(server, operation, { token })
    t.equal(status, 500, operation.operationId)
    t.strictSame(plain(json), { code: 'internal_error', message: errorCatalog.internal_error.title }, operation.operationId)
    t.equal(headers.get('x-request-id'), json.error.requestId, operation.operationId)
  }
  socket.send({ type: 'conversations.markRead', id: 1, data: { conversationId: id, seq: 1 } })
  const { error } = await socket.frame((frame) => frame.id === 1)
  t.match(error, { code: 'internal_error', message: errorCatalog.internal_error.title })
})

/** An error without what differs from request to request. */
function plain({ error: { requestId, timestamp, ...rest } }: { error: Record<string, unknown> }) {
  if (typeof requestId !== 'string' || typeof timestamp !== 'string') throw new Error('Every error has a request id and a time')
  return rest
}

/** More than the positions of one frame. */
const manyConversations = `
  with made as (
    insert into conversations (id, type, created_by, last_change_seq, change_seq, member_count)
    select gen_random_uuid(), 'group', $1, 2, 1, 1 from generate_series(1, 1001) returning id
  )
  insert into members (conversation_id, user_id, role, change_seq, joined_change_seq) select id, $1, 'owner', 2, 2 from made`

t.test('every event is pushed, and every command answered as it declares', async (t) => {
  const server = await start(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
  const [alice, bob, carol] = [await server.signUp(), await server.signUp(), await server.signUp()]
  const { conversation: direct } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
  const [asAlice, asBob] = [await server.socket(alice.accessToken), await server.socket(bob.accessToken)]
  const { conversation: group } = await alice.api.conversations.create({ type: 'group', memberIds: [bob.id] })

  await alice.api.conversations.update(group.id, { title: 'Lunch' })
  await alice.api.conversations.updateMember(group.id, bob.id, { role: 'admin' })
  await alice.api.conversations.updateMembership(group.id, { muted: true })
  t.ok(await asAlice.frame(({ type }) => type === 'membership.updated'), 'membership.updated')
  await alice.api.conversations.addMembers(group.id, { userIds: [carol.id] })
  await alice.api.conversations.removeMember(group.id, carol.id)
  for (const type of ['member.joined', 'conversation.updated', 'member.updated', 'member.left']) {
    t.equal((await asBob.frame((frame) => frame.type === type && frame.conversationId === group.id)).type, type)
  }

  let id = 0
  const answer = async (type: string, data: unknown) => {
    const own = ++id
    asAlice.send({ type, id: own, data })
    const { error, ...frame } = await asAlice.frame((one) => one.id === own)
    return error?.code ?? frame.type
  }
  const unknown = randomUUID()
  const { conversation: over } = await alice.api.conversations.create({ type: 'group', memberIds: [] })
  await alice.api.conversations.archive(over.id)
  const answers: [type: string, data: unknown, answer: 'ack' | ErrorCode][] = [
    ['ping', {}, 'ack'],
    ['resume', { cursors: { [group.id]: 1, [unknown]: 1 } }, 'ack'],
    ['conversations.sendMessage', { conversationId: group.id, content: 'Hello', clientId: 'a' }, 'ack'],
    ['conversations.sendMessage', { conversationId: unknown, content: 'Hello' }, 'not_found'],
    ['conversations.sendMessage', { conversationId: direct.id, content: 'Hello', clientId: 'a' }, 'conflict'],
    ['conversations.markRead', { conversationId: group.id, seq: 1 }, 'ack'],
    ['conversations.markRead', { conversationId: unknown, seq: 1 }, 'not_found'],
    ['conversations.markDelivered', { conversationId: group.id, seq: 1 }, 'ack'],
    ['conversations.markDelivered', { conversationId: unknown, seq: 1 }, 'not_found'],
    ['conversations.setTyping', { conversationId: group.id, typing: true }, 'ack'],
    ['conversations.setTyping', { conversationId: unknown, typing: true }, 'not_found'],
    ['conversations.setTyping', { conversationId: over.id, typing: true }, 'conflict'],
    ['conversations.sendMessage', { conversationId: direct.id, content: 'Hello' }, 'forbidden'],
    ['conversations.setTyping', { conversationId: direct.id, typing: true }, 'forbidden'],
    ['conversations.setTyping', { conversationId: group.id, typing: 'yes' }, 'validation_error'],
  ]
  t.ok(await asAlice.frame(({ type, data }) => type === 'presence.changed' && data.userId === bob.id), 'presence.changed')
  const { conversation: carols } = await alice.api.conversations.create({ type: 'group', memberIds: [carol.id] })
  const narrow = await server.socket(carol.accessToken)
  for (const type of ['unsubscribe', 'subscribe']) {
    narrow.send({ type, id: type, data: { conversationIds: [carols.id] } })
    t.equal((await narrow.frame((frame) => frame.id === type)).type, 'ack', type)
  }
  narrow.send({ type: 'subscribe', id: 'unknown', data: { conversationIds: [unknown] } })
  t.equal((await narrow.frame((frame) => frame.id === 'unknown')).error?.code, 'not_found')
  await alice.api.conversations.create({ type: 'group', memberIds: [carol.id] })
  t.ok(await narrow.frame(({ type }) => type === 'conversation.joined'), 'conversation.joined')
  await server.database.pool.query(manyConversations, [carol.id])
  t.ok(await (await server.socket(carol.accessToken)).frame(({ type }) => type === 'positions'), 'positions')
  await bob.api.users.block(alice.id)
  for (const [type, data, expected] of answers) t.equal(await answer(type, data), expected, `${type} is answered by ${expected}`)
  await bob.api.users.unblock(alice.id)
  for (const type of ['pong', 'ready', 'gone']) t.ok(await asAlice.frame((frame) => frame.type === type), type)
  asAlice.send('{"half":')
  t.equal((await asAlice.frame(({ error }) => error?.code === 'malformed_json')).id, undefined)

  const { key } = await alice.api.apiKeys.create({ name: 'Reader', scope: 'read' })
  const reader = await server.socket(key)
  for (const command of commands.filter((one) => errorsOfCommand(one).includes('insufficient_scope'))) {
    reader.send({ type: command.type, id: command.type, data: command.example })
    t.equal((await reader.frame((frame) => frame.id === command.type)).error?.code, 'insufficient_scope', command.type)
  }

  await bob.api.conversations.markRead(group.id, { seq: 1 })
  const { message } = await alice.api.conversations.sendMessage(group.id, { content: 'Hello Bob', mentions: [bob.id] })
  await bob.api.conversations.markDelivered(group.id, { seq: message.seq })
  await alice.api.messages.update(message.id, { content: 'Hello, Bob' })
  for (const type of ['message.mentioned', 'message.updated']) t.ok(await asBob.frame((frame) => frame.type === type), type)
  t.ok(await asAlice.frame(({ type, data }) => type === 'delivered' && data.userId === bob.id), 'delivered')
  for (const type of ['message.created', 'typing']) t.ok(await asBob.frame((frame) => frame.type === type), type)
  t.ok(await asAlice.frame(({ type, data }) => type === 'read' && data.userId === bob.id), 'read')

  const actor = { userId: alice.id, kind: 'session', credentialId: randomUUID() as never, role: 'user', expiresAt: Number.MAX_SAFE_INTEGER } as const
  const { services } = server.app
  await Promise.all(Array.from({ length: 1001 }, (_, index) => services.messages.send(actor, { conversationId: direct.id as never, content: `${index}` })))
  asBob.send({ type: 'resume', data: { cursors: { [direct.id]: 1 } } })
  t.equal((await asBob.frame(({ type }) => type === 'gap')).data.conversationId, direct.id, 'gap')

  await server.database.pool.query('update users set deletion_at = now() where id = $1', [alice.id])
  await services.erasure.erase(alice.id)
  t.equal((await asBob.frame(({ type }) => type === 'message.deleted')).data.message.content, '', 'message.deleted')
})

t.test('nothing that the contract declares was left out', async (t) => {
  const declared = allOperations.flatMap((operation) => [
    ...Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`),
    ...errorsOf(operation).map((code) => `${operation.operationId} ${errorCatalog[code].status} ${code}`),
  ])
  const frames = [...changeEvents, ...signalEvents].map(({ type }) => type)
  const answers = commands.flatMap((command) => [`ack ${command.type}`, ...errorsOfCommand(command).map((code) => `error ${command.type} ${code}`)])
  const missing = [...declared, ...frames, ...answers, 'ack', 'error'].filter((outcome) => !seen.has(outcome))
  t.same(missing, [])

  const codes = new Set([...seen].filter((outcome) => outcome.startsWith('error ')).map((outcome) => outcome.split(' ')[2]))
  t.same(
    frameErrors.filter((code) => !codes.has(code)),
    [],
    'and any frame may be refused for these',
  )
})
