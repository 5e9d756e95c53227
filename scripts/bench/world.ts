/** Who talks to whom in a run: written into both databases by SQL, the same rows in each. */
import pg from 'pg'
import { newId } from '../../src/clock.ts'

export interface World {
  conversations: Group[]
}

export interface Group {
  id: string
  members: string[]
  /** The last change that was written with it. */
  changeSeq: number
}

interface Size {
  conversations: number
  /** In each conversation: people of its own, or the same ones in all. */
  members: number | string[]
  /** In each conversation. */
  messages: number
}

/** What people write is about this long. */
export const content = 'Shall we meet at the station at seven? The train leaves at ten past, and I would like a coffee first.'

export function inventWorld({ conversations, members, messages }: Size): World {
  const group = (): Group => ({ id: newId(), members: typeof members === 'number' ? inventPeople(members) : members, changeSeq: messages + 1 })
  return { conversations: Array.from({ length: conversations }, group) }
}

export const inventPeople = (count: number): string[] => Array.from({ length: count }, () => newId<string>())

export async function writeWorld(databaseUrl: string, { conversations }: World): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const ids = conversations.map(({ id }) => id)
    const memberships = conversations.flatMap(({ id, members }) => members.map((userId) => ({ id, userId })))
    const people = [...new Set(memberships.map(({ userId }) => userId))]
    await client.query(`insert into users (id, email) select id, id || '@example.com' from unnest($1::uuid[]) id`, [people])
    await client.query(conversationsStatement, [ids, conversations.map(({ members }) => members[0]), conversations.map(({ changeSeq }) => changeSeq)])
    await client.query(membersStatement, [memberships.map(({ id }) => id), memberships.map(({ userId }) => userId)])
    await client.query(messagesStatement, [ids, content])
    await client.query(`update conversations set member_count = (select count(*) from members where conversation_id = id) where id = any($1)`, [ids])
    await client.query('vacuum analyze')
    // What was written just now is not to be brought to the disk while something is measured.
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** Made and filled by the first change; each message is one more. */
const conversationsStatement = `
  insert into conversations (id, type, title, created_by, last_seq, last_change_seq, change_seq)
  select id, 'group', 'Bench', created_by, change_seq - 1, change_seq, 1
  from unnest($1::uuid[], $2::uuid[], $3::bigint[]) c (id, created_by, change_seq)`

const membersStatement = `
  insert into members (conversation_id, user_id, role, change_seq, joined_change_seq)
  select conversation_id, user_id, 'member', 1, 1 from unnest($1::uuid[], $2::uuid[]) m (conversation_id, user_id)`

const messagesStatement = `
  insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, client_id, content)
  select c.id, seq, seq + 1, seq + 1, uuidv7(), c.created_by, 'seed-' || c.id || '-' || seq, $2
  from conversations c, generate_series(1, c.last_seq) seq where c.id = any($1::uuid[])`
