import type { Conversation } from '@parley/sdk'
import t from 'tap'
import { startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const server = await startServer(t)

const people = (count: number): Promise<Person[]> => Promise.all(Array.from({ length: count }, () => server.signUp()))

async function createGroup(owner: Person, members: Person[]): Promise<string> {
  const { conversation } = await owner.api.conversations.create({ type: 'group', memberIds: members.map(({ id }) => id) })
  return conversation.id
}

const view = async ({ api }: Person, id: string): Promise<Conversation> => (await api.conversations.get(id)).conversation

async function send({ api }: Person, id: string, count = 1): Promise<void> {
  for (let number = 1; number <= count; number++) await api.conversations.sendMessage(id, { content: `message ${number}` })
}

/** `200`, `403 forbidden` … */
async function outcome(method: string, path: string, person: Person, body?: unknown): Promise<string> {
  const { status, json } = await server.request(method, path, { token: person.accessToken, ...(body !== undefined && { body }) })
  return status < 400 ? String(status) : `${status} ${json.error.code}`
}

t.test('read marks and unread counts', async (t) => {
  const unread = async (person: Person, id: string) => (await view(person, id)).unreadCount

  t.test('unread is exact through sends, marks and joins', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob])
    await send(alice, id, 5)
    t.same(await Promise.all([unread(alice, id), unread(bob, id)]), [0, 5], 'sending moves the own mark')
    t.same(await bob.api.conversations.markRead(id, { seq: 3 }), { readSeq: 3, readRanges: [], unreadCount: 2 })
    await alice.api.conversations.addMembers(id, { userIds: [carol.id] })
    t.equal(await unread(carol, id), 0, 'what was said before one joined is history')
    await send(carol, id)
    t.same(await Promise.all([unread(alice, id), unread(bob, id), unread(carol, id)]), [1, 3, 0])
    await send(bob, id)
    t.same(await Promise.all([unread(alice, id), unread(bob, id), unread(carol, id)]), [2, 0, 1], 'writing is having read')
  })

  t.test('messages that were emptied are not unread, wherever the mark stands', async (t) => {
    const emptying = await startServer(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
    const [alice, bob, carol] = await Promise.all([emptying.signUp(), emptying.signUp(), emptying.signUp()])
    const id = await createGroup(alice, [bob, carol])
    for (const sender of [bob, carol, bob, carol, carol, bob]) await send(sender, id)
    await alice.api.conversations.markRead(id, { seq: 1 })
    await emptying.database.pool.query(`update users set deletion_at = now() - interval '1 minute' where id = $1`, [bob.id])
    await emptying.app.services.erasure.erase(bob.id)

    t.equal(await unread(alice, id), 3, 'of 2 to 6 three are left')
    t.match((await alice.api.conversations.list()).items, [{ id, lastSeq: 6, unreadCount: 3 }])
    t.equal(await unread(carol, id), 0, 'what was emptied is the last one')
    for (const [seq, unreadCount] of [
      [1, 3],
      [2, 2],
      [3, 2],
      [4, 1],
      [6, 0],
    ] as const)
      t.same(await alice.api.conversations.markRead(id, { seq }), { readSeq: seq, readRanges: [], unreadCount })
    await send(carol, id)
    t.equal(await unread(alice, id), 1)
  })

  t.test('a mark never goes back, and beyond the newest means the newest', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await send(alice, id, 4)
    const mark = (seq: number) => bob.api.conversations.markRead(id, { seq })
    t.same(await mark(3), { readSeq: 3, readRanges: [], unreadCount: 1 })
    t.same(await mark(2), { readSeq: 3, readRanges: [], unreadCount: 1 })
    t.same(await mark(Number.MAX_SAFE_INTEGER), { readSeq: 4, readRanges: [], unreadCount: 0 })
    await send(alice, id)
    t.equal(await unread(bob, id), 1)
    t.equal(await outcome('POST', `/v1/conversations/${id}/read`, bob, { seq: -1 }), '400 validation_error')
    t.equal(await outcome('POST', `/v1/conversations/${id}/read`, bob, { seq: 1.5 }), '400 validation_error')
  })

  t.test('of many marks at once the highest stands, and no answer is behind what it asked for', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await send(alice, id, 20)
    const asked = [20, 1, 19, 2, 18, 3, 17, 4, 16, 5]
    const answers = await Promise.all(asked.map((seq) => bob.api.conversations.markRead(id, { seq })))
    const behind = answers.filter(({ readSeq, unreadCount }, index) => readSeq < (asked[index] ?? 0) || unreadCount !== 20 - readSeq)
    t.same(behind, [])
    t.equal(await unread(bob, id), 0)
  })

  t.test('others see the mark of each member', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await send(alice, id, 3)
    await bob.api.conversations.markRead(id, { seq: 2 })
    t.same(
      (await view(alice, id)).members.map(({ readSeq }) => readSeq),
      [3, 2],
    )
  })
})
