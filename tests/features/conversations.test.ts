import { randomInt, randomUUID } from 'node:crypto'
import type { Conversation, Page } from '@parley/sdk'
import t, { type Test } from 'tap'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { createRandom } from '../helpers/random.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const server = await startServer(t)

const people = (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))
const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)))
const distinct = <T>(values: T[]): T[] => [...new Set(values)]

async function createGroup(owner: Person, members: Person[], title = 'Lunch'): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id), title })
  return conversation.id
}

const view = async ({ api }: Person, id: string): Promise<Conversation> => (await api.conversations.get(id)).conversation

async function send({ api }: Person, id: string, count = 1): Promise<void> {
  for (let number = 1; number <= count; number++) await api.conversations.sendMessage(id, { content: `message ${number}` })
}

/** Who is what, in the order of joining. */
async function rolesOf({ api }: Person, id: string, names: Record<string, Person>): Promise<string[]> {
  const nameOf = new Map(Object.entries(names).map(([name, person]): [string, string] => [person.id, name]))
  const roles: string[] = []
  for await (const { user, role } of api.conversations.listMembers(id)) roles.push(`${nameOf.get(user.id)} ${role}`)
  return roles
}

/** `200`, `403 forbidden` … */
async function outcome(method: string, path: string, person: Person, body?: unknown): Promise<string> {
  const { status, json } = await server.request(method, path, { token: person.accessToken, ...(body !== undefined && { body }) })
  return status < 400 ? String(status) : `${status} ${json.error.code}`
}

t.test('direct conversations', async (t) => {
  t.test('two people have one, also when both create it at once, over and over', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const answers = await times(20, (index) => {
      const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice]
      return server.request('POST', '/v1/conversations', { token: from.accessToken, body: { type: 'direct', memberIds: [to.id] } })
    })
    t.equal(distinct(answers.map(({ json }) => json.conversation.id)).length, 1)
    t.equal(answers.filter(({ status }) => status === 201).length, 1, 'one of them created it')
    t.equal(answers.filter(({ status }) => status === 200).length, 19, 'the others found it')
    t.match(await view(bob, answers[0]?.json.conversation.id), { type: 'direct', title: null, memberCount: 2, role: 'member', unreadCount: 0 })
    t.equal((await alice.api.conversations.list()).items.length, 1)
  })

  t.test('it is with exactly one other user, who exists, and has no title', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const create = (memberIds: string[], more = {}) => outcome('POST', '/v1/conversations', alice, { type: 'direct', memberIds, ...more })
    t.equal(await create([]), '400 validation_error')
    t.equal(await create([alice.id]), '400 validation_error')
    t.equal(await create([bob.id, carol.id]), '400 validation_error')
    t.equal(await create([bob.id], { title: 'Us' }), '400 validation_error')
    t.equal(await create([randomUUID()]), '404 not_found')
    t.equal(await create([bob.id.toUpperCase()]), '400 validation_error', 'an id in another spelling would be another pair')
    t.same((await alice.api.conversations.list()).items, [], 'none of these created anything')
  })

  t.test('nobody is added to it, removed from it or given a role, and it gets no title', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const { conversation } = await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })
    const path = `/v1/conversations/${conversation.id}`
    const attempts = (person: Person) =>
      Promise.all([
        outcome('PATCH', path, person, { title: 'Us' }),
        outcome('POST', `${path}/members`, person, { userIds: [carol.id] }),
        outcome('PATCH', `${path}/members/${bob.id}`, person, { role: 'owner' }),
        outcome('DELETE', `${path}/members/${bob.id}`, person),
        outcome('DELETE', `${path}/members/${alice.id}`, person),
      ])
    t.same(await attempts(alice), ['400 validation_error', ...Array(4).fill('409 conflict')])
    t.same(await attempts(carol), Array(5).fill('404 not_found'), 'a stranger does not learn that it exists')
    t.same(await view(alice, conversation.id), conversation, 'it is as it was')
  })
})

t.test('whoever has been blocked changes nothing any more, from the acknowledgement on', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const { id } = (await alice.api.conversations.create({ type: 'direct', memberIds: [bob.id] })).conversation
  const { pool } = server.database
  await pool.query(`create function wait_for_it() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(42); return new; end $$`)
  await pool.query(`create trigger slow before update of status on conversations for each row execute function wait_for_it()`)
  const gate = await pool.connect()
  await gate.query('begin')
  await gate.query('select pg_advisory_xact_lock(42)')
  const acknowledged: string[] = []
  const waiting = async () => (await pool.query("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rowCount ?? 0
  const archiving = alice.api.conversations.archive(id).then(() => acknowledged.push('archived'))
  while ((await waiting()) < 1);
  const blocking = bob.api.users.block(alice.id).then(() => acknowledged.push('blocked'))
  while (acknowledged.length === 0 && (await waiting()) < 2);
  await gate.query('commit')
  gate.release()
  await Promise.all([archiving, blocking])
  await pool.query('drop trigger slow on conversations')
  t.same(acknowledged, ['archived', 'blocked'])
  t.equal(await outcome('PATCH', `/v1/conversations/${id}`, alice, { status: 'active' }), '403 forbidden')
})

t.test('groups', async (t) => {
  t.test('one is created once per clientId, also in parallel, by body or header', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const create = (person: Person, options: { clientId?: string; key?: string }) =>
      server.request('POST', '/v1/conversations', {
        token: person.accessToken,
        body: { type: 'group', memberIds: [], title: 'Once', ...(options.clientId && { clientId: options.clientId }) },
        headers: options.key ? { 'idempotency-key': options.key } : {},
      })
    const answers = await times(20, (index) => create(alice, index % 2 === 0 ? { clientId: 'lunch' } : { key: 'lunch' }))
    t.equal(distinct(answers.map(({ json }) => json.conversation.id)).length, 1)
    t.equal(answers.filter(({ status }) => status === 201).length, 1)
    t.equal((await create(bob, { clientId: 'lunch' })).status, 201, 'the same clientId of somebody else is another group')
    t.equal((await create(alice, { clientId: 'dinner' })).status, 201)
    t.not((await create(alice, {})).json.conversation.id, (await create(alice, {})).json.conversation.id, 'without one, each is its own')
  })

  t.test('its creator is owner, those named are members, oneself may be among them', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob, alice, carol])
    t.same(await rolesOf(carol, id, { alice, bob, carol }), ['alice owner', 'bob member', 'carol member'])
    const seen = await view(alice, id)
    t.match(seen, { type: 'group', title: 'Lunch', createdBy: alice.id, role: 'owner', memberCount: 3, lastMessage: null, lastSeq: 0 })
    t.same(
      seen.members.map(({ user }) => user.id),
      [alice.id, bob.id, carol.id],
    )
  })

  t.test('one with an unknown member is not created, and nobody is in it', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    t.equal(await outcome('POST', '/v1/conversations', alice, { type: 'group', memberIds: [bob.id, randomUUID()] }), '404 not_found')
    t.same((await bob.api.conversations.list()).items, [])
  })
})

t.test('who may do what in a group', async (t) => {
  const [owner, admin, member, former, stranger, target] = (await people(6)) as [Person, Person, Person, Person, Person, Person]
  const actors = { owner, admin, member, former, stranger }
  const outcomes = async (act: (person: Person) => Promise<string>) => {
    const entries = Object.entries(actors).map(async ([name, person]) => [name, await act(person)])
    return Object.fromEntries(await Promise.all(entries))
  }
  const group = async (): Promise<string> => {
    const id = await createGroup(owner, [admin, member, former, target])
    await owner.api.conversations.updateMember(id, admin.id, { role: 'admin' })
    await owner.api.conversations.removeMember(id, former.id)
    return id
  }
  const outside = { former: '404 not_found', stranger: '404 not_found' }

  t.test('see it: its members', async (t) => {
    const id = await group()
    for (const path of ['', '/members', '/messages']) {
      const seen = await outcomes((person) => outcome('GET', `/v1/conversations/${id}${path}`, person))
      t.same(seen, { owner: '200', admin: '200', member: '200', ...outside }, `GET ${path}`)
    }
    const missing = await server.request('GET', `/v1/conversations/${randomUUID()}`, { token: stranger.accessToken })
    const hidden = await server.request('GET', `/v1/conversations/${id}`, { token: stranger.accessToken })
    const { code, message } = hidden.json.error
    t.match(missing.json.error, { code, message }, 'what one may not see does not differ from what is not there')
  })

  t.test('rename it: owners and admins', async (t) => {
    const id = await group()
    const seen = await outcomes((person) => outcome('PATCH', `/v1/conversations/${id}`, person, { title: 'Late lunch' }))
    t.same(seen, { owner: '200', admin: '200', member: '403 forbidden', ...outside })
    t.equal((await view(member, id)).title, 'Late lunch')
  })

  t.test('add members: owners and admins', async (t) => {
    const id = await group()
    const seen = await outcomes((person) =>
      outcome('POST', `/v1/conversations/${id}/members`, person, { userIds: [stranger.id === person.id ? target.id : member.id] }),
    )
    t.same(seen, { owner: '200', admin: '200', member: '403 forbidden', ...outside })
  })

  t.test('change roles: owners', async (t) => {
    const id = await group()
    const seen = await outcomes((person) => outcome('PATCH', `/v1/conversations/${id}/members/${target.id}`, person, { role: 'admin' }))
    t.same(seen, { owner: '200', admin: '403 forbidden', member: '403 forbidden', ...outside })
  })

  t.test('remove: owners anybody, admins members', async (t) => {
    const id = await group()
    const remove = (person: Person, other: Person) => outcome('DELETE', `/v1/conversations/${id}/members/${other.id}`, person)
    t.equal(await remove(former, target), '404 not_found')
    t.equal(await remove(stranger, target), '404 not_found')
    t.equal(await remove(member, target), '403 forbidden')
    t.equal(await remove(admin, owner), '403 forbidden')
    await owner.api.conversations.updateMember(id, target.id, { role: 'admin' })
    t.equal(await remove(admin, target), '403 forbidden', 'an admin is not removed by another')
    await owner.api.conversations.updateMember(id, target.id, { role: 'member' })
    t.equal(await remove(admin, target), '204')
    t.equal(await remove(owner, admin), '204')
    t.equal(await remove(owner, admin), '204', 'removing one who is no member succeeds')
    t.equal(await remove(owner, stranger), '204')
    t.same(await rolesOf(owner, id, actors), ['owner owner', 'member member'])
  })

  t.test('write, mark and type: members', async (t) => {
    const id = await group()
    const path = `/v1/conversations/${id}`
    t.same(await outcomes((person) => outcome('POST', `${path}/messages`, person, { content: 'hello' })), {
      owner: '201',
      admin: '201',
      member: '201',
      ...outside,
    })
    t.same(await outcomes((person) => outcome('POST', `${path}/read`, person, { seq: 1 })), { owner: '200', admin: '200', member: '200', ...outside })
    t.same(await outcomes((person) => outcome('POST', `${path}/typing`, person, { typing: true })), { owner: '204', admin: '204', member: '204', ...outside })
  })
})

t.test('owners', async (t) => {
  t.test('the last one who leaves hands over to the admin who joined first', async (t) => {
    const [alice, bob, carol, dave] = (await people(4)) as [Person, Person, Person, Person]
    const id = await createGroup(alice, [bob, carol, dave])
    await alice.api.conversations.updateMember(id, dave.id, { role: 'admin' })
    await alice.api.conversations.updateMember(id, carol.id, { role: 'admin' })
    await alice.api.conversations.removeMember(id, alice.id)
    t.same(await rolesOf(bob, id, { alice, bob, carol, dave }), ['bob member', 'carol owner', 'dave admin'])
  })

  t.test('and where there is no admin to the member who joined first; the very last leaves nobody behind', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob, carol])
    await alice.api.conversations.removeMember(id, alice.id)
    t.same(await rolesOf(bob, id, { bob, carol }), ['bob owner', 'carol member'])
    await bob.api.conversations.removeMember(id, bob.id)
    t.same(await rolesOf(carol, id, { carol }), ['carol owner'])
    await carol.api.conversations.removeMember(id, carol.id)
    t.equal(await outcome('GET', `/v1/conversations/${id}`, carol), '404 not_found')
  })

  t.test('the last one stays owner; one of two may step down, also when both try at once', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const demote = (person: Person) => outcome('PATCH', `/v1/conversations/${id}/members/${person.id}`, person, { role: 'member' })
    t.equal(await demote(alice), '409 conflict')
    await alice.api.conversations.updateMember(id, bob.id, { role: 'owner' })
    t.same((await Promise.all([demote(alice), demote(bob)])).sort(), ['200', '409 conflict'])
  })

  t.test('two who leave at once leave an owner behind', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob, carol])
    await alice.api.conversations.updateMember(id, bob.id, { role: 'owner' })
    await Promise.all([alice, bob].map(({ api, id: userId }) => api.conversations.removeMember(id, userId)))
    t.same(await rolesOf(carol, id, { carol }), ['carol owner'])
  })

  t.test('a role is given to members only', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [])
    t.equal(await outcome('PATCH', `/v1/conversations/${id}/members/${bob.id}`, alice, { role: 'admin' }), '404 not_found')
    t.equal(await outcome('PATCH', `/v1/conversations/${id}/members/${alice.id}`, alice, { role: 'king' }), '400 validation_error')
  })
})

t.test('joining and leaving', async (t) => {
  t.test('leaving twice succeeds, and whoever left sees nothing any more', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const leave = () => outcome('DELETE', `/v1/conversations/${id}/members/${bob.id}`, bob)
    t.equal(await leave(), '204')
    t.equal(await leave(), '204')
    t.same((await bob.api.conversations.list()).items, [])
    t.equal((await view(alice, id)).memberCount, 1)
  })

  t.test('an unknown user is 404, and nobody is added', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [])
    t.equal(await outcome('POST', `/v1/conversations/${id}/members`, alice, { userIds: [bob.id, randomUUID()] }), '404 not_found')
    t.equal((await view(alice, id)).memberCount, 1)
    t.same((await bob.api.conversations.list()).items, [])
  })

  t.test('those who are members stay as they are, also when they are added by many at once', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob])
    await alice.api.conversations.updateMember(id, bob.id, { role: 'admin' })
    const { changeSeq } = await view(alice, id)
    const answers = await times(10, () => alice.api.conversations.addMembers(id, { userIds: [bob.id, carol.id] }))
    for (const { members } of answers)
      t.same(
        members.map(({ user, role }) => [user.id, role]),
        [
          [bob.id, 'admin'],
          [carol.id, 'member'],
        ],
      )
    t.match(await view(alice, id), { memberCount: 3, changeSeq: changeSeq + 1 }, 'it was one change')
  })

  t.test('many are written at once, so that nobody waits the longer for the lock, and numbered in the order of their names', async (t) => {
    const [alice, ...others] = (await people(12)) as [Person, ...Person[]]
    const [first = [], second = [], left] = [others.slice(0, 6), others.slice(6).reverse(), others[0] as Person]
    const id = await createGroup(alice, first)
    const statements = async () => {
      const { rows } = await server.database.pool.query(
        'select count(distinct (xmin::text, cmin::text))::int as number from members where conversation_id = $1',
        [id],
      )
      return rows[0].number
    }
    const numbered = async (): Promise<unknown[]> => {
      const { rows } = await server.database.pool.query(
        'select user_id as id, joined_change_seq as seq, change_seq as change from members where conversation_id = $1 order by 2',
        [id],
      )
      return rows
    }
    t.equal(await statements(), 1, 'by one statement with the group')
    t.same(
      await numbered(),
      [alice, ...first].map((person, index) => ({ id: person.id, seq: index + 2, change: index + 2 })),
    )
    await alice.api.conversations.removeMember(id, left.id)
    const heard: unknown[] = []
    server.app.topics.subscribe('conversation', id as ConversationId, (event) =>
      heard.push(event.type === 'member.joined' && [event.changeSeq, event.member.user.id]),
    )
    const added = [...second, alice, left]
    const userIds = added.map((person) => person.id)
    t.same(
      (await alice.api.conversations.addMembers(id, { userIds })).members.map(({ user }) => user.id),
      [alice, ...second, left].map((person) => person.id),
    )
    t.same(
      heard,
      [...second, left].map((person, index) => [10 + index, person.id]),
      'in the order of their names, without those who are members',
    )
    t.equal(await statements(), 2, 'and by one statement more for those who are added')
    t.match(await view(alice, id), { memberCount: 12, changeSeq: 15 })
  })

  t.test('whoever joins again is a member like a new one, with nothing unread', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await alice.api.conversations.updateMember(id, bob.id, { role: 'admin' })
    await alice.api.conversations.removeMember(id, bob.id)
    await send(alice, id, 3)
    await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
    t.match(await view(bob, id), { role: 'member', unreadCount: 0, readSeq: 3, lastSeq: 3, memberCount: 2 })
    await send(alice, id)
    t.match(await view(bob, id), { unreadCount: 1 })
  })

  t.test('a change that changes nothing is none', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const before = await view(alice, id)
    await alice.api.conversations.update(id, { title: 'Lunch' })
    await alice.api.conversations.updateMember(id, bob.id, { role: 'member' })
    await alice.api.conversations.markRead(id, { seq: 0 })
    t.same(await view(alice, id), before)
  })
})

t.test('lists', async (t) => {
  const pagesOf = async <T>(read: (cursor: string | undefined) => Promise<Page<T>>, between: () => Promise<unknown> = async () => {}): Promise<T[][]> => {
    const pages: T[][] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const { items, nextCursor, hasMore } = await read(cursor)
      if (hasMore !== (nextCursor !== null)) throw new Error('hasMore and nextCursor contradict one another')
      pages.push(items)
      cursor = nextCursor
      await between()
    }
    return pages
  }

  t.test('the conversation with the latest message or change comes first', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const [first, second, third] = [await createGroup(alice, []), await createGroup(alice, [bob]), await createGroup(alice, [])]
    const order = async () => (await alice.api.conversations.list()).items.map(({ id }) => id)
    t.same(await order(), [third, second, first])
    await send(bob, second)
    t.same(await order(), [second, third, first])
    await alice.api.conversations.update(first, { title: 'Breakfast' })
    t.same(await order(), [first, second, third])
    await bob.api.conversations.markRead(second, { seq: 1 })
    t.same(await order(), [first, second, third], 'reading moves nothing')
  })

  t.test('its cursors visit each conversation once, and skip only what messages move to the front', async (t) => {
    const [alice] = (await people(1)) as [Person]
    const ids: string[] = []
    for (let number = 0; number < 23; number++) ids.push(await createGroup(alice, []))
    const still = await pagesOf((cursor) => alice.api.conversations.list({ limit: 5, ...(cursor && { cursor }) }))
    t.same(
      still.map((page) => page.length),
      [5, 5, 5, 5, 3],
    )
    t.same(
      still.flat().map(({ id }) => id),
      ids.toReversed(),
    )

    const moved = new Set<string>()
    const pages = await pagesOf(
      (cursor) => alice.api.conversations.list({ limit: 5, ...(cursor && { cursor }) }),
      async () => {
        const next = [ids[2], ids[21], ids[11]][moved.size]
        if (next === undefined) return
        moved.add(next)
        await send(alice, next)
      },
    )
    const visited = pages.flat().map(({ id }) => id)
    t.same(distinct(visited), visited, 'none twice')
    t.same(
      ids.filter((id) => !visited.includes(id) && !moved.has(id)),
      [],
      'none that did not move is missing',
    )
    const front = (await alice.api.conversations.list({ limit: 3 })).items.map(({ id }) => id)
    t.same(front, [...moved].reverse(), 'those that moved are where the next look begins')
  })

  t.test('every filter, order and way of paging gives what one would pick by hand', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const name = (word: string) => `${word} ${randomUUID().slice(0, 8)}`
    const bobsName = name('Lunchtime Bob')
    await bob.api.users.updateMe({ displayName: bobsName })
    for (const other of [bob, carol]) await alice.api.conversations.create({ type: 'direct', memberIds: [other.id] })
    const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31))
    t.comment(`TEST_SEED=${seed} repeats it`)
    const random = createRandom(seed)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
    for (let number = 0; number < 30; number++) {
      const summary = pick([{}, { summary: 'They went to lunch' }, { summary: '100%_sure' }])
      await pick([alice, bob]).api.conversations.create({
        ...{ type: 'group', memberIds: [alice.id, bob.id], title: pick(['Lunch', 'LUNCH break', 'Dinner', 'Ünder']), ...summary },
        historyVisibility: pick(['all', 'sinceJoined']),
      })
    }
    const ids: string[] = []
    for await (const { id } of alice.api.conversations.list()) ids.push(id)
    for (const id of ids) {
      const { type, role } = await view(alice, id)
      const owner = type === 'group' && role === 'member' ? bob : alice
      for (let sent = pick([0, 1, 3]); sent > 0; sent--) await send(pick([alice, owner]), id)
      if (pick([true, false])) await alice.api.conversations.updateMembership(id, { muted: pick([true, false]), pinned: pick([true, false]) })
      if (pick([true, false])) await owner.api.conversations.update(id, { status: pick(['active', 'archived', 'closed']) }).catch(() => undefined)
    }

    const all = await Promise.all(ids.map((id) => view(alice, id)))
    for (const conversation of all) {
      const messages = (await alice.api.messages.list(conversation.id)).items
      const unread = messages.filter(({ seq, deletedAt }) => seq > conversation.readSeq && deletedAt === null)
      t.match(conversation, { messageCount: messages.length, unreadCount: unread.length })
      t.same(conversation.lastMessage, messages[0] ?? null)
    }
    interface Query {
      status?: Conversation['status']
      type?: Conversation['type']
      search?: string
      muted?: boolean
      unread?: boolean
      pinnedFirst?: boolean
      sortBy?: 'createdAt' | 'updatedAt'
      sortOrder?: 'asc' | 'desc'
    }
    const byHand = ({ status, type, search, muted, unread, pinnedFirst = false, sortBy = 'updatedAt', sortOrder = 'desc' }: Query): string[] => {
      const says = (text: string | null | undefined) => text?.toLowerCase().includes(search?.toLowerCase() ?? '')
      const otherName = ({ type: kind, members }: Conversation) =>
        kind === 'direct' ? members.find(({ user }) => user.id !== alice.id)?.user.displayName : null
      const wanted = all.filter(
        (one) =>
          (status === undefined ? one.status !== 'archived' : one.status === status) &&
          (type === undefined || one.type === type) &&
          (search === undefined || says(one.title) || says(one.summary) || says(otherName(one))) &&
          (muted === undefined || one.muted === muted) &&
          (unread === undefined || one.unreadCount > 0 === unread),
      )
      const sign = sortOrder === 'desc' ? -1 : 1
      const rank = (one: Conversation) => (pinnedFirst && one.pinned ? 0 : 1)
      const key = (one: Conversation) => `${one[sortBy]} ${one.id}`
      return wanted.toSorted((a, b) => rank(a) - rank(b) || (key(a) < key(b) ? -sign : sign)).map(({ id }) => id)
    }

    const maybe = <T>(field: string, values: readonly T[]) => (pick([true, false]) ? { [field]: pick(values) } : {})
    const seen = new Set<number>()
    for (let round = 0; round < 60; round++) {
      const query: Query = {
        ...{ ...maybe('status', ['active', 'archived', 'closed']), ...maybe('type', ['direct', 'group']), ...maybe('muted', [true, false]) },
        ...{ ...maybe('search', ['lunch', 'LUNCHTIME', 'ünder', '%', '_', 'e', 'nothing']), ...maybe('unread', [true, false]) },
        ...{ ...maybe('pinnedFirst', [true, false]), ...maybe('sortBy', ['createdAt', 'updatedAt']), ...maybe('sortOrder', ['asc', 'desc']) },
      }
      const expected = byHand(query)
      seen.add(expected.length)
      const limit = pick([1, 4, 20])
      const byCursor = await pagesOf((cursor) => alice.api.conversations.list({ ...query, limit, ...(cursor && { cursor }) }))
      t.same(
        byCursor.flat().map(({ id }) => id),
        expected,
        JSON.stringify(query),
      )
      const page = pick([1, 2, 3])
      const search = new URLSearchParams(
        Object.entries({ ...query, limit, page, includeTotal: true }).map(([field, value]): [string, string] => [field, `${value}`]),
      )
      const { json, headers } = await server.request('GET', `/v1/conversations?${search}`, { token: alice.accessToken })
      t.same(
        json.items.map(({ id }: Conversation) => id),
        expected.slice((page - 1) * limit, page * limit),
      )
      t.equal(json.total, expected.length)
      const named = ['total', 'pages', 'current-page', 'per-page'].map((field) => headers.get(`x-pagination-${field}`))
      t.same(named, [expected.length, Math.ceil(expected.length / limit), page, limit].map(String))
    }
    t.ok(seen.size > 3, 'some find much and some little')
    const plain = await server.request('GET', '/v1/conversations', { token: alice.accessToken })
    t.same([plain.headers.get('x-pagination-total'), plain.json.total], [null, undefined], 'nobody asked')
    const cursor = (await alice.api.conversations.list({ limit: 1 })).nextCursor
    for (const search of [
      `cursor=${cursor}&sortBy=createdAt`,
      `cursor=${cursor}&sortOrder=asc`,
      `cursor=${cursor}&pinnedFirst=true`,
      `cursor=${cursor}&page=2`,
    ]) {
      t.equal(await outcome('GET', `/v1/conversations?${search}`, alice), '400 validation_error', search)
    }
  })

  t.test('members are listed in the order of joining, page by page', async (t) => {
    const [alice, ...others] = (await people(12)) as [Person, ...Person[]]
    const id = await createGroup(alice, others)
    await alice.api.conversations.removeMember(id, others[3]?.id ?? '')
    const pages = await pagesOf((cursor) => alice.api.conversations.listMembers(id, { limit: 4, ...(cursor && { cursor }) }))
    t.same(
      pages.map((page) => page.length),
      [4, 4, 3],
    )
    t.same(
      pages.flat().map(({ user }) => user.id),
      [alice, ...others.filter((_, index) => index !== 3)].map((person) => person.id),
    )
    t.equal((await view(alice, id)).members.length, 10, 'the conversation itself shows the first ten')
  })

  t.test('a cursor of another list is refused', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const other = await createGroup(alice, [])
    for (const group of [id, other]) await send(alice, group, 2)
    const cursorOf = async (page: PromiseLike<{ nextCursor: string | null }>) => (await page).nextCursor ?? ''
    const lists = {
      '/v1/conversations': await cursorOf(alice.api.conversations.list({ limit: 1 })),
      [`/v1/conversations/${id}/members`]: await cursorOf(alice.api.conversations.listMembers(id, { limit: 1 })),
      [`/v1/conversations/${id}/messages`]: await cursorOf(alice.api.messages.list(id, { limit: 1 })),
      [`/v1/conversations/${other}/messages`]: await cursorOf(alice.api.messages.list(other, { limit: 1 })),
    }
    for (const [path, own] of Object.entries(lists)) {
      for (const cursor of [...Object.values(lists), 'nonsense', Buffer.from('[1e999,"x"]').toString('base64url')]) {
        t.equal(await outcome('GET', `${path}?cursor=${cursor}`, alice), cursor === own ? '200' : '400 validation_error')
      }
    }
    const { id: messageId } = (await alice.api.messages.list(id)).items[0] ?? {}
    const wrong = {
      [`/v1/conversations/${id}/messages`]: ['sideways', 1, id],
      [`/v1/conversations/${id}/members`]: [-1],
      [`/v1/messages/${messageId}/history`]: [-3e9],
    }
    for (const [path, values] of Object.entries(wrong)) {
      const cursor = Buffer.from(JSON.stringify(values)).toString('base64url')
      t.equal(await outcome('GET', `${path}?cursor=${cursor}`, alice), '400 validation_error', JSON.stringify(values))
    }
  })
})

t.test('numbers stay whole while everybody changes everything at once', async (t) => {
  const [alice, ...others] = (await people(8)) as [Person, ...Person[]]
  const first = others.slice(0, 4)
  const id = await createGroup(alice, first)
  const written = await Promise.all([alice, ...first].map(async (person) => (await person.api.conversations.sendMessage(id, { content: 'before' })).message))
  const own = ({ id: userId }: Person) => written.find(({ senderId }) => senderId === userId)?.id ?? ''
  const answers = await Promise.allSettled([
    ...others.slice(4).map((person) => alice.api.conversations.addMembers(id, { userIds: [person.id] })),
    ...first.map((person) => person.api.conversations.sendMessage(id, { content: 'hello', replyTo: own(alice) })),
    ...first.map((person) => person.api.conversations.markRead(id, { seq: 1 })),
    ...first.map((person) => person.api.conversations.markDelivered(id, { seq: 5 })),
    ...first.map((person) => person.api.messages.markRead({ messageIds: [own(alice), own(person)] })),
    ...first.map((person) => person.api.conversations.updateMembership(id, { muted: true })),
    ...first.map((person) => person.api.messages.update(own(person), { content: 'edited' })),
    ...first.map((person) => person.api.messages.addReaction(own(alice), '👍')),
    ...first.slice(1, 3).map((person) => alice.api.messages.delete(own(person))),
    ...others.slice(2, 4).map((person) => alice.api.conversations.updateMember(id, person.id, { role: 'admin' })),
    ...['Breakfast', 'Dinner'].map((title) => alice.api.conversations.update(id, { title })),
    ...first.slice(0, 1).map((person) => person.api.conversations.removeMember(id, person.id)),
  ])
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.code] : []))
  t.same(
    refused.filter((code) => code !== 'not_found' && code !== 'conflict'),
    [],
    'only who has left, and what is deleted, is refused',
  )
  await noDoubledNumbers(t, id)
  const seen = await view(alice, id)
  t.equal(seen.memberCount, 7)
  const messages = (await alice.api.messages.list(id, { limit: 100 })).items
  t.same(
    messages.map(({ seq }) => seq).reverse(),
    Array.from({ length: seen.lastSeq }, (_, index) => index + 1),
    'no message has the number of another, and none is missing',
  )
  t.equal(seen.messageCount, messages.filter(({ deletedAt }) => deletedAt === null).length)
  const kept = [...seen.members].filter(({ user }) => first.slice(1).some((person) => person.id === user.id))
  t.ok(
    kept.every(({ readSeq, deliveredSeq }) => readSeq >= 1 && deliveredSeq >= 5),
    'no mark is lost',
  )
})

/** Each change has a number of its own, up to the counter. */
async function noDoubledNumbers(t: Test, id: string): Promise<void> {
  const { rows } = await server.database.pool.query<{ number: number; head: number }>(
    `select number, (select last_change_seq from conversations where id = $1) as head from (
       select change_seq as number from messages where conversation_id = $1
       union all select unnest(array[change_seq, read_change_seq, delivered_change_seq, own_change_seq]) from members where conversation_id = $1
       union all select change_seq from conversations where id = $1) numbers where number > 0 order by number`,
    [id],
  )
  const numbers = rows.map(({ number }) => number)
  t.same(distinct(numbers), numbers, 'no number stands for two changes')
  t.equal(numbers.at(-1), rows[0]?.head, 'the counter stands at the last of them')
}

t.test('nothing is open to those who are not signed in', async (t) => {
  const id = randomUUID()
  const paths = [
    'GET /v1/conversations',
    'POST /v1/conversations',
    `GET /v1/conversations/${id}`,
    `PATCH /v1/conversations/${id}`,
    `POST /v1/conversations/${id}/read`,
  ]
  for (const path of paths) {
    const [method = '', url = ''] = path.split(' ')
    t.equal((await server.request(method, url, method === 'GET' ? {} : { body: {} })).status, 401, path)
  }
})
