/** One of the two servers that are measured, and how to talk to it. Requests are whole texts, so that the generator has little to do. */
import type { SessionId, UserId } from '../../openapi/shared/ids.ts'
import { newId, systemClock } from '../../src/clock.ts'
import { createAccessTokens } from '../../src/features/auth/access-tokens.ts'
import type { HttpConnection } from './load/http-connection.ts'
import type { Handshake } from './load/listener.ts'
import { openListener } from './load/listener.ts'
import type { ServerProcess, Stage } from './stage.ts'
import { content, type Group } from './world.ts'

export type Side = 'ours' | 'floor'

export interface Target {
  side: Side
  databaseUrl: string
  server: ServerProcess
  /** What there is to say to it. */
  send(group: Group, senderId: string, clientId: string): string
  page(group: Group, readerId: string): string
  /** The first 20 conversations of somebody. */
  list(readerId: string): string
  handshake(group: Group, userId: string): Handshake
  refresh(refreshToken: string): string
  files: FileRequests
  /** Signs a user in. @returns the refresh token */
  beginSession(connection: HttpConnection, userId: string, password: string): Promise<string>
}

/** Files are no texts: these are requests for `fetch`. */
interface FileRequests {
  upload(port: number, userId: string, bytes: Uint8Array<ArrayBuffer>): Request
  download(port: number, userId: string, fileId: string): Request
  remove(port: number, userId: string, fileId: string): Request
}

type Dialect = Pick<Target, 'files' | 'send' | 'page' | 'list' | 'handshake' | 'refresh' | 'beginSession'>

const jwtSecret = 'a secret for the bench, long enough to be one'
const connections = '10'
/** Counted like any others, and never reached. */
const highLimits = Object.fromEntries(['AUTH', 'DEFAULT', 'MESSAGES', 'UPLOADS', 'PUBLIC', 'SOCKETS'].map((name) => [`RATE_LIMIT_${name}`, '999999999/1m']))

/** Everything switched on, as in real life. */
export const realLife = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'info',
  JWT_SECRET: jwtSecret,
  DATABASE_MAX_CONNECTIONS: connections,
  UPLOAD_QUOTA_BYTES: '1000000000000',
  ...highLimits,
}

export async function startTarget(stage: Stage, side: Side, databaseUrl: string): Promise<Target> {
  const dialect = side === 'ours' ? await createOurDialect() : floorDialect
  const env =
    side === 'ours'
      ? { ...realLife, DATA_DIR: `${stage.folder}/ours` }
      : { NODE_ENV: 'production', DATABASE_MAX_CONNECTIONS: connections, FILES_DIR: `${stage.folder}/floor-files` }
  const script = side === 'ours' ? 'src/main.ts' : 'scripts/bench/floor.ts'
  const server = await stage.startServer({ name: side, script, env: { ...env, DATABASE_URL: databaseUrl } })
  return { side, databaseUrl, server, ...dialect }
}

export const listen = (target: Target, group: Group, userId: string, onDelivery: () => void) =>
  openListener({ port: target.server.port, handshake: target.handshake(group, userId), afterChangeSeq: group.changeSeq, onDelivery })

/** Tokens live for minutes: a dialect is made for one part of a run. */
async function createOurDialect(): Promise<Dialect> {
  const authorization = createAuthorization()
  return {
    send: ({ id }, senderId, clientId) => post(`/v1/conversations/${id}/messages`, `authorization: ${authorization(senderId)}\r\n`, { content, clientId }),
    page: ({ id }, readerId) => get(`/v1/conversations/${id}/messages?limit=50`, `authorization: ${authorization(readerId)}\r\n`),
    list: (readerId) => get('/v1/conversations?limit=20', `authorization: ${authorization(readerId)}\r\n`),
    handshake: (_group, userId) => ({ path: '/v1/ws', headers: { authorization: authorization(userId) }, saysHello: true }),
    refresh: (refreshToken) => post('/v1/auth/refresh', '', { refreshToken }),
    files: {
      upload: (port, userId, bytes) => {
        const body = new FormData()
        body.append('file', new Blob([bytes]), 'noise.pdf')
        return new Request(`http://127.0.0.1:${port}/v1/files`, { method: 'POST', headers: { authorization: authorization(userId) }, body })
      },
      download: (port, userId, fileId) =>
        new Request(`http://127.0.0.1:${port}/v1/files/${fileId}/content`, { headers: { authorization: authorization(userId) } }),
      remove: (port, userId, fileId) =>
        new Request(`http://127.0.0.1:${port}/v1/files/${fileId}`, { method: 'DELETE', headers: { authorization: authorization(userId) } }),
    },
    beginSession: (connection, userId, password) => askForToken(connection, post('/v1/auth/login', '', { identifier: `${userId}@example.com`, password })),
  }
}

const floorDialect: Dialect = {
  send: ({ id }, senderId, clientId) => post(`/conversations/${id}/messages`, '', { senderId, content, clientId }),
  page: ({ id }) => get(`/conversations/${id}/messages`, ''),
  list: (readerId) => get(`/conversations?userId=${readerId}`, ''),
  handshake: ({ id }) => ({ path: `/ws?conversation=${id}`, headers: {}, saysHello: false }),
  refresh: (refreshToken) => post('/refresh', '', { refreshToken }),
  files: {
    upload: (port, _userId, bytes) =>
      new Request(`http://127.0.0.1:${port}/files`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: bytes }),
    download: (port, _userId, fileId) => new Request(`http://127.0.0.1:${port}/files/${fileId}`),
    remove: (port, _userId, fileId) => new Request(`http://127.0.0.1:${port}/files/${fileId}`, { method: 'DELETE' }),
  },
  beginSession: (connection, userId) => askForToken(connection, post('/sessions', '', { userId })),
}

async function askForToken(connection: HttpConnection, request: string): Promise<string> {
  const { status, body } = await connection.request(request)
  if (status !== 200) throw new Error(`A sign-in was answered with ${status}: ${body}`)
  return (JSON.parse(body) as { refreshToken: string }).refreshToken
}

const post = (path: string, headers: string, body: object): string => {
  const text = JSON.stringify(body)
  return `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`
}

export const get = (path: string, headers: string): string => `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${headers}\r\n`

/** Signed with the server's secret: signing in is not what is measured. */
export function createAuthorization(): (userId: string) => string {
  const tokens = createAccessTokens({ secrets: [jwtSecret], revocations: { has: () => false }, clock: systemClock })
  const headers = new Map<string, string>()
  const issue = (userId: string): string => `Bearer ${tokens.issue({ id: userId as UserId, role: 'user' }, newId<SessionId>()).accessToken}`
  return (userId) => {
    const header = headers.get(userId) ?? issue(userId)
    headers.set(userId, header)
    return header
  }
}
