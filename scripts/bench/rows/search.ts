/**
 * The top 10 of 1,000,000 messages in 1,000 conversations, for somebody who is in 10 of these and somebody who is in 950: one request after
 * another. Words are as frequent as in a language: the second half as often as the first, the tenth a tenth as often.
 */
import pg from 'pg'
import { openHttpConnections } from '../load/http-connection.ts'
import { pick, repeat } from '../load/repeat.ts'
import { quantile } from '../load/slices.ts'
import { type Row, type Section, stateFigure } from '../row.ts'
import type { Setting } from '../setting.ts'
import { createAuthorization, get } from '../target.ts'
import { inventPeople, type World } from '../world.ts'

const conversationCount = 1_000
const messagesEach = 1_000
const wordCount = 50_000
const wordsPerMessage = 10
const expected = { most: 50 }

export async function measureSearch(setting: Setting): Promise<Section> {
  const [few = '', many = '', ...others] = inventPeople(12)
  const world: World = {
    conversations: inventConversations((index) => [...others, ...(index % 100 === 0 ? [few] : []), ...(index % 20 === 0 ? [] : [many])]),
  }
  const target = await setting.openOurs('search', world)
  const phrases = await fill(target.databaseUrl)
  // Not before: a connection that waits for a minute is closed.
  const [connection] = await openHttpConnections(target.server.port, 1)
  if (connection === undefined) throw new Error('There is no connection')
  try {
    const authorization = createAuthorization()
    const rows: Row[] = []
    for (const [kind, invent] of Object.entries(createQueries(phrases))) {
      for (const [userId, place] of [
        [few, '10'],
        [many, '950'],
      ] as const) {
        const ask = async (): Promise<void> => {
          const { status, body } = await connection.request(
            get(`/v1/search/messages?limit=10&q=${encodeURIComponent(invent())}`, `authorization: ${authorization(userId)}\r\n`),
          )
          if (status !== 200) throw new Error(`A search was answered with ${status}: ${body}`)
        }
        await repeat([connection], setting.pace.warmUpSeconds, ask)
        const latencies = await repeat([connection], setting.pace.sliceSeconds, ask)
        rows.push(
          stateFigure(
            `p95 of search for ${kind}, in ${place} conversations`,
            'ms',
            quantile(
              latencies.toSorted((a, b) => a - b),
              0.95,
            ),
            expected,
          ),
        )
      }
    }
    return { rows }
  } finally {
    connection.close()
    await target.server.stop()
  }
}

const inventConversations = (membersOf: (index: number) => string[]) =>
  Array.from({ length: conversationCount }, (_, index) => ({ id: inventPeople(1)[0] ?? '', members: membersOf(index), changeSeq: 1 }))

function createQueries(phrases: readonly string[]): Record<string, () => string> {
  const between = (from: number, to: number) => wordOf(from + Math.floor(Math.random() * (to - from)))
  return {
    'a very common word': () => between(0, 10),
    'a common word': () => between(10, 300),
    'a word': () => between(300, 5_000),
    'a rare word': () => between(5_000, wordCount),
    'a phrase': () => `"${pick(phrases)}"`,
    'two words': () => `${between(0, 100)} ${between(10, 3_000)}`,
    'either of two words': () => `${between(10, 300)} or ${between(300, 5_000)}`,
    'a word with a slip': () => withSlip(between(300, 20_000)),
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
