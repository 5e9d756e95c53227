/** Searching messages and conversations: what is found, what is not, for whom, and how it is shown. */
import { randomUUID } from 'node:crypto'
import { NotFoundError, ValidationError } from '@parley/sdk'
import { sql as drizzleSql } from 'drizzle-orm'
import type { QueryConfig } from 'pg'
import t from 'tap'
import type { ExcerptPart } from '../../openapi/search/schemas.ts'
import type { ConversationId, MessageId, SessionId, UserId } from '../../openapi/shared/ids.ts'
import type { Actor } from '../../src/actor.ts'
import { AppError } from '../../src/errors/app-error.ts'
import { toAppError } from '../../src/errors/to-app-error.ts'
import { createMessageWriter } from '../../src/features/messages/writer.ts'
import { createConversationSearchRepository } from '../../src/features/search/conversation-repository.ts'

import { createSearchIndexRepository } from '../../src/features/search/index-repository.ts'
import { toWebSearch, unbrokenRunsOf } from '../../src/features/search/query.ts'
import { createSearchRepository } from '../../src/features/search/repository.ts'
import { createSearchService } from '../../src/features/search/service.ts'
import { createSearchUpkeep } from '../../src/features/search/upkeep.ts'
import { createGate } from '../../src/gate.ts'
import { createTestDatabase, silentLog } from '../helpers/database.ts'
import { until } from '../helpers/process.ts'
import { startServer, type TestServer } from '../helpers/server.ts'

type Person = Awaited<ReturnType<TestServer['signUp']>>

const server = await startServer(t)
const [alice, bob, carol, stranger] = await Promise.all([1, 2, 3, 4].map(() => server.signUp()))
if (!alice || !bob || !carol || !stranger) throw new Error('Nobody is there')
const sql = (text: string, values: unknown[] = []) => server.database.pool.query(text, values)

const startGroup = async (title: string, owner: Person = alice, members: Person[] = [bob]) =>
  (await owner.api.conversations.create({ type: 'group', title, memberIds: members.map(({ id }) => id) })).conversation

const say = async (conversationId: string, content: string, sender: Person = alice) =>
  (await sender.api.conversations.sendMessage(conversationId, { content })).message

/** What is found, in order. */
const found = async (q: string, { who = alice, ...filter }: { who?: Person; conversationId?: string } = {}): Promise<string[]> =>
  (await who.api.search.messages({ q, limit: 50, ...filter })).items.map(({ message }) => message.content)

const foundConversations = async (q: string, who: Person = alice, includeArchived = false) =>
  (await who.api.search.conversations({ q, limit: 50, includeArchived })).items.map(({ conversation }) => conversation.id)

const show = (excerpt: ExcerptPart[]): string => excerpt.map(({ text, marked }) => (marked ? `[${text}]` : text)).join('')

const indexed = ({ database }: TestServer): Promise<void> =>
  until(async () => (await database.pool.query<{ indexed: boolean }>('select indexed from search_index')).rows[0]?.indexed === true)

const shown = async (q: string, filter: { conversationId?: string } = {}): Promise<string[]> =>
  (await alice.api.search.messages({ q, ...filter })).items.map(({ excerpt }) => show(excerpt))

t.test('all words must be there; phrases, exclusions and alternatives are understood', async (t) => {
  const { id: conversationId } = await startGroup('Syntax')
  const [both, apart, tea] = ['green coffee beans', 'coffee that is green', 'Green tea']
  for (const content of [both, apart, tea]) await say(conversationId, content)
  const cases: [q: string, contents: string[]][] = [
    ['green', [tea, apart, both]],
    ['GREEN Coffee', [both, apart]],
    ['"green coffee"', [both]],
    ['green -coffee', [tea]],
    ['green -"green coffee"', [tea, apart]],
    ['beans or tea', [tea, both]],
    ['beans OR tea', [tea, both]],
    ['"green coffee', [both]],
    ['green milk', []],
  ]
  for (const [q, contents] of cases) t.same(await found(q, { conversationId }), contents, q)
})

t.test('signs part words, accents and letter case do not matter', async (t) => {
  const { id: conversationId } = await startGroup('Signs')
  const cases: [content: string, queries: string[]][] = [
    ['Crème brûlée', ['creme brulee', 'CRÈME', 'brûlée']],
    ['see https://example.com/a/b?c=d', ['"a b"', 'example.com', 'https://example.com/a/b', 'c=d']],
    ['write to jane.doe@example.org', ['jane', 'doe', 'jane.doe@example.org', '"doe@example"']],
    ['and/or', ['and/or']],
    ['snake_case-name', ['snake', 'case', 'snake_case', 'case-name']],
    ['a<b> and "quoted" #tag v1.2', ['quoted', '#tag', 'v1.2', '<b>']],
    ["don't", ["don't"]],
    ['type /help now', ['help', '/help']],
    ['~bob said so', ['bob', '~bob']],
    ['ask @ann', ['ann', '@ann']],
    ['a www.example.net/x-y z', ['www.example.net', 'net', 'x-y', 'x']],
    ['it was -5, not +49', ['5', '+49', '49']],
  ]
  for (const [content] of cases) await say(conversationId, content)
  for (const [content, queries] of cases) for (const q of queries) t.ok((await found(q, { conversationId })).includes(content), q)
})

t.test('messages and searches are cut into words alike, at every sign and in every script', async (t) => {
  const codes = Array.from({ length: 0x40100 }, (_, code) => code).filter((code) => code > 0 && (code < 0xd800 || code > 0xdfff))
  const isUnbroken = new Set(codes.filter((code) => unbrokenRunsOf(String.fromCodePoint(code)).length > 0))
  const isEnd = (code: number): boolean => isUnbroken.has(code) !== isUnbroken.has(code - 1) || isUnbroken.has(code) !== isUnbroken.has(code + 1)
  const letters = codes.filter((code) => code < 128 || code % 16 === 0 || isEnd(code)).map((code) => String.fromCodePoint(code))
  const texts = letters.flatMap((letter) => [`${letter}ab`, `x ${letter} y`, ...(letter < '\u0080' ? [`ab${letter}`, `a${letter}b`, `1${letter}5`] : [])])
  const asked = texts.map((text) => toWebSearch(text).replaceAll('"', ' '))
  const { rows } = await sql(
    `select text, asked from unnest($1::text[], $2::text[]) pairs (text, asked) where search_terms(text) <> to_tsvector('search', asked)`,
    [texts, asked],
  )
  t.same(rows, [])
  t.ok(texts.length > 30_000, `${texts.length}`)
})

t.test('words of languages without spaces are found within sentences', async (t) => {
  const { id: conversationId } = await startGroup('脚本')
  const contents = ['我们明天在北京火车站见面', '東京タワーで会いましょう', 'พรุ่งนี้เจอกันที่สถานี', 'Parley服务器 is up', '𠮷野家']
  for (const content of contents) await say(conversationId, content)
  const words = ['火车', '北京火车站', '見', '見面', '明天 火车', '"北京 火车"']
  t.same(await Promise.all(words.map((q) => found(q, { conversationId }))), [[contents[0]], [contents[0]], [], [], [contents[0]], [contents[0]]])
  for (const q of ['見', '见', '面', '我']) t.same(await found(q, { conversationId }), q === '見' ? [] : [contents[0]], `the letter ${q}`)
  for (const q of ['タワー', '会い', '東京']) t.same(await found(q, { conversationId }), [contents[1]], q)
  for (const q of ['สถานี', 'เจอ']) t.same(await found(q, { conversationId }), [contents[2]], q)
  for (const q of ['服务', 'parley', 'Parley服务器', '"服务器 is"']) t.same(await found(q, { conversationId }), [contents[3]], q)
  t.same(await found('𠮷野', { conversationId }), [contents[4]], 'letters of two code units')
  t.same(await shown('火车 -东京', { conversationId }), ['我们明天在北京[火车]站见面'])
  t.same(await foundConversations('脚本'), [conversationId], 'and titles')
})

t.test('Korean words are found without their particles, Greek ones whatever sigma ends them', async (t) => {
  const { id: conversationId } = await startGroup('서울특별시')
  const [korean, capital, small] = ['내일 서울에서 만나요', 'Ο ΣΊΣΥΦΟΣ ΣΉΜΕΡΑ', 'ο σίσυφος']
  for (const content of [korean, capital, small]) await say(conversationId, content)
  for (const q of ['서울', '서울에서', '만나', '서', '내일 서울']) t.same(await found(q, { conversationId }), [korean], q)
  for (const q of ['서에', '부산']) t.same(await found(q, { conversationId }), [], q)
  for (const q of ['σίσυφος', 'ΣΊΣΥΦΟΣ', 'σισυφοσ']) t.same(await found(q, { conversationId }), [small, capital], q)
  t.same(await shown('ΣΊΣΥΦΟΣ', { conversationId }), ['ο [σίσυφος]', 'Ο [ΣΊΣΥΦΟΣ] ΣΉΜΕΡΑ'])
  t.same(await shown('서울', { conversationId }), ['내일 [서울]에서 만나요'])
  t.same(await foundConversations('서울'), [conversationId])
})

t.test('a long message in a script without spaces is cut into words soon, and found by its first 2,000 letters', async (t) => {
  const { id: conversationId } = await startGroup('Length')
  const letters = Array.from({ length: 9_990 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7_919) % 20_000)))
  await say(conversationId, `${letters.join('')} the end`)
  const at = (place: number): Promise<string[]> => found(letters.slice(place, place + 3).join(''), { conversationId })
  t.equal((await at(0)).length, 1)
  t.equal((await at(1_990)).length, 1)
  t.equal((await at(2_010)).length, 0)
  t.equal((await found('end', { conversationId })).length, 1, 'words with spaces are found wherever they stand')
  const { rows } = await sql('select length(search) as words from messages where conversation_id = $1', [conversationId])
  t.equal(rows[0].words, 2_002)
})

t.test('long messages that come at once are stored a few at a time, in order: sends of others wait while they are cut into words', async (t) => {
  const { id } = await startGroup('Batches')
  const { pool } = server.database
  const sizes: number[] = []
  const query = (config: QueryConfig) => {
    const contents: unknown = config.values?.[4]
    if (config.name === 'send-messages' && Array.isArray(contents)) sizes.push(contents.join('').length)
    return pool.query(config)
  }
  const writer = createMessageWriter({ pool: Object.create(pool, { query: { value: query } }), onStored: () => undefined })
  const contents = Array.from({ length: 25 }, (_, index) => `${index} ${'火车'.repeat(4_990)}`)
  await Promise.all(
    contents.map((content) =>
      writer.write({
        ...{ id: randomUUID() as MessageId, conversationId: id as ConversationId, senderId: alice.id as UserId, clientId: null, content },
        ...{ metadata: {}, replyToSeq: null, mentions: [], createdAt: new Date() },
      }),
    ),
  )
  t.equal(sizes.length, 3)
  t.ok(Math.max(...sizes) < 110_000, sizes.join())
  const { rows } = await sql('select content from messages where conversation_id = $1 order by seq', [id])
  t.same(
    rows.map(({ content }) => content),
    contents,
  )
})

t.test('where nothing has the words they are found with one letter wrong, and worth half', async (t) => {
  const { id: conversationId } = await startGroup('Slips')
  await say(conversationId, 'the quarterly forecast')
  for (const q of ['qaurterly', 'quaterly', 'quarterlyy', 'quartarly', 'quarterly forcast']) {
    t.same(await found(q, { conversationId }), ['the quarterly forecast'], q)
  }
  t.same(await found('quertarly', { conversationId }), [], 'not two')
  await say(conversationId, 'a quarterlx of its own')
  t.same(await found('quarterlx forecast', { conversationId }), [], 'nor a word that is there')
  t.same(await found('quarterlx forecast', { conversationId, who: bob }), [])
  t.same(await found('qaurterly -forecast', { conversationId }), [])
  const right = await alice.api.search.messages({ q: 'quarterly', conversationId })
  const wrong = await alice.api.search.messages({ q: 'quarterlz -own', conversationId })
  t.equal(wrong.items[0]?.relevanceScore, (right.items[0]?.relevanceScore ?? 0) / 2)
  t.same(
    wrong.items.map(({ excerpt }) => show(excerpt)),
    ['the [quarterly] forecast'],
  )
})

t.test('an excerpt is plain text in pieces: what was found is marked, and nothing is HTML', async (t) => {
  const { id: conversationId } = await startGroup('Excerpts')
  const cases: [content: string, q: string, expected: string][] = [
    ['Meet me at Noon, not after noon!', 'noon', 'Meet me at [Noon], not after [noon]!'],
    ['<script>alert("x")</script> & <b>bold</b>', 'script', '<[script]>alert("x")</[script]> & <b>bold</b>'],
    ['fichiers joints\n\tdéjà-vu 😀 naïve', 'vu naive', 'fichiers joints\n\tdéjà-[vu] 😀 [naïve]'],
    ['\u0001odd\u0002 marks', 'odd', '\u0001[odd]\u0002 marks'],
  ]
  for (const [content, q, expected] of cases) {
    await say(conversationId, content)
    t.same(await shown(q, { conversationId }), [expected])
  }
  const long = `${'before '.repeat(400)}needle in the haystack ${'after '.repeat(400)}`.trim()
  await say(conversationId, long)
  const [excerpt = ''] = await shown('needle', { conversationId })
  t.match(excerpt, /^…( before)+ \[needle\] in the haystack( after)+…$/)
  t.ok(excerpt.length < 300, `${excerpt.length} characters`)
  await say(conversationId, '😀'.repeat(2_000).concat(' smiling'))
  const [emoji = ''] = await shown('smiling', { conversationId })
  t.match(emoji, /^…(😀)+ \[smiling\]$/u, 'no letter is cut in two')
})

t.test('the score is between 0 and 1 and falls along the list; of equals the later comes first', async (t) => {
  const { id: conversationId } = await startGroup('Scores')
  for (const content of ['zebra one', 'zebra zebra zebra', 'zebra and then lion', 'lion zebra', 'zebra two']) await say(conversationId, content)
  t.same(await found('zebra', { conversationId }), ['zebra zebra zebra', 'zebra two', 'lion zebra', 'zebra and then lion', 'zebra one'])
  t.same(await found('lion zebra', { conversationId }), ['lion zebra', 'zebra and then lion'], 'words that stand closer together are worth more')
  const { items } = await alice.api.search.messages({ q: 'zebra', conversationId })
  const scores = items.map(({ relevanceScore }) => relevanceScore)
  t.same(scores, [0.75, 0.5, 0.5, 0.5, 0.5])
})

t.test('pages hold every result once, up to the latest 200', async (t) => {
  const { id: conversationId } = await startGroup('Pages')
  for (let index = 1; index <= 230; index += 1) await say(conversationId, `${index % 7 === 0 ? 'pagination ' : ''}pagination ${index}`)
  const ids: string[] = []
  const scores: number[] = []
  for await (const { message, relevanceScore } of alice.api.search.messages({ q: 'pagination', conversationId, limit: 50 })) {
    ids.push(message.id)
    scores.push(relevanceScore)
    if (ids.length === 60) await say(conversationId, 'something else meanwhile')
  }
  t.equal(ids.length, 200)
  t.equal(new Set(ids).size, 200)
  t.same(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  await t.rejects(alice.api.search.messages({ q: 'pagination', cursor: 'bm90IG91cnM' }), ValidationError)
  const { nextCursor } = await alice.api.search.messages({ q: 'pagination' })
  const cursor = nextCursor ?? ''
  await t.rejects(alice.api.search.conversations({ q: 'pagination', cursor }), ValidationError)
  await t.rejects(alice.api.search.messages({ q: 'paginations', cursor }), ValidationError, 'nor of another search')
  await t.rejects(alice.api.search.messages({ q: 'pagination', conversationId, cursor }), ValidationError)
  await t.rejects(alice.api.search.messages({ q: 'pagination', senderId: bob.id, cursor }), ValidationError)
  t.equal((await alice.api.search.messages({ q: 'pagination', cursor, limit: 3 })).items.length, 3, 'a page may have another length')
})

t.test('only what one may read now is found', async (t) => {
  const secret = `secret${randomUUID().slice(0, 8)}x`
  const { id: conversationId } = await startGroup('Rights', alice, [bob])
  await say(conversationId, `${secret} first`)
  await say(conversationId, `${secret} second`)
  t.same(await found(secret), [`${secret} second`, `${secret} first`])
  t.same(await found(secret, { who: stranger }), [])
  t.same(await foundConversations(secret, stranger), [])
  t.same(await foundConversations('Rights', stranger), [])

  await alice.api.conversations.update(conversationId, { historyVisibility: 'sinceJoined' })
  await alice.api.conversations.addMembers(conversationId, { userIds: [carol.id] })
  t.same(await found(secret, { who: carol }), [], 'who joined later finds nothing of before')
  t.same(await foundConversations(secret, carol), [])
  const { id: third } = await say(conversationId, `${secret} third`)
  t.same(await found(secret, { who: carol }), [`${secret} third`], 'but what was said since')
  t.same(await found('first', { who: carol, conversationId }), [])
  const { items } = await carol.api.search.conversations({ q: secret })
  t.match(items, [{ conversation: { id: conversationId }, matchedMessage: { id: third } }])
  t.equal(items.length, 1)

  await alice.api.conversations.removeMember(conversationId, bob.id)
  t.same(await found(secret, { who: bob }), [], 'nor former members anything')
  t.same(await foundConversations(secret, bob), [])
  await t.rejects(bob.api.search.messages({ q: secret, conversationId }), NotFoundError)
  await t.rejects(stranger.api.search.messages({ q: secret, conversationId }), NotFoundError)
  await t.rejects(alice.api.search.messages({ q: secret, conversationId: randomUUID() }), NotFoundError)
})

t.test('an edited message is found by what it says now, a deleted one not at all, and is in no index', async (t) => {
  const { id: conversationId } = await startGroup('Changes')
  const both = async (q: string) => [await found(q, { conversationId }), await foundConversations(q)]
  const { id } = await say(conversationId, 'aardvark')
  t.same(await both('aardvark'), [['aardvark'], [conversationId]])
  await alice.api.messages.update(id, { content: 'wombat' })
  t.same(await both('aardvark'), [[], []])
  t.same(await both('wombat'), [['wombat'], [conversationId]])
  await alice.api.messages.delete(id)
  t.same(await both('wombat'), [[], []])
  const { rows } = await sql('select search from messages where id = $1', [id])
  t.same(rows, [{ search: null }])
})

t.test('what a retention has ended is not found', async (t) => {
  const { id: conversationId } = await startGroup('Retained')
  for (const content of ['capybara old', 'capybara new']) await say(conversationId, content)
  await sql(`update messages set created_at = now() - interval '2 days' where conversation_id = $1 and seq = 1`, [conversationId])
  await alice.api.conversations.update(conversationId, { messageRetentionDays: 1 })
  await server.app.services.retention.deleteAllOld()
  t.same(await found('capybara'), ['capybara new'])
  t.same(await foundConversations('old capybara'), [])
})

t.test('nobody is found by a name that was erased, nor by messages that went with it', async (t) => {
  const own = await startServer(t, { env: { ERASED_USERS_MESSAGES: 'erase' } })
  const [judy, kim] = [await own.signUp(), await own.signUp()]
  await judy.api.users.updateMe({ displayName: 'Judy Okapi', username: 'okapi' })
  const { conversation } = await kim.api.conversations.create({ type: 'direct', memberIds: [judy.id] })
  await judy.api.conversations.sendMessage(conversation.id, { content: 'tapir' })
  const { pool } = own.database
  const find = async (q: string) => [
    (await kim.api.search.messages({ q })).items.map(({ message }) => message.content),
    (await kim.api.search.conversations({ q })).items.map(({ conversation: { id } }) => id),
  ]
  t.same(await find('okapi'), [[], [conversation.id]])
  t.same(await find('tapir'), [['tapir'], [conversation.id]])
  await own.request('DELETE', '/v1/users/me', { token: judy.accessToken, body: { confirmEmail: judy.email } })
  await pool.query('update users set deletion_at = now() where id = $1', [judy.id])
  await own.app.services.erasure.eraseDue()
  for (const q of ['okapi', 'judy', 'tapir']) t.same(await find(q), [[], []], q)
  const { rows } = await pool.query('select search from messages')
  t.same(rows, [{ search: null }])
})

t.test('messages are filtered by conversation, sender and time', async (t) => {
  const [one, other] = [await startGroup('Filter one'), await startGroup('Filter other')]
  const word = `filter${randomUUID().slice(0, 6)}y`
  const first = await say(one.id, `${word} a`)
  await say(one.id, `${word} b`, bob)
  await say(other.id, `${word} c`)
  await sql(`update messages set created_at = '2020-01-01T00:00:00Z' where id = $1`, [first.id])
  const filtered = async (filter: object) => (await alice.api.search.messages({ q: word, ...filter })).items.map(({ message }) => message.content.at(-1)).sort()
  t.same(await filtered({}), ['a', 'b', 'c'])
  t.same(await filtered({ conversationId: one.id }), ['a', 'b'])
  t.same(await filtered({ senderId: bob.id }), ['b'])
  t.same(await filtered({ senderId: stranger.id }), [])
  t.same(await filtered({ to: '2020-01-01T00:00:00Z' }), [], 'before')
  t.same(await filtered({ to: '2020-01-01T00:00:00.001Z' }), ['a'])
  t.same(await filtered({ from: '2020-01-01T00:00:00Z', to: '2021-01-01T00:00:00Z' }), ['a'])
  t.same(await filtered({ from: '2020-01-01T00:00:00.001Z', senderId: alice.id }), ['c'])
  await t.rejects(filtered({ from: '2020-01-01T23:59:60Z' }), ValidationError)
})

t.test('conversations are found by title, summary, description, name of the other one and messages, also with slips', async (t) => {
  const dora = await server.signUp()
  await dora.api.users.updateMe({ displayName: 'Dora Zimmermann', username: `dz${Date.now()}` })
  const { conversation: direct } = await alice.api.conversations.create({ type: 'direct', memberIds: [dora.id] })
  const titled = await startGroup('Marketing campaign')
  const summed = await startGroup('Untitled')
  await alice.api.conversations.update(summed.id, { summary: 'We chose the brochure', description: 'Everything printable' })
  const said = await startGroup('Chat')
  await say(said.id, 'about a brochure')
  const message = await say(said.id, 'brochure brochure for the campaign')

  t.same(await foundConversations('marketing'), [titled.id])
  t.same(await foundConversations('marketnig'), [titled.id])
  t.same(await foundConversations('campaign'), [titled.id, said.id], 'a title is worth more than a message')
  t.same(await foundConversations('brochure'), [summed.id, said.id])
  t.same(await foundConversations('printable'), [summed.id])
  t.same(await foundConversations('dora'), [direct.id])
  t.same(await foundConversations('zimerman'), [direct.id])
  t.same(await foundConversations('dora', dora), [], 'one does not find oneself')

  const { items } = await alice.api.search.conversations({ q: 'brochure' })
  t.match(items[1], {
    conversation: { id: said.id, type: 'group', title: 'Chat', status: 'active', otherMember: null },
    matchedField: 'message',
    messageCount: 2,
    lastActivity: message.createdAt,
    matchedMessage: { id: message.id },
  })
  t.same(
    items.map(({ excerpt }) => show(excerpt)),
    ['We chose the [brochure]', '[brochure] [brochure] for the campaign'],
  )
  t.match(items[0], { matchedField: 'summary', matchedMessage: null })
  const [named] = (await alice.api.search.conversations({ q: 'zimerman' })).items
  t.match(named, { matchedField: 'member', conversation: { title: null, otherMember: { id: dora.id } } })
  t.equal(show(named?.excerpt ?? []), 'Dora Zimmermann', 'nothing is marked in what is only alike')
  const [part] = (await alice.api.search.conversations({ q: 'zimmer' })).items
  t.equal(show(part?.excerpt ?? []), 'Dora [Zimmer]mann')
  const scores = (await alice.api.search.conversations({ q: 'campaign' })).items.map(({ relevanceScore }) => relevanceScore)
  t.ok(
    scores.every((score, index) => score > 0 && score <= 1 && score <= (scores[index - 1] ?? 1)),
    scores.join(),
  )
})

t.test('a conversation is not found by a title, name or text with a word that must not be there', async (t) => {
  const [uma, vic] = [await server.signUp(), await server.signUp()]
  await vic.api.users.updateMe({ displayName: 'Lunch Sécret' })
  await uma.api.conversations.create({ type: 'direct', memberIds: [vic.id] })
  await startGroup('Lunch secret', uma, [])
  const lunch = await startGroup('Lunch', uma, [])
  const place = await startGroup('Secret lunch place', uma, [])
  const quiet = await startGroup('Quiet', uma, [])
  await uma.api.conversations.update(quiet.id, { summary: 'lunch secret', description: 'a secret lunch' })
  const both = await startGroup('Lunch menu', uma, [])
  await uma.api.conversations.update(both.id, { summary: 'lunch secret' })
  const cases: [q: string, ids: string[]][] = [
    ['lunch -secret', [lunch.id, both.id]],
    ['lunc -SECRET', [lunch.id, both.id]],
    ['lunhc -secret', [lunch.id, both.id]],
    ['lunch -"secret lunch" -sécret', [lunch.id, both.id]],
    ['place -"lunch secret"', [place.id]],
    ['place -"secret lunch"', []],
    ['lunch -secret -menu', [lunch.id]],
    ['lunch -secret or place', [lunch.id, both.id, place.id]],
  ]
  for (const [q, ids] of cases) t.same((await foundConversations(q, uma)).sort(), ids.sort(), q)
})

t.test('archived conversations are found where that is asked for, and their messages always', async (t) => {
  const { id } = await startGroup('Yesteryear')
  await say(id, 'nostalgia')
  await sql(`update conversations set status = 'archived' where id = $1`, [id])
  for (const q of ['yesteryear', 'nostalgia']) {
    t.same(await foundConversations(q), [], q)
    t.same(await foundConversations(q, alice, true), [id], q)
  }
  t.same(await found('nostalgia'), ['nostalgia'])
})

t.test('conversations come in pages, each once', async (t) => {
  const eve = await server.signUp()
  for (let index = 0; index < 23; index += 1) await startGroup(`Paged ${index}`, eve, [])
  const ids: string[] = []
  for await (const { conversation } of eve.api.search.conversations({ q: 'paged', limit: 5 })) ids.push(conversation.id)
  t.equal(ids.length, 23)
  t.equal(new Set(ids).size, 23)
})

t.test('whatever is asked is answered, and soon', async (t) => {
  for (const q of ['-', '""', '!!!', '%', '_', '\\', "'", '-only', '-"only this"', '&|!():*<->', ' ', "' or 1=1 --", '*', '<->']) {
    t.equal((await alice.api.search.messages({ q })).items.length, 0, q)
    t.same((await alice.api.search.conversations({ q })).items.length, 0, q)
  }
  const hostile = [
    ...['a'.repeat(200), 'a '.repeat(100), '"'.repeat(200), '-'.repeat(200), 'or '.repeat(66), '!('.repeat(100), '"a b" '.repeat(33), '字'.repeat(200)],
    ...['\u0001\u0002 x', "\\' : * & | ! ( )", 'x:*', 'abcd '.repeat(40), '😀', '\u202e', 'ﷺ'.repeat(50), '-a or -b', 'word or -word'],
  ]
  for (const q of hostile) {
    const startedAt = performance.now()
    await alice.api.search.messages({ q })
    await alice.api.search.conversations({ q })
    t.ok(performance.now() - startedAt < 3_000, q.slice(0, 20))
  }
  const refused = ['', 'a'.repeat(201), 'a%00b']
  for (const place of ['messages', 'conversations']) {
    t.equal((await server.request('GET', `/v1/search/${place}`, { token: alice.accessToken })).status, 400)
    for (const q of refused) t.equal((await server.request('GET', `/v1/search/${place}?q=${q}`, { token: alice.accessToken })).status, 400, q.slice(0, 10))
    t.equal((await server.request('GET', `/v1/search/${place}?q=a&limit=51`, { token: alice.accessToken })).status, 400)
    t.equal((await server.request('GET', `/v1/search/${place}?q=a`)).status, 401)
  }
})

t.test('a key that may only read may search', async (t) => {
  const { key } = await alice.api.apiKeys.create({ name: 'Reader', scope: 'read' })
  for (const place of ['messages', 'conversations']) t.equal((await server.request('GET', `/v1/search/${place}?q=a`, { token: key })).status, 200)
})

t.test('in a language words are found in all their forms; when it is changed messages are indexed anew while searches go on', async (t) => {
  const { url, drop } = await createTestDatabase()
  t.teardown(drop)
  const simple = await startServer(t, { databaseUrl: url })
  const frank = await simple.signUp()
  const { conversation } = await frank.api.conversations.create({ type: 'group', title: 'Sprachen', memberIds: [] })
  for (const content of ['the trains were running', 'zwei Häuser', 'the']) await frank.api.conversations.sendMessage(conversation.id, { content })
  const search = async (api: Person['api'], q: string) => (await api.search.messages({ q })).items.map(({ message }) => message.content)
  t.same(await search(frank.api, 'run'), [], 'in none only as they are written')
  t.same(await search(frank.api, 'the'), ['the', 'the trains were running'])
  await simple.stop()

  const english = await startServer(t, { databaseUrl: url, env: { SEARCH_LANGUAGE: 'english' } })
  const api = english.client({ accessToken: frank.accessToken })
  t.same(await search(api, 'trains'), ['the trains were running'], 'at once')
  await indexed(english)
  for (const q of ['train', 'run', 'trains running']) t.same(await search(api, q), ['the trains were running'], q)
  t.same(await search(api, 'the'), [], 'words that say nothing find nothing')
  t.same(show((await api.search.messages({ q: 'run' })).items[0]?.excerpt ?? []), 'the trains were [running]')
  await english.stop()

  const german = await startServer(t, { databaseUrl: url, env: { SEARCH_LANGUAGE: 'german' } })
  await indexed(german)
  t.same(await search(german.client({ accessToken: frank.accessToken }), 'haus'), ['zwei Häuser'])
})

t.test('messages that were there before the search are indexed when the server starts', async (t) => {
  const { url, drop } = await createTestDatabase()
  t.teardown(drop)
  const before = await startServer(t, { databaseUrl: url })
  const grace = await before.signUp()
  const { conversation } = await grace.api.conversations.create({ type: 'group', title: 'Old', memberIds: [] })
  await grace.api.conversations.update(conversation.id, { summary: 'old fashioned' })
  await Promise.all(Array.from({ length: 250 }, (_, index) => grace.api.conversations.sendMessage(conversation.id, { content: `ancient ${index}` })))
  for (const table of ['messages', 'conversations']) await before.database.pool.query(`update ${table} set search = null`)
  await before.database.pool.query('update search_index set indexed = false')
  await before.stop()
  const [after] = await Promise.all([startServer(t, { databaseUrl: url }), startServer(t, { databaseUrl: url })])
  await indexed(after)
  const { rows } = await after.database.pool.query('select count(*) from messages where search is null')
  t.equal(rows[0].count, 0, 'whichever of two processes does it')
  const api = after.client({ accessToken: grace.accessToken })
  t.equal((await api.search.messages({ q: 'ancient 7' })).items.length, 1)
  t.equal((await api.search.conversations({ q: 'fashioned' })).items.length, 1, 'and what conversations are called')
})

t.test('what indexes messages ends in time, goes on from there, and gives way to a later start', async (t) => {
  const { url, drop } = await createTestDatabase()
  t.teardown(drop)
  const server = await startServer(t, { databaseUrl: url })
  const heidi = await server.signUp()
  const { conversation } = await heidi.api.conversations.create({ type: 'group', title: 'Slices', memberIds: [] })
  await Promise.all(Array.from({ length: 450 }, (_, index) => heidi.api.conversations.sendMessage(conversation.id, { content: `slice ${index}` })))
  const { pool, db } = server.database
  await pool.query('update messages set search = null')
  await pool.query('update search_index set indexed = false')
  const generations: number[] = []
  const jobs = {
    enqueue: async (_executor: unknown, _name: string, data: object) => void generations.push('generation' in data ? Number(data.generation) : 0),
    wake: () => undefined,
  }
  const upkeep = createSearchUpkeep({ db, index: createSearchIndexRepository(db), jobs, log: silentLog, sliceMilliseconds: 0 })
  const left = async (): Promise<number> => (await pool.query('select count(*) from messages where search is null')).rows[0].count
  const isIndexed = async (): Promise<boolean> => (await pool.query('select indexed from search_index')).rows[0].indexed

  await upkeep.setLanguage('simple')
  for (const expected of [450, 250]) {
    await upkeep.indexAll({ generation: generations.at(-1) ?? 0 })
    t.equal(await left(), expected)
  }
  await upkeep.setLanguage('simple')
  const [first = 0, , , second = 0] = generations
  t.not(second, first)
  await upkeep.indexAll({ generation: first })
  t.equal(await left(), 250, 'who was started before does nothing more')
  let runs = 0
  for (; !(await isIndexed()); runs += 1) await upkeep.indexAll({ generation: second })
  t.equal(await left(), 0)
  t.ok(runs > 1 && runs < 6, `the later one goes on where that ended: ${runs}`)
})

t.test('a word that nobody has used is answered soon, also while many messages are not sorted into the index', async (t) => {
  const { id: conversationId } = await startGroup('Unsorted')
  await sql(
    `with last as (update conversations set last_seq = 10000, last_change_seq = last_change_seq + 10000 where id = $1)
     insert into messages (id, conversation_id, seq, sender_id, content, change_seq, created_change_seq, type)
     select gen_random_uuid(), $1, i, $2, (select string_agg('w' || md5((i * 31 + j * 7)::text), ' ') from generate_series(1, 10) j), i, i, 'text'
     from generate_series(1, 10000) i`,
    [conversationId, alice.id],
  )
  t.same(await found('internationalization'), [])
  const { rows } = await sql(`select gin_clean_pending_list('messages_search') as pages`)
  t.ok(rows[0].pages < 5, 'hundreds of lookups do not each read the whole list')
  const startedAt = performance.now()
  t.same(await found('uncharacteristically'), [])
  const took = performance.now() - startedAt
  t.ok(took < 1_500, `${took} ms`)
})

t.test('a search for a word that nobody has used holds up no other', async (t) => {
  const { db } = server.database
  const search = createSearchRepository({ db, limitMilliseconds: 2_000 })
  const known = await search.read(async (ask) => {
    await search.known(['unheardof'], ask)
    return search.read((other) => search.known(['neverheard'], other))
  })
  t.same(known, [])
})

t.test('a search ends when its time is over, whatever it waits for', async (t) => {
  const { db, pool } = server.database
  const search = createSearchRepository({ db, limitMilliseconds: 500 })
  const service = createSearchService({ search, conversations: createConversationSearchRepository() })
  const actor: Actor = { kind: 'session', userId: alice.id, role: 'user', expiresAt: Number.POSITIVE_INFINITY, credentialId: randomUUID() as SessionId }
  const isUnavailableSoon = async (work: () => Promise<unknown>, what: string): Promise<void> => {
    const startedAt = performance.now()
    const error: unknown = await work().catch((thrown: unknown) => thrown)
    t.equal(toAppError(error).code, 'unavailable', what)
    t.ok(performance.now() - startedAt < 800, `${what}: ${performance.now() - startedAt} ms`)
  }
  for (const table of ['members', 'search_index', 'messages', 'users']) {
    const client = await pool.connect()
    await client.query(`begin; lock table ${table}`)
    if (table !== 'users') await isUnavailableSoon(() => service.messages(actor, { q: 'anything' }), table)
    if (table !== 'messages') await isUnavailableSoon(() => service.conversations(actor, { q: 'anything' }), table)
    await client.query('rollback')
    client.release()
  }
  const sleeps = (seconds: number[]) => () =>
    search.read(async (ask) => {
      for (const time of seconds) await ask(drizzleSql`select pg_sleep(${time})`)
    })
  await isUnavailableSoon(sleeps(Array.from({ length: 20 }, () => 0.04)), 'many statements')
  await isUnavailableSoon(sleeps([0.4, 5]), 'a long one after a short one')
  t.ok((await service.messages(actor, { q: 'pagination' })).items.length > 0, 'and leaves nothing behind')
})

t.test('conversations with long texts in scripts without spaces are found soon', async (t) => {
  const ivan = await server.signUp()
  await sql(
    `with made as (
       insert into conversations (id, type, title, summary, description, created_by, member_count)
       select gen_random_uuid(), 'group', '组 ' || i, text, text, $1, 1
       from generate_series(1, 200) i, lateral (
         select string_agg(chr((19968 + ((i * 2000 + j)::bigint * 7919) % 20000)::int), '') as text from generate_series(1, 2000) j) texts
       returning id)
     insert into members (conversation_id, user_id, role, change_seq, joined_change_seq) select id, $1, 'owner', 0, 0 from made`,
    [ivan.id],
  )
  const startedAt = performance.now()
  t.same(await foundConversations('quarterly', ivan), [])
  t.same(await foundConversations('火车站 火', ivan), [])
  t.ok(performance.now() - startedAt < 1_000, `${performance.now() - startedAt} ms`)
})

t.test('so many at once are let in, such as searches, and those that wait too long are told to come back', async (t) => {
  const gate = createGate({ atOnce: 3, waitMilliseconds: 50, refusal: () => new AppError('unavailable') })
  let running = 0
  let most = 0
  const held = Promise.withResolvers<void>()
  const work = async (): Promise<void> => {
    running += 1
    most = Math.max(most, running)
    await held.promise
    running -= 1
  }
  const searches = Array.from({ length: 5 }, () => gate(work))
  const [fourth, fifth] = await Promise.allSettled(searches.slice(3))
  t.match([fourth, fifth], [{ reason: { code: 'unavailable' } }, { reason: { code: 'unavailable' } }])
  const sixth = gate(work)
  held.resolve()
  await Promise.all([...searches.slice(0, 3), sixth])
  t.equal(most, 3)
  await Promise.all(Array.from({ length: 9 }, () => gate(work)))
  t.equal(most, 3, 'and in turn when there is room')
})
