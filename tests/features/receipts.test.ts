/** What members have read and what has reached them: marks, one by one too, unread counts, and how far messages have come. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Conversation, Message } from '@parley/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { ConversationId } from '../../openapi/shared/ids.ts'
import { unreadCount } from '../../src/db/unread.ts'
import type { Change } from '../../src/topics.ts'
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

async function sendMany({ api }: Person, id: string, count: number): Promise<Message[]> {
  const messages: Message[] = []
  for (let number = 1; number <= count; number++) messages.push((await api.conversations.sendMessage(id, { content: `message ${number}` })).message)
  return messages
}

/** What is told of a conversation from now on. */
function listen(id: string): Change[] {
  const heard: Change[] = []
  server.app.topics.subscribe('conversation', id as ConversationId, (event) => {
    if ('changeSeq' in event && event.type !== 'advanced') heard.push(event)
  })
  return heard
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

t.test('marking messages one by one', async (t) => {
  const mark = (person: Person, messageIds: string[]) => person.api.messages.markRead({ messageIds })

  t.test('reads exactly these, and what closes a gap melts into the mark', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const ids = (await sendMany(alice, id, 8)).map((message) => message.id)
    const idsOf = (...seqs: number[]) => seqs.map((seq) => ids[seq - 1] ?? '')
    const heard = listen(id)
    t.same(await mark(bob, idsOf(3, 5, 6)), {
      marks: [
        {
          conversationId: id,
          readSeq: 0,
          readRanges: [
            [3, 3],
            [5, 6],
          ],
          unreadCount: 5,
        },
      ],
    })
    t.match(await view(bob, id), {
      readSeq: 0,
      readRanges: [
        [3, 3],
        [5, 6],
      ],
      unreadCount: 5,
    })
    const seenByOthers = [(await alice.api.conversations.listMembers(id)).items[1], (await view(alice, id)).members[1]]
    for (const member of seenByOthers) t.match(member, { readSeq: 0, readRanges: undefined }, 'of others the event tells, and the receipts of a message')
    t.match(heard, [
      {
        type: 'read',
        userId: bob.id,
        readSeq: 0,
        readRanges: [
          [3, 3],
          [5, 6],
        ],
      },
    ])
    t.same((await mark(bob, idsOf(5, 3))).marks, [
      {
        conversationId: id,
        readSeq: 0,
        readRanges: [
          [3, 3],
          [5, 6],
        ],
        unreadCount: 5,
      },
    ])
    t.equal(heard.length, 1, 'again is no change')
    t.match(await mark(bob, idsOf(1, 2)), { marks: [{ readSeq: 3, readRanges: [[5, 6]], unreadCount: 3 }] })
    t.same(await bob.api.conversations.markRead(id, { seq: 4 }), { readSeq: 6, readRanges: [], unreadCount: 2 })
    t.match(await mark(bob, idsOf(8)), { marks: [{ readSeq: 6, readRanges: [[8, 8]], unreadCount: 1 }] })
    const { changes } = await alice.api.sync.pull({ cursors: { [id]: heard[0]?.changeSeq ?? 0 } })
    t.match(changes, [{ type: 'read', data: { userId: bob.id, readSeq: 6, readRanges: [[8, 8]] } }])
    await send(bob, id)
    const { readSeq, readRanges, unreadCount } = await view(bob, id)
    t.same({ readSeq, readRanges, unreadCount }, { readSeq: 9, readRanges: [], unreadCount: 0 }, 'writing is having read')
  })

  t.test('counts a message that is marked and deleted once', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    const ids = (await sendMany(alice, id, 5)).map((message) => message.id)
    await mark(bob, [ids[2] ?? '', ids[3] ?? ''])
    await alice.api.messages.delete(ids[3] ?? '')
    t.equal((await view(bob, id)).unreadCount, 3)
    await alice.api.messages.delete(ids[4] ?? '')
    t.equal((await view(bob, id)).unreadCount, 2)
    t.match((await bob.api.conversations.list()).items, [{ id, unreadCount: 2 }])
  })

  t.test('of several conversations: all or none', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const [one, other, foreign] = [await createGroup(alice, [bob]), await createGroup(alice, [bob]), await createGroup(alice, [])]
    const [first, second, hidden] = [await sendMany(alice, one, 2), await sendMany(alice, other, 3), await sendMany(alice, foreign, 1)]
    const named = [second[2]?.id ?? '', first[0]?.id ?? '']
    t.equal(await outcome('POST', '/v1/messages/read', bob, { messageIds: [...named, hidden[0]?.id] }), '404 not_found')
    t.equal(await outcome('POST', '/v1/messages/read', bob, { messageIds: [...named, randomUUID()] }), '404 not_found')
    t.match(await view(bob, one), { readSeq: 0, unreadCount: 2 })
    const { marks } = await mark(bob, named)
    t.same(
      new Map(marks.map(({ conversationId, ...rest }) => [conversationId, rest])),
      new Map([
        [one, { readSeq: 1, readRanges: [], unreadCount: 1 }],
        [other, { readSeq: 0, readRanges: [[3, 3]], unreadCount: 2 }],
      ]),
    )
    for (const messageIds of [[], [named[0], named[0]], Array.from({ length: 101 }, () => randomUUID()), ['x']])
      t.equal(await outcome('POST', '/v1/messages/read', bob, { messageIds }), '400 validation_error')
  })

  t.test('of a hundred ranges at most, and then nothing is marked', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const [full, other] = [await createGroup(alice, [bob]), await createGroup(alice, [bob])]
    const messages = [...(await sendMany(alice, other, 2)), ...(await sendMany(alice, full, 2))]
    await server.database.pool.query(
      `update members set read_ranges = (select range_agg(int8range(2 * n, 2 * n + 1)) from generate_series(101, 200) n)
       where conversation_id = $1 and user_id = $2`,
      [full, bob.id],
    )
    await server.database.pool.query('update conversations set last_seq = 3000, last_change_seq = last_change_seq + 3000 where id = $1', [full])
    t.equal(await outcome('POST', '/v1/messages/read', bob, { messageIds: [messages[1]?.id, messages[3]?.id] }), '409 conflict')
    t.match(await view(bob, other), { readRanges: [], unreadCount: 2 })
    t.equal(await outcome('POST', '/v1/messages/read', bob, { messageIds: [messages[2]?.id] }), '200', 'what melts is none more')
  })

  t.test('by two devices at once, in any order of conversations, loses neither and numbers each', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const ids = [await createGroup(alice, [bob]), await createGroup(alice, [bob])]
    const messages = await Promise.all(ids.map((id) => sendMany(alice, id, 20)))
    const [one = [], other = []] = messages
    await Promise.all(one.map(({ id }, index) => mark(bob, index % 2 === 0 ? [id, other[index]?.id ?? ''] : [other[index]?.id ?? '', id])))
    for (const id of ids) t.match(await view(bob, id), { readSeq: 20, readRanges: [], unreadCount: 0 })
  })
})

t.test('thousands of deleted messages are not counted one by one, wherever a mark stands but amid them', async (t) => {
  const [alice, bob] = (await people(2)) as [Person, Person]
  const id = await createGroup(alice, [bob])
  const { pool } = server.database
  await pool.query(
    `insert into messages (id, conversation_id, seq, change_seq, created_change_seq, sender_id, content, created_at, deleted_at)
     select gen_random_uuid(), $1, n, n, n, $2, '', now(), case when n > 10 then now() end from generate_series(1, 5000) n`,
    [id, alice.id],
  )
  await pool.query('update conversations set last_seq = 5000, last_change_seq = 5000, deleted_count = 4990 where id = $1', [id])
  await pool.query('analyze messages')
  const count = `select ${unreadCount('c', 'm')} as unread from conversations c join members m on m.conversation_id = c.id and m.user_id = $2 where c.id = $1`
  const unread: number[] = []
  for (const [readSeq, ranges] of [
    [0, '{}'],
    [4, '{}'],
    [4, '{[7,9)}'],
    [4990, '{}'],
    [5000, '{}'],
  ] as const) {
    await pool.query('update members set read_seq = $3, read_ranges = $4 where conversation_id = $1 and user_id = $2', [id, bob.id, readSeq, ranges])
    const {
      rows: [explained],
    } = await pool.query(`explain (analyze, format json) ${count}`, [id, bob.id])
    t.ok(messagesReadBy(explained['QUERY PLAN'][0].Plan) < 50, `with the mark at ${readSeq}`)
    unread.push((await pool.query(count, [id, bob.id])).rows[0].unread)
  }
  t.same(unread, [10, 6, 4, 0, 0])
})

interface Plan {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  Plans?: Plan[]
}

const messagesReadBy = ({ 'Relation Name': relation, 'Actual Rows': rows, 'Actual Loops': loops, Plans: parts = [] }: Plan): number =>
  (relation === 'messages' ? rows * loops : 0) + parts.reduce((sum, part) => sum + messagesReadBy(part), 0)

t.test('whatever is sent, deleted, marked, too old or from before one came: exactly that is read, and unread is what a count of it says', async (t) => {
  const seq = fc.integer({ min: 1, max: 9 })
  const act = fc.oneof(
    fc.record({ type: fc.constant('send' as const), who: fc.constantFrom(0, 0, 0, 1) }),
    fc.record({ type: fc.constant('delete' as const), seq }),
    fc.record({ type: fc.constant('markUpTo' as const), seq }),
    fc.record({ type: fc.constant('grow old' as const), upTo: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant('come back' as const) }),
    fc.record({ type: fc.constant('mark' as const), seqs: fc.uniqueArray(seq, { minLength: 1, maxLength: 4 }) }),
  )
  const [alice, bob] = (await people(2)) as [Person, Person]
  const beginning = Array.from({ length: 6 }, () => ({ type: 'send' as const, who: 0 }))
  const play = async (story: (typeof act extends fc.Arbitrary<infer A> ? A : never)[]) => {
    const settings = { historyVisibility: 'sinceJoined', messageRetentionDays: 30 } as const
    const { id } = (await alice.api.conversations.create({ type: 'group', memberIds: [bob.id], ...settings })).conversation
    const model: { id: string; deleted: boolean; read: boolean }[] = []
    /** How many from the beginning are gone, and how many of them bob does not see. */
    let [gone, unseen] = [0, 0]
    for (const step of [...beginning, ...story]) {
      if (step.type === 'send') {
        const message = (await (step.who === 0 ? alice : bob).api.conversations.sendMessage(id, { content: 'hello' })).message
        model.push({ id: message.id, deleted: false, read: false })
        if (step.who === 1) for (const known of model) known.read = true
      } else if (step.type === 'delete') {
        const known = model[step.seq - 1]
        if (known === undefined || step.seq <= gone) continue
        // An owner may delete what the other one has said.
        await alice.api.messages.delete(known.id)
        known.deleted = true
      } else if (step.type === 'grow old') {
        gone = Math.max(gone, Math.min(step.upTo, model.length))
        unseen = Math.max(gone, unseen)
        await server.database.pool.query("update messages set created_at = now() - interval '40 days' where conversation_id = $1 and seq <= $2", [id, gone])
        await server.app.services.retention.deleteAllOld()
      } else if (step.type === 'come back') {
        await alice.api.conversations.removeMember(id, bob.id)
        await alice.api.conversations.addMembers(id, { userIds: [bob.id] })
        unseen = model.length
      } else if (step.type === 'markUpTo') {
        await bob.api.conversations.markRead(id, { seq: step.seq })
        for (const known of model.slice(0, step.seq)) known.read = true
      } else {
        const named = step.seqs.flatMap((number) => (number > unseen && model[number - 1]) || [])
        if (named.length === 0) continue
        await bob.api.messages.markRead({ messageIds: named.map((known) => known.id) })
        for (const known of named) known.read = true
      }
      const { readSeq, readRanges, unreadCount, messageCount } = await view(bob, id)
      const isRead = model.map((_, index) => index < readSeq || readRanges.some(([first = 0, last = 0]) => first <= index + 1 && index + 1 <= last))
      assert.deepEqual(
        isRead.slice(unseen),
        model.slice(unseen).map(({ read }) => read),
      )
      assert.ok(
        readRanges.every(([first = 0]) => first > readSeq + 1),
        'what is marked beyond the mark is beyond it',
      )
      assert.ok(readSeq < unseen || !isRead[readSeq], 'what follows the mark is unread, or it would have melted')
      assert.equal(unreadCount, model.slice(unseen).filter(({ read, deleted }) => !read && !deleted).length)
      const left = model.slice(gone).filter(({ deleted }) => !deleted)
      assert.equal(messageCount, left.length)
      assert.equal(
        (await server.request('GET', `/v1/conversations/${id}/messages?includeTotal=true&limit=1`, { token: bob.accessToken })).headers.get(
          'x-pagination-total',
        ),
        `${model.length - unseen}`,
      )
    }
  }
  const property = fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), play)
  await fc.assert(property, { seed: 20_261_121, numRuns: 40, endOnFailure: true, interruptAfterTimeLimit: 10_000 })
  t.pass('in every story')
})

t.test('delivery and status', async (t) => {
  const statusOf = async (person: Person, messageId: string) => (await person.api.messages.get(messageId)).status
  const receiptsOf = async (person: Person, messageId: string, limit = 50) => {
    const found: [string, string][] = []
    for await (const { user, status } of person.api.messages.listReceipts(messageId, { limit })) found.push([user.id, status])
    return found
  }

  t.test('a message is delivered when every other member has it, and read when every one has read it', async (t) => {
    const [alice, bob, carol] = (await people(3)) as [Person, Person, Person]
    const id = await createGroup(alice, [bob, carol])
    const [first, second] = (await sendMany(alice, id, 2)) as [Message, Message]
    const heard = listen(id)
    t.equal(await statusOf(alice, first.id), 'sent')
    t.same(await bob.api.conversations.markDelivered(id, { seq: 1 }), { deliveredSeq: 1 })
    t.same(await bob.api.conversations.markDelivered(id, { seq: 0 }), { deliveredSeq: 1 }, 'it never goes back')
    t.match(heard, [{ type: 'delivered', userId: bob.id, deliveredSeq: 1 }], 'and is told once')
    t.equal(await statusOf(alice, first.id), 'sent')
    t.same(await receiptsOf(alice, first.id, 1), [
      [bob.id, 'delivered'],
      [carol.id, 'sent'],
    ])
    await carol.api.messages.markRead({ messageIds: [second.id] })
    await carol.api.conversations.markDelivered(id, { seq: 1 })
    t.equal(await statusOf(carol, first.id), 'delivered')
    t.equal(await statusOf(carol, second.id), 'sent')
    t.same(await bob.api.conversations.markDelivered(id, { seq: Number.MAX_SAFE_INTEGER }), { deliveredSeq: 2 }, 'beyond the newest is the newest')
    t.equal(await statusOf(carol, second.id), 'delivered', 'what is read is delivered')
    await bob.api.conversations.markRead(id, { seq: 2 })
    t.same([await statusOf(alice, first.id), await statusOf(alice, second.id)], ['delivered', 'read'])
    t.same(await receiptsOf(bob, second.id), [
      [bob.id, 'read'],
      [carol.id, 'read'],
    ])
    const { json } = await server.request('GET', `/v1/messages/${first.id}/receipts?limit=1`, { token: alice.accessToken })
    t.match(json, { status: 'delivered', items: [{ user: { id: bob.id }, status: 'read' }], hasMore: true })
    await alice.api.conversations.removeMember(id, carol.id)
    t.equal(await statusOf(alice, first.id), 'read', 'who has left is not waited for')
    t.match((await alice.api.conversations.listMembers(id)).items, [{}, { user: { id: bob.id }, deliveredSeq: 2 }])
    const { changes } = await alice.api.sync.pull({ cursors: { [id]: (heard[0]?.changeSeq ?? 0) - 1 } })
    t.match(changes.filter(({ type }) => type === 'delivered').at(-1), { data: { userId: bob.id, deliveredSeq: 2 } })
  })

  t.test('lists by status, with what was sent to nobody else', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await sendMany(alice, id, 4)
    await bob.api.conversations.markDelivered(id, { seq: 3 })
    await bob.api.conversations.markRead(id, { seq: 2 })
    const seqs = async (status: 'sent' | 'delivered' | 'read') => (await alice.api.messages.list(id, { status })).items.map(({ seq }) => seq)
    t.same([await seqs('read'), await seqs('delivered'), await seqs('sent')], [[2, 1], [3], [4]])
    const alone = await createGroup(alice, [])
    const [message] = (await sendMany(alice, alone, 1)) as [Message]
    t.equal(await statusOf(alice, message.id), 'sent')
  })

  t.test('over the socket, too', async (t) => {
    const [alice, bob] = (await people(2)) as [Person, Person]
    const id = await createGroup(alice, [bob])
    await sendMany(alice, id, 2)
    const [asAlice, asBob] = [await server.socket(alice.accessToken), await server.socket(bob.accessToken)]
    asBob.send({ type: 'conversations.markDelivered', id: 1, data: { conversationId: id, seq: 2 } })
    t.same((await asBob.frame((frame) => frame.id === 1)).data, { deliveredSeq: 2 })
    t.same((await asAlice.frame(({ type }) => type === 'delivered')).data, { userId: bob.id, deliveredSeq: 2 })
    for (const socket of [asAlice, asBob]) socket.close()
  })

  t.test('in a conversation of more than 32 it is not marked what was delivered', async (t) => {
    const [alice, ...others] = (await people(33)) as [Person, ...Person[]]
    const [bob] = others as [Person]
    const id = await createGroup(alice, others)
    await sendMany(alice, id, 2)
    const { changeSeq } = await view(bob, id)
    t.same(await bob.api.conversations.markDelivered(id, { seq: 2 }), { deliveredSeq: 0 })
    t.equal((await view(bob, id)).changeSeq, changeSeq)
    await alice.api.conversations.removeMember(id, others.at(-1)?.id ?? '')
    t.same(await bob.api.conversations.markDelivered(id, { seq: 2 }), { deliveredSeq: 2 })
  })
})

t.test('marks are of members', async (t) => {
  const [alice, bob, stranger] = (await people(3)) as [Person, Person, Person]
  const id = await createGroup(alice, [bob])
  const [message] = (await sendMany(alice, id, 1)) as [Message]
  await alice.api.conversations.removeMember(id, bob.id)
  for (const person of [bob, stranger]) {
    t.equal(await outcome('POST', `/v1/conversations/${id}/read`, person, { seq: 1 }), '404 not_found')
    t.equal(await outcome('POST', `/v1/conversations/${id}/delivered`, person, { seq: 1 }), '404 not_found')
    t.equal(await outcome('POST', '/v1/messages/read', person, { messageIds: [message.id] }), '404 not_found')
    t.equal(await outcome('GET', `/v1/messages/${message.id}/receipts`, person), '404 not_found')
  }
  for (const [method, path] of [
    ['POST', `/v1/conversations/${id}/delivered`],
    ['POST', '/v1/messages/read'],
    ['GET', `/v1/messages/${message.id}/receipts`],
  ] as const)
    t.equal((await server.request(method, path, method === 'GET' ? {} : { body: {} })).status, 401, path)
})
