/**
 * The floor: the least that could be called the same job. Bare Fastify, a bare pool and a bare loop over `ws` sockets, on the same
 * tables: the same insert, one by one, and the same deliveries, with no authentication, validation, membership check, idempotency
 * or order. It is written as well as such a thing can be: prepared statements, a frame serialized once for all its sockets.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, stat, unlink } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fastify from 'fastify'
import pg from 'pg'
import { v7 } from 'uuid'
import { type WebSocket, WebSocketServer } from 'ws'
import { pick, repeat } from './load/repeat.ts'
import type { Group } from './world.ts'

interface Row {
  id: string
  conversation_id: string
  seq: number
  change_seq: number
  sender_id: string
  client_id: string | null
  content: string
  metadata: object
  created_at: Date
}

interface Body {
  senderId: string
  clientId: string
  content: string
}

/** What `/pool-alone` is to do. @returns milliseconds of each. */
export interface PoolLoad {
  statement: 'insert' | 'page'
  parallel: number
  seconds: number
  groups: Pick<Group, 'id' | 'members'>[]
  content: string
}

const insertStatement = `
  with advanced as (
    update conversations set last_seq = last_seq + 1, last_change_seq = last_change_seq + 1, updated_at = now()
    where id = $1 returning last_seq, last_change_seq
  )
  insert into messages (conversation_id, seq, change_seq, created_change_seq, id, sender_id, client_id, content)
  select $1, last_seq, last_change_seq, last_change_seq, $2, $3, $4, $5 from advanced returning *`

const pageStatement = 'select * from messages where conversation_id = $1 order by seq desc limit 50'

/** What a list shows at the least: the conversations with their last messages, the latest first. */
const conversationsStatement = `
  select c.id, c.title, c.last_seq, c.last_seq - me.read_seq as unread, c.updated_at, m.id as message_id, m.sender_id, m.content, m.created_at
  from members me join conversations c on c.id = me.conversation_id left join messages m on m.conversation_id = c.id and m.seq = c.last_seq
  where me.user_id = $1 and me.left_at is null order by c.updated_at desc limit 20`

const useStatement = 'update refresh_tokens set used_at = now() where token_hash = $1 and used_at is null and expires_at > now() returning session_id'

const tokenStatement = `insert into refresh_tokens (id, session_id, token_hash, issued_at, expires_at) values ($1, $2, $3, now(), now() + interval '7 days')`

pg.types.setTypeParser(pg.types.builtins.INT8, Number)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.DATABASE_MAX_CONNECTIONS) })
const app = fastify({ bodyLimit: 2 ** 30 })
const filesDir = process.env.FILES_DIR ?? ''
await mkdir(filesDir, { recursive: true })
const live = new Map<string, Set<WebSocket>>()

app.get('/ready', async () => ({ status: 'ok' }))

app.post<{ Params: { id: string }; Body: Body }>('/conversations/:id/messages', async ({ params, body }, reply) => {
  const message = await insert(params.id, body)
  deliver(message)
  reply.code(201)
  return { message }
})

app.get<{ Params: { id: string } }>('/conversations/:id/messages', async ({ params }) => list(params.id))

app.get<{ Querystring: { userId: string } }>('/conversations', async ({ query }) => {
  const { rows } = await pool.query({ name: 'conversations', text: conversationsStatement, values: [query.userId] })
  return { items: rows }
})

app.addContentTypeParser('application/octet-stream', (_request, body, done) => done(null, body))

/** The bytes as they come, into a file. */
app.post<{ Body: Readable }>('/files', async ({ body }) => {
  const id = v7()
  await pipeline(body, createWriteStream(join(filesDir, id)))
  return { id }
})

app.get<{ Params: { id: string } }>('/files/:id', async ({ params }, reply) => {
  const path = join(filesDir, params.id)
  const { size } = await stat(path)
  return reply.header('content-length', size).type('application/octet-stream').send(createReadStream(path))
})

app.delete<{ Params: { id: string } }>('/files/:id', async ({ params }, reply) => {
  await unlink(join(filesDir, params.id))
  return reply.code(204).send()
})

/** A token for the next one: looked up, marked and followed, with no signature, no retry, no theft noticed. */
app.post<{ Body: { refreshToken: string } }>('/refresh', async ({ body: { refreshToken } }, reply) => {
  const { rows } = await pool.query<{ session_id: string }>({ name: 'use', text: useStatement, values: [hash(refreshToken)] })
  if (rows[0] === undefined) return reply.code(401).send()
  return { refreshToken: await insertToken(rows[0].session_id) }
})

app.post<{ Body: { userId: string } }>('/sessions', async ({ body: { userId } }) => {
  const id = v7()
  await pool.query("insert into sessions (id, user_id, created_at, last_used_at, expires_at) values ($1, $2, now(), now(), now() + interval '7 days')", [
    id,
    userId,
  ])
  return { refreshToken: await insertToken(id) }
})

/** Without HTTP: the same statements through the same pool. */
app.post<{ Body: PoolLoad }>('/pool-alone', async ({ body: { statement, parallel, seconds, groups, content } }): Promise<number[]> => {
  const workers = Array.from({ length: parallel }, (_, index) => index)
  return repeat(workers, seconds, () => {
    const { id, members } = pick(groups)
    return statement === 'insert' ? insert(id, { senderId: pick(members), content, clientId: v7() }) : list(id)
  })
})

new WebSocketServer({ server: app.server, path: '/ws', perMessageDeflate: false }).on('connection', (socket, request) => {
  const sockets = socketsOf(conversationIdOf(request))
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})

await app.listen({ host: process.env.HOST ?? '127.0.0.1', port: Number(process.env.PORT) })
process.on('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => process.exit(0))

async function insert(conversationId: string, { senderId, clientId, content }: Body) {
  const { rows } = await pool.query<Row>({ name: 'insert', text: insertStatement, values: [conversationId, v7(), senderId, clientId, content] })
  if (rows[0] === undefined) throw new Error('There is no such conversation')
  return toMessage(rows[0])
}

async function insertToken(sessionId: string): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await pool.query({ name: 'token', text: tokenStatement, values: [v7(), sessionId, hash(token)] })
  return token
}

const hash = (token: string): string => createHash('sha256').update(token).digest('base64url')

async function list(conversationId: string) {
  const { rows } = await pool.query<Row>({ name: 'page', text: pageStatement, values: [conversationId] })
  return { items: rows.map(toMessage), nextCursor: null, hasMore: rows.length === 50 }
}

function toMessage(row: Row) {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    seq: row.seq,
    changeSeq: row.change_seq,
    senderId: row.sender_id,
    type: 'text',
    content: row.content,
    clientId: row.client_id,
    metadata: row.metadata,
    createdAt: row.created_at.toISOString(),
  }
}

function deliver(message: ReturnType<typeof toMessage>): void {
  const { conversationId, changeSeq } = message
  const frame = Buffer.from(JSON.stringify({ type: 'message.created', conversationId, changeSeq, data: { message } }))
  for (const socket of socketsOf(conversationId)) socket.send(frame, { binary: false })
}

function socketsOf(conversationId: string): Set<WebSocket> {
  const sockets = live.get(conversationId) ?? new Set()
  live.set(conversationId, sockets)
  return sockets
}

function conversationIdOf({ url = '' }: IncomingMessage): string {
  return new URL(url, 'http://floor').searchParams.get('conversation') ?? ''
}
