/**
 * Who may do what, as one table: every operation of the contract, asked by the owner of a group, an admin, a member, somebody who was a
 * member, somebody who never was, and by nobody. An operation without a line fails the test, as does a line without an operation.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { Operation } from '../../openapi/contract.ts'
import { allOperations } from '../../openapi/document.ts'
import { formOf, tinyPng } from '../helpers/form.ts'
import { githubEnv, startSearch } from '../helpers/oauth-flow.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

// Hundreds of questions, most of them in a group of their own.
t.setTimeout(300_000)

type Person = Awaited<ReturnType<TestServer['signUp']>>

const roles = ['owner', 'admin', 'member', 'former', 'stranger', 'nobody'] as const
type Role = (typeof roles)[number]
/** In the order of the roles. */
type Answers = readonly [number, number, number, number, number, number]

const members = (status: number): Answers => [status, status, status, 404, 404, 401]
const managers = (status: number): Answers => [status, status, 403, 404, 404, 401]
const owners = (status: number): Answers => [status, 403, 403, 404, 404, 401]
/** Whoever is signed in: it is about themselves, or there for all. */
const anybody = (status: number): Answers => [status, status, status, status, status, 401]
const everybody = (status: number): Answers => [status, status, status, status, status, status]
/** Of the whole server, which owning a group makes nobody. */
const administrators = anybody(403)

interface Question {
  answers: Answers
  /** Where several questions are asked of one operation. */
  about?: string
  params?: Record<string, string>
  search?: string
  /** The contract's first example where it is left out. */
  body?: unknown
}

type Cast = Awaited<ReturnType<typeof gather>>

/**
 * A group as it stands before each question: `author`, a member too, has written with a file, the one who asks has written as well if
 * they are or were a member, and the owner has made an invite. Beside it stands a group that is open to all.
 */
async function setScene({ people, author, joining }: Cast, role: Role) {
  const { owner, admin, member, former } = people
  const memberIds = [admin.id, member.id, former.id, author.id]
  const { conversation } = await owner.api.conversations.create({ type: 'group', title: 'Lunch', memberIds })
  const { conversation: open } = await owner.api.conversations.create({ type: 'group', title: 'Open', memberIds: [], isPrivate: false })
  const conversationId = conversation.id
  await owner.api.conversations.updateMember(conversationId, admin.id, { role: 'admin' })
  const { id: fileId } = await author.api.files.upload({ file: new Blob([tinyPng]) })
  const { message } = await author.api.conversations.sendMessage(conversationId, { content: 'Hello', attachments: [fileId] })
  const { id: unsentId } = await author.api.files.upload({ file: new Blob([tinyPng]) })
  const writer = role === 'stranger' || role === 'nobody' ? author : people[role]
  const { message: own } = await writer.api.conversations.sendMessage(conversationId, { content: 'Mine' })
  const { invite } = await owner.api.conversations.createInvite(conversationId, {})
  await former.api.conversations.removeMember(conversationId, former.id)
  const ids = { authorId: author.id, joiningId: joining.id, memberId: member.id, adminId: admin.id, ownerId: owner.id }
  return { conversationId, openId: open.id, messageId: message.id, ownId: own.id, fileId, unsentId, inviteId: invite.id, code: invite.code, ...ids }
}

type Scene = Awaited<ReturnType<typeof setScene>>

async function gather(server: TestServer) {
  const signUp = async () => server.signUp()
  const people = { owner: await signUp(), admin: await signUp(), member: await signUp(), former: await signUp(), stranger: await signUp() }
  return { people, author: await signUp(), joining: await signUp() }
}

/** Of what every question may be about; the scene has more. */
const somewhere = { provider: 'github', avatarKey: 'a'.repeat(22), emoji: '👍' }

const identity: Record<string, Question> = {
  'auth.register': { answers: everybody(201), body: { email: 'new@example.com' } },
  'auth.requestCode': { answers: everybody(202) },
  'auth.verifyEmail': { answers: everybody(401) },
  'auth.login': { answers: everybody(401) },
  'auth.refresh': { answers: everybody(401) },
  'auth.forgotPassword': { answers: everybody(202) },
  'auth.resetPassword': { answers: everybody(401) },
  'auth.exchangeOAuth': { answers: everybody(401) },
  'auth.listOAuthProviders': { answers: everybody(200) },
  'auth.startOAuth': { answers: everybody(302), search: startSearch },
  'auth.finishOAuth': { answers: everybody(401), search: '?state=unknown' },
  'auth.startCookieSession': { answers: everybody(401) },
  'auth.me': { answers: anybody(200) },
  'auth.listSessions': { answers: anybody(200) },
  'auth.revokeSession': { answers: anybody(404) },
  'auth.changePassword': { answers: anybody(401) },
  'auth.logout': { answers: anybody(204) },
  'auth.revokeAll': { answers: anybody(200) },
  'apiKeys.list': { answers: anybody(200) },
  'apiKeys.create': { answers: anybody(201) },
  'apiKeys.revoke': { answers: anybody(404) },
}

const people: Record<string, Question> = {
  'users.get': { answers: anybody(200) },
  'users.list': { answers: anybody(200) },
  'users.getMe': { answers: anybody(200) },
  'users.updateMe': { answers: anybody(200), body: { bio: 'I am here' } },
  'users.setAvatar': { answers: anybody(200) },
  'users.deleteAvatar': { answers: anybody(200) },
  'users.getAvatar': { answers: everybody(404) },
  'users.setPresence': { answers: anybody(200) },
  'users.block': { answers: anybody(200) },
  'users.unblock': { answers: anybody(204) },
  'users.listBlocked': { answers: anybody(200) },
  'users.exportMe': { answers: anybody(200) },
  'users.deleteMe': { answers: anybody(400), body: { confirmEmail: 'somebody-else@example.com' } },
  'users.create': { answers: administrators },
  'users.update': { answers: administrators },
  'users.delete': { answers: administrators },
  'admin.listUsers': { answers: administrators },
  'admin.getUser': { answers: administrators },
  'admin.revokeSessions': { answers: administrators },
  'admin.listAuditLog': { answers: administrators },
  'security.listEvents': { answers: anybody(200) },
  'security.getStats': { answers: anybody(200) },
}

const conversations = ({ joiningId, memberId, adminId, ownerId, authorId, openId }: Scene): Record<string, Question | Question[]> => ({
  'conversations.create': { answers: anybody(201), body: { type: 'group', memberIds: [], title: 'Another' } },
  'conversations.list': { answers: anybody(200) },
  'conversations.listPublic': { answers: anybody(200) },
  'conversations.get': [
    { answers: members(200) },
    { about: 'one that is open to all', answers: [200, 404, 404, 404, 404, 401], params: { conversationId: openId } },
  ],
  'conversations.update': [
    { about: 'its title', answers: managers(200), body: { title: 'Late lunch' } },
    { about: 'how long messages are kept', answers: managers(200), body: { messageRetentionDays: 30 } },
  ],
  'conversations.archive': { answers: managers(204) },
  'conversations.updateMembership': { answers: members(200), body: { muted: true } },
  'conversations.listMembers': { answers: members(200) },
  'conversations.addMembers': { answers: managers(200), body: { userIds: [joiningId] } },
  'conversations.updateMember': { answers: owners(200), params: { userId: memberId }, body: { role: 'admin' } },
  'conversations.removeMember': [
    { about: 'a member', answers: managers(204), params: { userId: authorId } },
    { about: 'an admin', answers: [204, 204, 403, 404, 404, 401], params: { userId: adminId } },
    { about: 'the owner', answers: [204, 403, 403, 404, 404, 401], params: { userId: ownerId } },
    { about: 'one who is none', answers: members(204), params: { userId: joiningId } },
  ],
  'conversations.markRead': { answers: members(200) },
  'conversations.markDelivered': { answers: members(200) },
  'conversations.setTyping': { answers: members(204) },
  'conversations.createInvite': { answers: managers(201) },
  'conversations.listInvites': { answers: managers(200) },
  'conversations.revokeInvite': { answers: managers(204) },
  'conversations.getInvite': { answers: anybody(200) },
  'conversations.acceptInvite': { answers: anybody(200) },
  'conversations.join': [
    { about: 'one that is private', answers: members(200) },
    { about: 'one that is open to all', answers: anybody(200), params: { conversationId: openId } },
  ],
})

const messages = ({ joiningId, messageId, ownId }: Scene): Record<string, Question | Question[]> => ({
  'conversations.sendMessage': { answers: members(201), body: { content: 'Hello' } },
  'messages.send': { answers: anybody(201), body: { recipientId: joiningId, content: 'Hello' } },
  'messages.list': { answers: members(200) },
  'messages.get': { answers: members(200) },
  'messages.update': [
    { about: "another one's", answers: [403, 403, 403, 404, 404, 401], body: { content: 'Better' } },
    { about: 'their own', answers: members(200), params: { messageId: ownId }, body: { content: 'Better' } },
  ],
  'messages.delete': [
    { about: "another one's", answers: managers(204) },
    { about: 'their own', answers: members(204), params: { messageId: ownId } },
  ],
  'messages.listHistory': { answers: members(200) },
  'messages.addReaction': { answers: members(200) },
  'messages.removeReaction': { answers: members(204) },
  'messages.listReactions': { answers: members(200) },
  'messages.listReceipts': { answers: members(200) },
  'messages.markRead': { answers: members(200), body: { messageIds: [messageId] } },
  'search.messages': { answers: anybody(200), search: '?q=hello' },
  'search.conversations': { answers: anybody(200), search: '?q=lunch' },
  'sync.pull': { answers: anybody(200), body: {} },
})

const files = ({ unsentId }: Scene): Record<string, Question | Question[]> => ({
  'files.upload': { answers: anybody(201) },
  'files.get': [
    { about: 'one of a message', answers: members(200) },
    { about: 'one that was not sent', answers: anybody(404), params: { fileId: unsentId } },
  ],
  'files.getContent': [
    { about: 'one of a message', answers: members(200) },
    { about: 'one that was not sent', answers: anybody(404), params: { fileId: unsentId } },
  ],
  'files.createLink': { answers: members(201) },
  'files.getLinked': { answers: everybody(404), params: { token: 'a'.repeat(92) } },
  'files.delete': [
    { about: "another one's of a message", answers: [403, 403, 403, 404, 404, 401] },
    { about: "another one's that was not sent", answers: anybody(404), params: { fileId: unsentId } },
  ],
})

const system: Record<string, Question> = {
  'system.asyncapi': { answers: everybody(200) },
  'system.health': { answers: everybody(200) },
  'system.metrics': { answers: everybody(200) },
  'system.openapi': { answers: everybody(200) },
  'system.postman': { answers: everybody(200) },
  'system.ready': { answers: everybody(200) },
}

const tableOf = (scene: Scene): Record<string, Question | Question[]> => ({
  ...identity,
  ...people,
  ...conversations(scene),
  ...messages(scene),
  ...files(scene),
  ...system,
})

const questionsOf = (scene: Scene, { operationId }: Operation): Question[] => {
  const asked = tableOf(scene)[operationId]
  return asked === undefined ? [] : [asked].flat()
}

t.test('every operation answers each of owner, admin, member, former member, stranger and nobody exactly as the table says', async (t) => {
  const server = await startServer(t, { env: githubEnv })
  const cast = await gather(server)
  const first = await setScene(cast, 'nobody')
  t.same(Object.keys(tableOf(first)).sort(), allOperations.map(({ operationId }) => operationId).sort(), 'a line for each operation, and no other')
  for (const operation of allOperations) {
    const questions = questionsOf(first, operation)
    t.ok(questions.length > 0, `${operation.operationId} is asked about`)
    for (const index of questions.keys()) await answerAll(operation, index)
  }

  async function answerAll(operation: Operation, index: number): Promise<void> {
    const answered: Record<string, number> = {}
    const expected: Record<string, number> = {}
    let about = ''
    for (const [place, role] of roles.entries()) {
      const scene = isAboutScene(operation) ? await setScene(cast, role) : first
      const question = questionsOf(scene, operation)[index]
      if (question === undefined) throw new Error(`${operation.operationId} has lost a line`)
      about = question.about === undefined ? '' : `, about ${question.about}`
      expected[role] = question.answers[place] ?? 0
      answered[role] = await ask(operation, question, scene, await asker(operation, role))
    }
    t.same(answered, expected, `${operation.operationId}${about}`)
  }

  /** Whoever signs out is somebody who is not needed any more. */
  async function asker({ operationId }: Operation, role: Role): Promise<Person | undefined> {
    if (role === 'nobody') return undefined
    return ['auth.logout', 'auth.revokeAll'].includes(operationId) ? server.signUp() : cast.people[role]
  }

  async function ask(operation: Operation, question: Question, scene: Scene, person: Person | undefined): Promise<number> {
    const known: Record<string, string> = { ...somewhere, ...scene, userId: scene.authorId, ...question.params }
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known[name] ?? randomUUID()))
    const [example] = Object.values(operation.examples ?? {})
    const given = question.body ?? example
    const body = operation.multipart ? formOf(operation, given) : uniqueEmail(given)
    const { status } = await server.request(operation.method, path + (question.search ?? ''), {
      ...(body !== undefined && { body }),
      ...(person && { token: person.accessToken }),
    })
    return status
  }
})

/** What a question changes, the next one finds as it was. */
const isAboutScene = ({ operationId, path }: Operation): boolean => /conversationId|messageId|fileId|code/.test(path) || operationId === 'messages.markRead'

/** An address is registered once. */
function uniqueEmail(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'email' in body && body.email === 'new@example.com' ? { email: `${randomUUID()}@example.com` } : body
}
