/** What becomes of groups: who may do what, how one gets in, what is kept and what goes. */
import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { MemberRole } from '../../openapi/conversations/schemas.ts'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { type Act, mayDo, mayInvite, mayRemove } from '../../src/features/conversations/policy.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

/** The real time, which can be put ahead. */
function createTestClock() {
  let ahead = 0
  return {
    now: () => new Date(Date.now() + ahead),
    advance(milliseconds: number) {
      ahead += milliseconds
    },
  }
}

const hour = 60 * 60_000
const day = 24 * hour
const server = await startServer(t)

const people = async <const N extends number>(count: N, where: TestServer = server) =>
  (await Promise.all(Array.from({ length: count }, () => where.signUp()))) as Person[] & { length: N }

const four = async (where: TestServer = server) => (await people(4, where)) as unknown as [Person, Person, Person, Person]

type GroupOptions = Omit<Parameters<Person['api']['conversations']['create']>[0], 'type' | 'memberIds'>

async function createGroup(owner: Person, members: Person[] = [], options: GroupOptions = {}): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id), title: 'Lunch', ...options })
  return conversation.id
}

const view = async ({ api }: Person, id: string) => (await api.conversations.get(id)).conversation

async function send({ api }: Person, id: string, ...contents: string[]): Promise<void> {
  for (const content of contents) await api.conversations.sendMessage(id, { content })
}

type InviteOptions = Parameters<Person['api']['conversations']['createInvite']>[1]

const invite = async ({ api }: Person, id: string, options: InviteOptions = {}) => (await api.conversations.createInvite(id, options)).invite

const contents = async ({ api }: Person, id: string): Promise<string[]> => (await api.messages.list(id)).items.map(({ content }) => content).reverse()

/** `200`, `403 forbidden` … */
async function outcome(method: string, path: string, person: Person, body?: unknown, where: TestServer = server): Promise<string> {
  const { status, json } = await where.request(method, path, { token: person.accessToken, ...(body !== undefined && { body }) })
  return status < 400 ? String(status) : `${status} ${json.error.code}`
}

/** What somebody is told, but for what differs from request to request. */
async function refusal(method: string, path: string, person: Person, body?: unknown) {
  const { status, json } = await server.request(method, path, { token: person.accessToken, ...(body !== undefined && { body }) })
  const { requestId, timestamp, ...error } = json.error
  return { status, error }
}

/** Waits for what comes about by itself; the test's own time limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const roles: readonly MemberRole[] = ['owner', 'admin', 'member']

t.test('the policy, role by act', async (t) => {
  const table: Record<Act, string> = {
    update: 'owner admin',
    archive: 'owner admin',
    addMembers: 'owner admin',
    removeMember: 'owner admin',
    removeAdmin: 'owner',
    removeOwner: 'owner',
    updateMember: 'owner',
    invite: 'owner admin',
    manageInvites: 'owner admin',
    deleteMessages: 'owner admin',
  }
  for (const [act, allowed] of Object.entries(table) as [Act, string][]) {
    t.equal(roles.filter((role) => mayDo(role, act)).join(' '), allowed, act)
  }
  const removals = roles.map((role) => roles.filter((target) => mayRemove(role, target)).join(' '))
  t.same(removals, ['owner admin member', 'member', ''], 'whom an owner, an admin and a member may remove')
  const inviters = [true, false].map((allowInvites) => roles.filter((role) => mayInvite(role, { allowInvites })).join(' '))
  t.same(inviters, ['owner admin member', 'owner admin'], 'who invites where that is allowed to all, and where it is not')
})

t.test('and it holds over HTTP, for each role, for those who have left and for strangers', async (t) => {
  const [owner, admin, member, former] = await four()
  const [stranger, target, other] = await people(3)
  if (!stranger || !target || !other) throw new Error('There are three')
  const actors = { owner, admin, member, former, stranger }
  const group = async (): Promise<string> => {
    const id = await createGroup(owner, [admin, member, former, target])
    await owner.api.conversations.updateMember(id, admin.id, { role: 'admin' })
    await owner.api.conversations.removeMember(id, former.id)
    return id
  }
  const missing = ['404 not_found', '404 not_found']
  const all = (done: string) => [done, done, done, ...missing]
  const leading = (done: string) => [done, done, '403 forbidden', ...missing]
  const ownersOnly = (done: string) => [done, '403 forbidden', '403 forbidden', ...missing]
  const promote = (id: string, role: MemberRole) => owner.api.conversations.updateMember(id, target.id, { role })

  type Attempt = (path: string, person: Person, id: string) => Promise<string>
  const acts: [act: string, attempt: Attempt, expected: string[]][] = [
    ['update', (path, person) => outcome('PATCH', path, person, { tags: [person.id] }), leading('200')],
    ['archive', (path, person) => outcome('DELETE', path, person), leading('204')],
    ['addMembers', (path, person) => outcome('POST', `${path}/members`, person, { userIds: [other.id] }), leading('200')],
    ['updateMember', (path, person) => outcome('PATCH', `${path}/members/${target.id}`, person, { role: 'member' }), ownersOnly('200')],
    ['removeMember', (path, person) => outcome('DELETE', `${path}/members/${target.id}`, person), leading('204')],
    ['removeAdmin', async (path, person, id) => promote(id, 'admin').then(() => outcome('DELETE', `${path}/members/${target.id}`, person)), ownersOnly('204')],
    ['removeOwner', async (path, person, id) => promote(id, 'owner').then(() => outcome('DELETE', `${path}/members/${target.id}`, person)), ownersOnly('204')],
    ['invite', (path, person) => outcome('POST', `${path}/invites`, person, {}), leading('201')],
    ['list invites', (path, person) => outcome('GET', `${path}/invites`, person), leading('200')],
    [
      'manageInvites',
      async (path, person, id) => {
        const { id: inviteId } = await invite(owner, id, {})
        return outcome('DELETE', `${path}/invites/${inviteId}`, person)
      },
      leading('204'),
    ],
    ['updateMembership', (path, person) => outcome('PATCH', `${path}/membership`, person, { muted: true }), all('200')],
    ['leave', (path, person) => outcome('DELETE', `${path}/members/${person.id}`, person), ['204', '204', '204', '204', '404 not_found']],
    ['join', (path, person) => outcome('POST', `${path}/join`, person), all('200')],
  ]
  for (const [act, attempt, expected] of acts) {
    const seen: string[] = []
    for (const person of Object.values(actors)) {
      const id = await group()
      seen.push(await attempt(`/v1/conversations/${id}`, person, id))
    }
    t.same(seen, expected, act)
  }

  const hidden = `/v1/conversations/${await group()}`
  const none = `/v1/conversations/${randomUUID()}`
  const asked: [method: string, path: string, body?: unknown][] = [
    ['PATCH', '', { title: 'Ours' }],
    ['DELETE', ''],
    ['PATCH', '/membership', { muted: true }],
    ['POST', '/invites', {}],
    ['GET', '/invites'],
    ['DELETE', `/invites/${randomUUID()}`],
    ['POST', '/join'],
  ]
  for (const [method, path, body] of asked) {
    t.strictSame(await refusal(method, hidden + path, stranger, body), await refusal(method, none + path, stranger, body), `${method} ${path} tells nothing`)
  }
})

t.test('settings', async (t) => {
  const all = {
    title: 'Lunch',
    description: 'Where we go at noon',
    summary: 'Nobody likes soup',
    tags: ['food', 'noon'],
    metadata: { floor: 3, open: true },
    isPrivate: false,
    allowInvites: true,
    historyVisibility: 'sinceJoined' as const,
    messageRetentionDays: 30,
  }
  const usual = {
    ...{ description: null, summary: null, status: 'active', tags: [], metadata: {} },
    isPrivate: true,
    allowInvites: false,
    historyVisibility: 'all',
  }

  t.test('a group has those that it is created with, and the usual ones otherwise', async (t) => {
    const [alice] = await four()
    t.match(await view(alice, await createGroup(alice, [], all)), { ...all, status: 'active' })
    t.match(await view(alice, await createGroup(alice)), { ...usual, messageRetentionDays: null })
  })

  t.test('only what is given changes; nothing new spends no number; null takes away; each change is told with its number', async (t) => {
    const [alice, bob] = await four()
    const id = await createGroup(alice, [bob], all)
    const before = await view(alice, id)
    const heard: unknown[] = []
    server.app.topics.subscribe('conversation', id as ConversationId, (event) => heard.push(event))
    await alice.api.conversations.update(id, all)
    t.same(await view(bob, id), { ...before, role: 'member', members: before.members }, 'nothing happened')
    t.same(heard, [])
    const { conversation } = await alice.api.conversations.update(id, { tags: ['noon', 'food'] })
    t.match(conversation, { ...all, tags: ['noon', 'food'], changeSeq: before.changeSeq + 1 })
    t.match(heard, [{ type: 'conversation.updated', changeSeq: before.changeSeq + 1, conversation: { tags: ['noon', 'food'] } }])
    const nulls = { title: null, description: null, summary: null, messageRetentionDays: null }
    t.match((await alice.api.conversations.update(id, { ...nulls, metadata: {}, status: 'closed' })).conversation, { ...nulls, metadata: {}, status: 'closed' })
    const { changes } = await bob.api.sync.pull({ cursors: { [id]: before.changeSeq } })
    t.match(changes, [{ type: 'conversation.updated', changeSeq: before.changeSeq + 2, data: { conversation: { title: null, status: 'closed' } } }])
  })

  t.test('what is out of bounds is refused', async (t) => {
    const [alice] = await four()
    const id = await createGroup(alice)
    const wrong = [
      ...[
        {},
        { title: '' },
        { title: ' ' },
        { title: '\u202e\u200b\n' },
        { tags: ['\u2003'] },
        { tags: ['one', 'one'] },
        { tags: [''] },
        { tags: ['x'.repeat(51)] },
        { tags: Array.from({ length: 21 }, (_, n) => `${n}`) },
      ],
      ...[{ messageRetentionDays: 0 }, { messageRetentionDays: 3651 }, { messageRetentionDays: 1.5 }, { status: 'gone' }, { historyVisibility: 'none' }],
      ...[{ metadata: { nested: {} } }, { isPrivate: null }, { tags: null }, { unknown: 1 }],
    ]
    for (const body of wrong) t.equal(await outcome('PATCH', `/v1/conversations/${id}`, alice, body), '400 validation_error', JSON.stringify(body))
  })

  t.test('in a direct conversation either changes status, summary, tags and metadata, and neither what is for groups', async (t) => {
    const [alice, bob] = await four()
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id], tags: ['friend'] })
    t.same(conversation.tags, ['friend'])
    const path = `/v1/conversations/${conversation.id}`
    for (const person of [alice, bob]) t.equal(await outcome('PATCH', path, person, { summary: person.id, tags: [], metadata: {}, status: 'closed' }), '200')
    const forGroups = { title: 'Us', description: 'Us', isPrivate: false, allowInvites: true, historyVisibility: 'sinceJoined', messageRetentionDays: 1 }
    for (const [field, value] of Object.entries(forGroups)) {
      t.equal(await outcome('PATCH', path, alice, { [field]: value, tags: ['none'] }), '400 validation_error', field)
      t.equal(await outcome('POST', '/v1/conversations', alice, { type: 'direct', memberIds: [bob.id], [field]: value }), '400 validation_error', field)
    }
    t.match(await view(alice, conversation.id), { summary: bob.id, tags: [], status: 'closed' })
    for (const what of ['invites', 'join']) t.equal(await outcome('POST', `${path}/${what}`, alice), what === 'join' ? '200' : '409 conflict')
  })

  t.test('what is archived or closed is read, marked, muted and left, and not written to; it comes back', async (t) => {
    for (const status of ['archived', 'closed'] as const) {
      const [alice, bob, carol] = await four()
      const id = await createGroup(alice, [bob, carol])
      await send(alice, id, 'before')
      await alice.api.conversations.update(id, { status })
      const path = `/v1/conversations/${id}`
      t.equal(await outcome('POST', `${path}/messages`, alice, { content: 'no' }), '409 conflict', status)
      t.equal(await outcome('POST', `${path}/members`, alice, { userIds: [carol.id] }), '409 conflict')
      t.equal(await outcome('POST', `${path}/invites`, alice), '409 conflict')
      t.same(await contents(bob, id), ['before'])
      t.equal(await outcome('POST', `${path}/read`, bob, { seq: 1 }), '200')
      t.equal(await outcome('PATCH', `${path}/membership`, bob, { pinned: true }), '200')
      t.equal(await outcome('DELETE', `${path}/members/${carol.id}`, carol), '204')
      t.equal(await outcome('PATCH', path, alice, { title: 'Late' }), '200')
      await alice.api.conversations.update(id, { status: 'active' })
      await send(bob, id, 'after')
      t.same(await contents(alice, id), ['before', 'after'])
    }
  })

  t.test('archiving again succeeds; writing to somebody reopens, unless one cannot write; asking for it again does not', async (t) => {
    const [alice, bob] = await four()
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    const path = `/v1/conversations/${conversation.id}`
    for (const person of [alice, bob]) t.equal(await outcome('DELETE', path, person), '204')
    const { changeSeq } = await view(alice, conversation.id)
    t.equal((await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })).conversation.status, 'archived')
    t.equal((await view(alice, conversation.id)).changeSeq, changeSeq, 'the second time changed nothing')
    await bob.api.users.block(alice.id)
    t.equal(await outcome('POST', '/v1/messages', alice, { recipientId: bob.id, content: 'Hello?' }), '403 forbidden')
    t.equal((await view(bob, conversation.id)).status, 'archived')
    await bob.api.users.unblock(alice.id)
    await alice.api.messages.send({ recipientId: bob.id, content: 'Hello' })
    t.match(await view(bob, conversation.id), { status: 'active', lastMessage: { content: 'Hello' }, unreadCount: 1 })
  })

  t.test('a late retry reopens nothing, and what cannot be sent neither reopens nor makes a conversation', async (t) => {
    const [alice, bob, carol] = await four()
    const write = (fields: object, to = bob) => outcome('POST', '/v1/messages', alice, { recipientId: to.id, content: 'Hello', ...fields })
    const wrong = [{ mentions: [carol.id] }, { replyTo: randomUUID() }, { attachments: [randomUUID()] }]
    for (const fields of wrong) t.equal(await write(fields), '400 validation_error')
    t.same((await alice.api.conversations.list()).items, [])

    const { message } = await alice.api.messages.send({ recipientId: bob.id, content: 'Hello', clientId: 'once' })
    t.equal(await write({ clientId: 'once' }, carol), '409 conflict')
    t.equal((await alice.api.conversations.list()).items.length, 1)
    await bob.api.conversations.archive(message.conversationId)
    for (const fields of wrong) t.equal(await write(fields), '400 validation_error')
    t.equal((await alice.api.messages.send({ recipientId: bob.id, content: 'Hello', clientId: 'once' })).message.id, message.id)
    t.equal((await view(bob, message.conversationId)).status, 'archived')
    t.equal(await outcome('POST', `/v1/conversations/${message.conversationId}/typing`, alice, { typing: true }), '409 conflict')
    t.equal(await write({ mentions: [bob.id] }), '201')
    t.equal((await view(bob, message.conversationId)).status, 'active')
  })
})

t.test('a first message comes with the creation', async (t) => {
  const create = (person: Person, body: object, where = server) => where.request('POST', '/v1/conversations', { token: person.accessToken, body })

  t.test('and a retry makes neither twice, also at once and at another process', async (t) => {
    const [alice, bob] = await four()
    const second = await startServer(t, { databaseUrl: server.database.pool.options.connectionString ?? '' })
    const body = { type: 'group', memberIds: [bob.id], clientId: 'lunch', initialMessage: { content: 'Hello' } }
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => create(alice, body, index % 2 === 0 ? server : second)))
    t.equal(answers.filter(({ status }) => status === 201).length, 1)
    t.equal(new Set(answers.map(({ json }) => json.conversation.id)).size, 1)
    t.same(await contents(bob, answers[0]?.json.conversation.id), ['Hello'])
    t.match(answers[0]?.json.conversation, { lastMessage: { content: 'Hello', senderId: alice.id } })
  })

  t.test('a retry does what was not done when the first try was cut off', async (t) => {
    const [alice, bob] = await four()
    const body = { type: 'group', memberIds: [bob.id], clientId: 'cut' }
    const id = (await create(alice, body)).json.conversation.id
    const again = async () => (await create(alice, { ...body, initialMessage: { content: 'Hello' } })).status
    await alice.api.conversations.archive(id)
    t.equal(await again(), 409, 'where nothing can be written any more')
    await alice.api.conversations.update(id, { status: 'active' })
    for (let retry = 0; retry < 2; retry++) t.equal(await again(), 200)
    await alice.api.conversations.archive(id)
    t.equal(await again(), 200, 'all is done')
    t.same(await contents(bob, id), ['Hello'])
  })

  t.test('also when somebody who was named is erased by then', async (t) => {
    const [alice, bob, carol] = await four()
    const body = { type: 'group', memberIds: [bob.id, carol.id], clientId: 'gone' }
    const first = (await create(alice, body)).json.conversation
    await server.database.pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [bob.id])
    await server.app.services.erasure.erase(bob.id)
    const retry = await create(alice, { ...body, initialMessage: { content: 'Hello' } })
    t.match([retry.status, retry.json.conversation], [200, { id: first.id, memberCount: 2, lastMessage: { content: 'Hello' } }])
    t.equal((await create(alice, { ...body, clientId: 'new' })).status, 404, 'what would be new has no such member')
    const direct = { type: 'direct', memberIds: [carol.id] }
    await create(alice, direct)
    await server.database.pool.query("update users set deletion_at = now() - interval '1 second' where id = $1", [carol.id])
    await server.app.services.erasure.erase(carol.id)
    const { id } = (await create(alice, direct)).json.conversation
    t.equal(await outcome('DELETE', `/v1/conversations/${id}`, alice), '204', 'and what nobody else reads may be put away')
  })

  t.test('to a direct conversation that was there it is one more message, and it goes on', async (t) => {
    const [alice, bob] = await four()
    const hello = (clientId: string) => create(alice, { type: 'direct', memberIds: [bob.id], clientId, initialMessage: { content: clientId } })
    const id = (await hello('one')).json.conversation.id
    await bob.api.conversations.archive(id)
    t.match((await hello('two')).json.conversation, { id, status: 'active', lastMessage: { content: 'two' } })
    t.equal((await hello('one')).json.conversation.status, 'active')
    await bob.api.conversations.archive(id)
    t.match((await hello('two')).json.conversation, { id, status: 'archived' }, 'but for one that was sent before')
    t.same(await contents(bob, id), ['one', 'two'])
  })
})

t.test('memberships', async (t) => {
  t.test('muting and pinning are for oneself alone, numbered, on all devices, and of no one who left', async (t) => {
    const [alice, bob] = await four()
    const id = await createGroup(alice, [bob])
    const before = await view(alice, id)
    const socket = await server.socket(alice.accessToken)
    t.same(await alice.api.conversations.updateMembership(id, { muted: true }), { muted: true, pinned: false })
    t.same(await alice.api.conversations.updateMembership(id, { muted: true }), { muted: true, pinned: false })
    t.same(await alice.api.conversations.updateMembership(id, { pinned: true }), { muted: true, pinned: true })
    t.match(await view(alice, id), { muted: true, pinned: true, changeSeq: before.changeSeq + 2, updatedAt: before.updatedAt })
    t.match(await view(bob, id), { muted: false, pinned: false })
    t.match(await socket.frame(({ type, data }) => type === 'membership.updated' && data.pinned), { changeSeq: before.changeSeq + 2, data: { muted: true } })
    socket.close()
    const { changes } = await alice.api.sync.pull({ cursors: { [id]: before.changeSeq } })
    t.match(changes, [{ type: 'membership.updated', data: { muted: true, pinned: true } }])
    t.equal(await outcome('PATCH', `/v1/conversations/${id}/membership`, alice, {}), '400 validation_error')
  })

  t.test('with history since joining, whoever comes sees nothing of before, nor what they saw when they were there before', async (t) => {
    const [alice, bob, carol] = await four()
    const id = await createGroup(alice, [bob], { historyVisibility: 'sinceJoined' })
    await send(alice, id, 'one', 'two')
    t.match(await view(bob, id), { unreadCount: 2, lastMessage: { content: 'two' } }, 'who was there from the beginning sees all')
    const joined: unknown[] = []
    for (const { id: userId } of [bob, carol]) server.app.topics.subscribe('user', userId, (event) => joined.push(event))
    await alice.api.conversations.addMembers(id, { userIds: [carol.id] })
    t.match(await view(carol, id), { unreadCount: 0, lastMessage: null, lastSeq: 2 })
    await bob.api.conversations.updateMembership(id, { muted: true, pinned: true })
    await alice.api.conversations.removeMember(id, bob.id)
    await send(alice, id, 'three')
    await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
    await send(alice, id, 'four')
    t.match(await view(bob, id), { unreadCount: 1, lastMessage: { content: 'four' }, readSeq: 3, muted: false, pinned: false })
    t.match(await view(carol, id), { unreadCount: 2, messageCount: 4, lastMessage: { content: 'four' } }, 'the count is that of the conversation')
    t.match(await carol.api.messages.list(id, { includeTotal: true }), { items: { length: 2 }, total: 2 }, 'and the total that of what she sees')
    t.match(
      joined,
      [
        { type: 'conversation.joined', firstSeq: 3 },
        { type: 'conversation.joined', firstSeq: 4 },
      ],
      'who serves them is told where it begins',
    )
    await alice.api.conversations.update(id, { historyVisibility: 'all' })
    const { rows } = await server.database.pool.query('select first_seq as "firstSeq" from members where conversation_id = $1 order by joined_change_seq', [id])
    t.same(rows, [{ firstSeq: 1 }, { firstSeq: 3 }, { firstSeq: 4 }], 'the setting is for those who come')
  })

  t.test('of two owners who leave at once at two processes, one hands over', async (t) => {
    const second = await startServer(t, { databaseUrl: server.database.pool.options.connectionString ?? '' })
    const [alice, bob, carol, dave] = await four()
    for (let round = 0; round < 5; round++) {
      const id = await createGroup(alice, [bob, carol, dave])
      await alice.api.conversations.updateMember(id, bob.id, { role: 'owner' })
      await Promise.all([
        outcome('DELETE', `/v1/conversations/${id}/members/${alice.id}`, alice),
        outcome('DELETE', `/v1/conversations/${id}/members/${bob.id}`, bob, undefined, second),
      ])
      t.match((await view(carol, id)).members, [{ user: { id: carol.id }, role: 'owner' }, { role: 'member' }])
    }
  })
})

t.test('invites', async (t) => {
  const second = await startServer(t, { databaseUrl: server.database.pool.options.connectionString ?? '' })
  const accept = (code: string, person: Person, where = server) => outcome('POST', `/v1/invites/${code}/accept`, person, undefined, where)
  const preview = (code: string, person: Person) => outcome('GET', `/v1/invites/${code}`, person)

  t.test('whoever has the code sees what it leads to, joins as a member, and again it is the same and no use', async (t) => {
    const [alice, bob, carol] = await four()
    const id = await createGroup(alice, [carol], { description: 'At noon' })
    const { code, ...made } = await invite(alice, id, { maxUses: 1 })
    t.match(code, /^[\w-]{22,}$/, 'of 128 bits at least')
    t.match(made, { createdBy: alice.id, maxUses: 1, uses: 0 })
    t.equal(Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt), 7 * day)
    t.same(await bob.api.conversations.getInvite(code), { title: 'Lunch', description: 'At noon', memberCount: 2, expiresAt: made.expiresAt })
    t.equal(await accept(code, carol), '200', 'a member already')
    const { conversation } = await bob.api.conversations.acceptInvite(code)
    t.match(conversation, { id, role: 'member', memberCount: 3 })
    t.match(await bob.api.conversations.acceptInvite(code), { conversation: { id, changeSeq: conversation.changeSeq } })
    const { rows } = await server.database.pool.query('select uses from invites where code = $1', [code])
    t.same(rows, [{ uses: 1 }])
    t.same(await alice.api.conversations.listInvites(id), { items: [], nextCursor: null, hasMore: false }, 'used up')
  })

  t.test('of twenty who accept five uses at once, at two processes, exactly five join', async (t) => {
    const [alice] = await four()
    const id = await createGroup(alice)
    const { code } = await invite(alice, id, { maxUses: 5 })
    const many = await people(20)
    const answers = await Promise.all(many.map((person, index) => accept(code, person, index % 2 === 0 ? server : second)))
    t.equal(answers.filter((answer) => answer === '200').length, 5)
    t.equal(answers.filter((answer) => answer === '404 not_found').length, 15)
    t.equal((await view(alice, id)).memberCount, 6)
  })

  t.test('what is revoked, unknown, of a group that is over, or of somebody who may not invite any more, is all the same', async (t) => {
    const [alice, bob, carol, dave] = await four()
    const group = async (allowInvites: boolean) => {
      const id = await createGroup(alice, [bob, carol], { allowInvites })
      await alice.api.conversations.updateMember(id, bob.id, { role: 'admin' })
      return id
    }
    const ends: [
      why: string,
      inviter: Person,
      allowInvites: boolean,
      end: (id: string, inviteId: string) => Promise<unknown>,
      back?: (id: string) => Promise<unknown>,
    ][] = [
      ['revoked', alice, false, (id, inviteId) => bob.api.conversations.revokeInvite(id, inviteId)],
      ['archived', alice, false, (id) => alice.api.conversations.archive(id), (id) => alice.api.conversations.update(id, { status: 'active' })],
      ['closed', bob, false, (id) => alice.api.conversations.update(id, { status: 'closed' })],
      [
        'demoted',
        bob,
        false,
        (id) => alice.api.conversations.updateMember(id, bob.id, { role: 'member' }),
        (id) => alice.api.conversations.updateMember(id, bob.id, { role: 'owner' }),
      ],
      ['left', bob, false, (id) => bob.api.conversations.removeMember(id, bob.id), (id) => alice.api.conversations.addMembers(id, { userIds: [bob.id] })],
      [
        'removed',
        carol,
        true,
        (id) => alice.api.conversations.removeMember(id, carol.id),
        (id) => alice.api.conversations.addMembers(id, { userIds: [carol.id] }),
      ],
      [
        'allowInvites turned off',
        carol,
        true,
        (id) => alice.api.conversations.update(id, { allowInvites: false }),
        (id) => alice.api.conversations.update(id, { allowInvites: true }),
      ],
    ]
    const unknown = await refusal('POST', `/v1/invites/${'x'.repeat(24)}/accept`, dave)
    for (const [why, inviter, allowInvites, end, back] of ends) {
      const id = await group(allowInvites)
      const { id: inviteId, code } = await invite(inviter, id, {})
      t.equal(await preview(code, dave), '200', why)
      await end(id, inviteId)
      t.same([await preview(code, dave), await accept(code, dave)], ['404 not_found', '404 not_found'], why)
      t.strictSame(await refusal('POST', `/v1/invites/${code}/accept`, dave), unknown, `${why}, like one that never was`)
      await back?.(id)
      if (back) t.equal(await accept(code, dave), why === 'archived' ? '200' : '404 not_found', `and ${why} no more`)
    }
  })

  t.test('every member invites where the group says so, sees and revokes their own, and leaves those of others alone', async (t) => {
    const [alice, bob, carol, dave] = await four()
    const id = await createGroup(alice, [bob, carol])
    t.equal(await outcome('POST', `/v1/conversations/${id}/invites`, bob), '403 forbidden')
    await alice.api.conversations.update(id, { allowInvites: true })
    const made = await invite(bob, id, {})
    const others = await invite(alice, id, {})
    const listed = async ({ api }: Person) => (await api.conversations.listInvites(id)).items.map((one) => one.id)
    t.same([await listed(alice), await listed(bob), await listed(carol)], [[others.id, made.id], [made.id], []])
    const revoke = (person: Person, inviteId: string) => outcome('DELETE', `/v1/conversations/${id}/invites/${inviteId}`, person)
    t.same([await revoke(bob, others.id), await revoke(carol, made.id), await revoke(dave, made.id)], ['403 forbidden', '403 forbidden', '404 not_found'])
    t.same([await revoke(bob, made.id), await revoke(bob, made.id), await revoke(alice, randomUUID())], ['204', '204', '204'], 'again, and one that never was')
    t.same(await listed(alice), [others.id])
  })

  t.test('accepting is one’s own act: also in a group with somebody whom one has blocked', async (t) => {
    const [alice, bob] = await four()
    const id = await createGroup(alice)
    await bob.api.users.block(alice.id)
    t.equal(await outcome('POST', `/v1/conversations/${id}/members`, alice, { userIds: [bob.id] }), '403 forbidden')
    t.equal(await accept((await invite(alice, id, {})).code, bob), '200')
  })

  t.test('they are listed page by page, are a hundred at most, and end when their time is over', async (t) => {
    const clock = createTestClock()
    const timed = await startServer(t, { clock })
    const [alice, bob] = await four(timed)
    const id = await createGroup(alice)
    const elsewhere = await invite(alice, await createGroup(alice), { expiresInSeconds: 60 })
    const [short, long] = [await invite(alice, id, { expiresInSeconds: 60 }), await invite(alice, id, { expiresInSeconds: null })]
    t.equal(long.expiresAt, null)
    for (let number = 2; number < 100; number++) await invite(alice, id, {})
    t.equal(await outcome('POST', `/v1/conversations/${id}/invites`, alice, {}, timed), '409 conflict')
    const visited: string[] = []
    for await (const one of alice.api.conversations.listInvites(id, { limit: 30 })) visited.push(one.id)
    t.equal(new Set(visited).size, 100)
    t.equal(visited.at(-1), short.id, 'the latest first')
    clock.advance(60_000)
    t.equal(await outcome('POST', `/v1/invites/${short.code}/accept`, bob, undefined, timed), '404 not_found')
    t.equal(await outcome('POST', `/v1/invites/${long.code}/accept`, bob, undefined, timed), '200')
    t.equal(await outcome('POST', `/v1/conversations/${id}/invites`, alice, {}, timed), '201', 'there is room again')
    const { rows } = await timed.database.pool.query('select id from invites where id = any($1)', [[short.id, elsewhere.id]])
    t.same(rows, [{ id: elsewhere.id }], 'what is over is swept, in this group: whoever invites holds its lock, and looks at no other')
    const full = await createGroup(alice, [bob])
    await timed.database.pool.query(
      'insert into invites (id, conversation_id, code, created_by) select gen_random_uuid(), $1, gen_random_uuid()::text, $2 from generate_series(2, 100)',
      [full, bob.id],
    )
    await alice.api.conversations.updateMember(full, bob.id, { role: 'admin' })
    await invite(bob, full, {})
    t.equal(await outcome('POST', `/v1/conversations/${full}/invites`, alice, {}, timed), '409 conflict')
    await alice.api.conversations.updateMember(full, bob.id, { role: 'member' })
    t.equal(await outcome('POST', `/v1/conversations/${full}/invites`, alice, {}, timed), '201', 'those of one who may not invite any more take no room')
    for (const body of [{ expiresInSeconds: 59 }, { expiresInSeconds: 31_536_001 }, { maxUses: 0 }, { maxUses: 10_001 }, { maxUses: null }]) {
      t.equal(await outcome('POST', `/v1/conversations/${id}/invites`, alice, body, timed), '400 validation_error')
    }
  })
})

t.test('public groups', async (t) => {
  const own = await startServer(t)
  const found = async ({ api }: Person, search?: string) => {
    const titles: (string | null)[] = []
    for await (const { title } of api.conversations.listPublic({ limit: 2, ...(search && { search }) })) titles.push(title)
    return titles
  }

  t.test('are found by title, description or tag, the newest first, and joined; private ones are not, and are nothing there', async (t) => {
    const [alice, bob] = await four(own)
    const open = { isPrivate: false }
    await createGroup(alice, [], { title: 'Private' })
    const first = await createGroup(alice, [], { ...open, title: 'Climbing 100%' })
    await createGroup(alice, [], { ...open, title: 'Chess', description: 'Not climbing' })
    await createGroup(alice, [], { ...open, title: 'Mountains', tags: ['Climbing', 'snow'] })
    const over = await createGroup(alice, [], { ...open, title: 'Over' })
    await alice.api.conversations.archive(over)
    const left = await createGroup(alice, [], { ...open, title: 'Left' })
    await alice.api.conversations.removeMember(left, alice.id)
    t.equal(await outcome('POST', `/v1/conversations/${left}/join`, bob, undefined, own), '404 not_found', 'nobody is left to lead it')
    t.same(await found(bob), ['Mountains', 'Chess', 'Climbing 100%'])
    t.same(await found(bob, 'CLIMB'), ['Mountains', 'Chess', 'Climbing 100%'])
    t.same([await found(bob, 'snow'), await found(bob, '0%'), await found(bob, '_'), await found(bob, 'Private')], [['Mountains'], ['Climbing 100%'], [], []])
    t.match((await bob.api.conversations.listPublic({ search: '100%' })).items, [{ id: first, memberCount: 1, tags: [], description: null }])

    await send(alice, first, 'Hello')
    const { conversation } = await bob.api.conversations.join(first)
    t.match(conversation, { id: first, role: 'member', memberCount: 2, lastMessage: { content: 'Hello' }, unreadCount: 0 })
    t.match(await bob.api.conversations.join(first), { conversation: { changeSeq: conversation.changeSeq } })
    t.equal(await outcome('POST', `/v1/conversations/${over}/join`, bob, undefined, own), '404 not_found')
    await alice.api.conversations.update(first, { isPrivate: true })
    await bob.api.conversations.removeMember(first, bob.id)
    t.equal(await outcome('POST', `/v1/conversations/${first}/join`, bob, undefined, own), '404 not_found')
  })

  t.test('a search that finds next to nothing among thousands looks at a bounded number for each page, and finds all', async (t) => {
    const [alice] = await four(own)
    const { pool } = own.database
    await pool.query(
      `insert into conversations (id, type, title, created_by, is_private, member_count, last_change_seq, change_seq)
        select gen_random_uuid(), 'group', case when n % 1100 = 0 then 'Needle' else 'Hay' end, $1, false, 1, 1, 1 from generate_series(1, 3300) n`,
      [alice.id],
    )
    const pages: number[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await alice.api.conversations.listPublic({ search: 'needle', ...(cursor && { cursor }) })
      pages.push(page.items.length)
      t.equal(page.hasMore, page.nextCursor !== null)
      cursor = page.nextCursor
    }
    t.equal(pages.length, 4, 'a thousand at a time')
    t.equal(
      pages.reduce((sum, length) => sum + length),
      3,
    )
    const all = new Set<string>()
    for await (const { id } of alice.api.conversations.listPublic({ limit: 100 })) all.add(id)
    t.ok(all.size >= 3300)
  })
})

t.test('a retention', async (t) => {
  const clock = createTestClock()
  const timed = await startServer(t, { clock })
  const second = await startServer(t, { clock, databaseUrl: timed.database.pool.options.connectionString ?? '' })
  const { pool } = timed.database
  const { retention } = timed.app.services

  /** Access tokens do not last as long as messages. */
  const back = async ({ email, id }: Person): Promise<Person> => {
    const api = timed.client()
    const { accessToken } = await api.auth.verifyEmail({ email, code: '000000' })
    return { api, accessToken, email, id }
  }
  /** Straight into the table: a thousand by hand would take long. */
  const fill = async (id: string, sender: Person, count: number, tombstones: number): Promise<void> => {
    await pool.query(
      `insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, content, created_at, deleted_at)
        select $1, n, c.last_change_seq + n, c.last_change_seq + n, gen_random_uuid(), $2, '', $4, case when n <= $5::int then $4::timestamptz end
        from generate_series(1, $3::int) n join conversations c on c.id = $1`,
      [id, sender.id, count, clock.now(), tombstones],
    )
    await pool.query(`update conversations set last_seq = $2::int, last_change_seq = last_change_seq + $2::int, deleted_count = $3 where id = $1`, [
      id,
      count,
      tombstones,
    ])
  }
  const rowsOf = async (id: string): Promise<number> => (await pool.query('select count(*) from messages where conversation_id = $1', [id])).rows[0].count

  t.test('really deletes what is older, with all that belongs to it, and leaves counts exact and what is newer alone', async (t) => {
    let [alice, bob] = await four(timed)
    const id = await createGroup(alice, [bob], { messageRetentionDays: 30 })
    const other = await createGroup(alice, [bob])
    for (const group of [id, other]) await send(alice, group, 'one', 'two', 'three')
    const [, original] = (await alice.api.messages.list(id)).items
    await pool.query(
      `insert into message_versions (conversation_id, seq, version, content, metadata, mentions, created_at) values ($1, 1, 1, 'before', '{}', '{}', now())`,
      [id],
    )
    await pool.query(`insert into reactions (conversation_id, seq, emoji, user_id, created_at) values ($1, 2, '+', $2, now())`, [id, bob.id])
    await pool.query(
      `insert into files (id, owner_id, conversation_id, seq, name, content_type, size_bytes, sha256, created_at)
        values (gen_random_uuid(), $2, $1, 1, 'a', 'text/plain', 1, '', now())`,
      [id, alice.id],
    )
    clock.advance(20 * day)
    ;[alice, bob] = [await back(alice), await back(bob)]
    await send(alice, id, 'four')
    await pool.query('update messages set reply_to_seq = 2 where conversation_id = $1 and seq = 4', [id])
    t.match((await bob.api.messages.list(id)).items[0], { replyTo: { messageId: original?.id } })
    clock.advance(10 * day - 60_000)
    await retention.deleteAllOld()
    t.equal(await rowsOf(id), 4, 'not a minute too early')

    clock.advance(120_000)
    ;[alice, bob] = [await back(alice), await back(bob)]
    const before = await view(bob, id)
    const socket = await timed.socket(bob.accessToken)
    socket.send({ type: 'resume', data: { cursors: { [id]: before.changeSeq } } })
    await socket.frame(({ type }) => type === 'ready')
    await retention.deleteAllOld()
    const after = await view(bob, id)
    t.match(before, { messageCount: 4, unreadCount: 4, firstSeq: 1 })
    t.match(after, { messageCount: 1, unreadCount: 1, firstSeq: 4, lastSeq: 4, changeSeq: before.changeSeq + 1, updatedAt: before.updatedAt })
    t.match((await bob.api.messages.list(id)).items, [{ content: 'four', seq: 4, replyTo: null }])
    t.match(await socket.frame(({ type }) => type === 'conversation.updated'), { changeSeq: after.changeSeq, data: { conversation: { firstSeq: 4 } } })
    t.match((await bob.api.sync.pull({ cursors: { [id]: before.changeSeq } })).changes, [
      { type: 'conversation.updated', data: { conversation: { firstSeq: 4 } } },
    ])
    for (const table of ['message_versions', 'reactions', 'files']) {
      t.same((await pool.query(`select from ${table} where conversation_id = $1`, [id])).rowCount, 0, table)
    }
    t.same(await contents(bob, other), ['one', 'two', 'three'], 'where nothing was said about it, all is kept')

    clock.advance(30 * day)
    await retention.deleteAllOld()
    bob = await back(bob)
    t.match(await view(bob, id), { messageCount: 0, unreadCount: 0, firstSeq: 5, lastSeq: 4, lastMessage: null })
    await send(bob, id, 'five')
    t.match(await view(bob, id), { messageCount: 1, firstSeq: 5, lastSeq: 5, lastMessage: { content: 'five' } })
  })

  t.test('is done soon after it was said, some at a time, by several processes at once, and goes on after it was cut off', async (t) => {
    let [alice] = await four(timed)
    const id = await createGroup(alice)
    await fill(id, alice, 1_300, 700)
    clock.advance(2 * day)
    alice = await back(alice)
    await send(alice, id, 'new')
    // As a kill would, but where we want it: the second part fails.
    await pool.query(`create function refuse() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$`)
    await pool.query(`create trigger cut before delete on messages for each row when (old.seq = 600) execute function refuse()`)
    const { changeSeq } = await view(alice, id)
    await alice.api.conversations.update(id, { messageRetentionDays: 1 })
    await until(async () => (await view(alice, id)).firstSeq === 501)
    t.match(await view(alice, id), { messageCount: 1_301 - 700, firstSeq: 501, changeSeq: changeSeq + 2 })
    await pool.query('drop trigger cut on messages')

    const other = second.app.services.retention
    await Promise.all([retention.deleteAllOld(), other.deleteAllOld(), retention.deleteOld(id as ConversationId), other.deleteOld(id as ConversationId)])
    t.match(await view(alice, id), { messageCount: 1, unreadCount: 0, firstSeq: 1_301, lastSeq: 1_301, changeSeq: changeSeq + 4 })
    t.equal(await rowsOf(id), 1)
    await alice.api.conversations.update(id, { messageRetentionDays: null })
    clock.advance(3 * day)
    await retention.deleteAllOld()
    t.equal(await rowsOf(id), 1, 'null keeps all')
  })

  t.test('ends a group that everybody has left, an hour later: messages, files and their bytes, and at last itself, also after it was cut off', async (t) => {
    let [alice, bob] = await four(timed)
    const id = await createGroup(alice, [bob], { isPrivate: false })
    await fill(id, alice, 600, 100)
    const file = await alice.api.files.upload({ file: new File(['Hello'], 'hello.txt') })
    await alice.api.conversations.sendMessage(id, { attachments: [file.id] })
    const stored = async () =>
      (await readdir(join(timed.dataDir, 'objects'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length
    const leave = (person: Person) => outcome('DELETE', `/v1/conversations/${id}/members/${person.id}`, person, undefined, timed)
    t.same([await stored(), await leave(bob), await leave(alice)], [1, '204', '204'])
    t.equal(await outcome('POST', `/v1/conversations/${id}/join`, bob, undefined, timed), '404 not_found')
    clock.advance(hour - 60_000)
    alice = await back(alice)
    await retention.deleteAllOld()
    t.same([await rowsOf(id), await leave(alice)], [601, '204'], 'until then one may leave again')

    clock.advance(60_000)
    ;[alice, bob] = [await back(alice), await back(bob)]
    await pool.query(`create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'cut off'; end $$`)
    await pool.query(`create trigger cut before delete on messages for each row when (old.seq = 550) execute function refuse()`)
    await retention.deleteAllOld()
    t.equal(await rowsOf(id), 101)
    await pool.query('drop trigger cut on messages')
    await Promise.all([retention.deleteAllOld(), second.app.services.retention.deleteAllOld()])
    const left = await pool.query(
      `select from conversations where id = $1 union all select from members where conversation_id = $1 union all select from messages where conversation_id = $1
        union all select from files where conversation_id = $1 union all select from file_usage where user_id = $2 and used_bytes > 0`,
      [id, alice.id],
    )
    t.equal(left.rowCount, 0)
    await until(async () => (await stored()) === 0)
    t.equal(await leave(alice), '404 not_found')
  })

  t.test('ends a group of which the last one is erased, and none that somebody is in', async (t) => {
    const [alice, bob] = await four(timed)
    const [own, shared] = [await createGroup(alice), await createGroup(alice, [bob])]
    await pool.query("update users set deletion_at = $2::timestamptz - interval '1 second' where id = $1", [alice.id, clock.now()])
    await timed.app.services.erasure.erase(alice.id)
    clock.advance(hour)
    await retention.deleteAllOld()
    t.same((await pool.query('select id from conversations where id = any($1)', [[own, shared]])).rows, [{ id: shared }])
  })
})
