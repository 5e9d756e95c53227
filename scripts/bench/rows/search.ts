/**
 * The top 10 of 1,000,000 messages in 1,000 conversations, for somebody who is in 10 of these and somebody who is in 950: one request after
 * another. Words are as frequent as in a language: the second half as often as the first, the tenth a tenth as often.
 */
import pg from 'pg'
import { openReadBench } from '../load/read-bench.ts'
import { pick } from '../load/repeat.ts'
import { quantile } from '../load/slices.ts'
import { type Row, type Section, stateFigure } from '../row.ts'
import type { Setting } from '../setting.ts'
import { createAuthorization, get, type Target } from '../target.ts'
import { inventPeople, type World } from '../world.ts'

const conversationCount = 1_000
const messagesEach = 1_000
const wordCount = 50_000
const wordsPerMessage = 10
const pageLength = 10
const expected = { most: 50 }

export async function measureSearch(setting: Setting): Promise<Section> {
  const [few = '', many = '', ...others] = inventPeople(12)
  const world: World = {
    conversations: inventConversations((index) => [...others, ...(index % 100 === 0 ? [few] : []), ...(index % 20 === 0 ? [] : [many])]),
  }
  const target = await setting.openOurs('search', world)
  const kinds = createKinds(await fill(target.databaseUrl))
  const rows: Row[] = []
  try {
    for (const [name, kind] of Object.entries(kinds)) {
      for (const [userId, place] of [
        [few, '10'],
        [many, '950'],
      ] as const) {
        const latencies = await measureSearches(setting, target, userId, kind)
        rows.push(stateFigure(`p95 of search for ${name}, in ${place} conversations`, 'ms', quantile(latencies, 0.95), expected))
      }
    }
    return { rows }
  } finally {
    await target.server.stop()
  }
}

async function measureSearches({ pace }: Setting, target: Target, userId: string, { invent, least = 0 }: Kind): Promise<number[]> {
  const authorization = createAuthorization()
  const ask = () => get(`/v1/search/messages?limit=${pageLength}&q=${encodeURIComponent(invent())}`, `authorization: ${authorization(userId)}\r\n`)
  const bench = await openReadBench(target, { readers: 1, ask, check: (body) => checkFound(body, least) })
  try {
    await bench.load(pace.warmUpSeconds)
    const { latencies } = await bench.load(pace.sliceSeconds)
    return latencies
  } finally {
    bench.close()
  }
}

function checkFound(body: string, least: number): void {
  const { items } = JSON.parse(body) as { items: { excerpt: { marked: boolean }[] }[] }
  const isRight = items.length >= least && items.length <= pageLength && items.every(({ excerpt }) => excerpt.some(({ marked }) => marked))
  if (!isRight) throw new Error(`A search found ${items.length} messages, or some without what was searched for`)
}

const inventConversations = (membersOf: (index: number) => string[]) =>
  Array.from({ length: conversationCount }, (_, index) => ({ id: inventPeople(1)[0] ?? '', members: membersOf(index), changeSeq: 1 }))

interface Kind {
  invent(): string
  /** So many are found in any case. */
  least?: number
}

function createKinds(phrases: readonly string[]): Record<string, Kind> {
  const between = (from: number, to: number) => wordOf(from + Math.floor(Math.random() * (to - from)))
  return {
    'a very common word': { invent: () => between(0, 10), least: pageLength },
    'a common word': { invent: () => between(10, 300), least: 1 },
    'a word': { invent: () => between(300, 5_000) },
    'a rare word': { invent: () => between(5_000, wordCount) },
    'a phrase': { invent: () => `"${pick(phrases)}"` },
    'two words': { invent: () => `${between(0, 100)} ${between(10, 3_000)}` },
    'either of two words': { invent: () => `${between(10, 300)} or ${between(300, 5_000)}`, least: 1 },
    'a word with a slip': { invent: () => withSlip(between(300, 20_000)) },
  }
}

const syllables = ['ba', 'ce', 'di', 'fo', 'gu', 'ha', 'je', 'ki', 'lo', 'mu', 'na', 'pe', 'ri', 'so', 'tu', 'va']

/** Short ones are the frequent ones. */
function wordOf(rank: number): string {
  let word = ''
  for (let rest = rank + 16; rest > 0; rest = Math.floor(rest / 16)) word += syllables[rest % 16]
  return word
}

const withSlip = (word: string): string => `${word.slice(0, 2)}${word[3]}${word[2]}${word.slice(4)}`

const sampleWord = (): string => wordOf(Math.floor(wordCount ** Math.random()) - 1)

const sampleMessage = (): string => Array.from({ length: wordsPerMessage }, sampleWord).join(' ')

/** In the order of time, every conversation by turns. @returns two words that stand beside each other, many times */
async function fill(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const phrases: string[] = []
  try {
    await client.query(`set synchronous_commit = off`)
    for (let seq = 1; seq <= messagesEach; seq += 1) {
      const contents = Array.from({ length: conversationCount }, sampleMessage)
      phrases.push(...contents.slice(0, 3).map((content) => content.split(' ').slice(2, 4).join(' ')))
      await client.query(insertStatement, [seq, contents])
    }
    await client.query('update conversations set last_seq = $1::bigint, last_change_seq = $1 + 1', [messagesEach])
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
  return phrases
}

const insertStatement = `
  insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, client_id, content)
  select c.id, $1::bigint, $1 + 1, $1 + 1, uuidv7(), c.created_by, 'seed-' || c.id || '-' || $1, content
  from (select id, created_by, row_number() over (order by id) as place from conversations) c
  join unnest($2::text[]) with ordinality contents (content, place) using (place)`
