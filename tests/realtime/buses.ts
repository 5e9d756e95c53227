/** Two ways by which processes hear each other, and what their tests share. */
import pg from 'pg'
import type { Test } from 'tap'
import type { TestDatabase } from '../helpers/database.ts'
import { prepareRedis, redisIsMissing } from '../helpers/redis.ts'
import type { TestServer } from '../helpers/server.ts'
import { type Person, type Socket, send, until } from './people.ts'

interface Bus {
  env: Record<string, string>
  /** Breaks what carries it, for a moment. */
  cut(databaseUrl: string): Promise<void>
}

export async function query(databaseUrl: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  return client.query(text).finally(() => client.end())
}

/** Ends the connections by which processes hear each other through PostgreSQL. */
export const cutListeners =
  "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and (query like 'listen parley%' or query like '%pg_notify%unnest%') and pid <> pg_backend_pid()"

export const buses: { name: string; skip: string | false; prepare(t: Test): Promise<Bus> }[] = [
  {
    name: 'PostgreSQL',
    skip: false,
    prepare: async () => ({ env: {}, cut: async (databaseUrl) => void (await query(databaseUrl, cutListeners)) }),
  },
  {
    name: 'Redis',
    skip: redisIsMissing,
    prepare: async (t) => {
      const redis = await prepareRedis(t)
      await redis.start()
      return { env: { REDIS_URL: redis.url }, cut: redis.cutAll }
    },
  },
]

export async function stopAll(database: TestDatabase, ...servers: TestServer[]): Promise<void> {
  for (const server of servers) await server.stop()
  await database.drop()
}

/** What a client that stood at a number has applied, by the rule. */
export function reached({ frames }: Socket, id: string, cursor: number) {
  let last = cursor
  let doubles = 0
  let holes = 0
  for (const { conversationId, changeSeq = 0, previousChangeSeq = changeSeq - 1 } of frames) {
    if (conversationId !== id || changeSeq === 0) continue
    if (changeSeq <= last) doubles += 1
    else if (previousChangeSeq > last) holes += 1
    else last = changeSeq
  }
  return { last, doubles, holes }
}

/** Once may be by what is compared a while after another process was heard last. */
export async function arriveTwice(t: Test, sender: Person, socket: Socket, id: string): Promise<void> {
  for (const round of ['once', 'and again']) {
    const { changeSeq } = await send(sender, id)
    const sentAt = performance.now()
    await until(socket, id, changeSeq)
    t.comment(`${round}, after ${Math.round(performance.now() - sentAt)} ms`)
  }
}
