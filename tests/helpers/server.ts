/** A whole server on a database of its own, as a client meets it: over HTTP, sockets and the built SDK. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Parley, type ParleyOptions } from '@parley/sdk'
import type { FastifyBaseLogger } from 'fastify'
import pino from 'pino'
import PostalMime from 'postal-mime'
import type { Test } from 'tap'
import WebSocket from 'ws'
import type { ConversationId, UserId } from '../../openapi/shared/ids.ts'
import { buildApp } from '../../src/app.ts'
import { type Clock, systemClock } from '../../src/clock.ts'
import { loadConfig } from '../../src/config.ts'
import { createDatabase } from '../../src/db/client.ts'
import type { PresenceTimes } from '../../src/features/presence/attendance.ts'
import type { DownloadLimits } from '../../src/http/content.ts'
import type { FormTimes } from '../../src/http/multipart.ts'
import { guardContract } from './contract-guard.ts'
import { createTestDatabase } from './database.ts'

export interface Options {
  /** Beside what tests have by default: no limits, quiet. */
  env?: Record<string, string>
  clock?: Clock
  heartbeatSeconds?: number
  presenceTimes?: PresenceTimes
  formTimes?: FormTimes
  downloadLimits?: DownloadLimits
  /** A database that others use too; otherwise one of its own is made and dropped. */
  databaseUrl?: string
  /** 10 when left out. */
  maxConnections?: number
  /** Where the log goes instead of stdout. */
  log?: FastifyBaseLogger
}

export type TestServer = Awaited<ReturnType<typeof startServer>>

export const jwtSecret = 'a secret for tests, long enough to be one'

const unlimited = Object.fromEntries(['AUTH', 'DEFAULT', 'MESSAGES', 'UPLOADS', 'PUBLIC', 'SOCKETS'].map((name) => [`RATE_LIMIT_${name}`, 'off']))

const dataDirs = new Map<string, { path: Promise<string>; servers: number }>()

/** One folder for all servers on a database, as operators are told: each does the jobs of all, and writes their mails. */
async function shareDataDir(databaseUrl: string) {
  // A proxy has another port.
  const { pathname } = new URL(databaseUrl)
  const dir = dataDirs.get(pathname) ?? { path: mkdtemp(join(tmpdir(), 'parley-data-')), servers: 0 }
  dataDirs.set(pathname, dir)
  dir.servers += 1
  const dataDir = await dir.path

  const leave = async (): Promise<void> => {
    dir.servers -= 1
    if (dir.servers > 0) return
    dataDirs.delete(pathname)
    await rm(dataDir, { recursive: true, force: true })
  }
  return { dataDir, leave }
}

/** Ends with the test, which fails when anything the server said was not in the contract. */
export async function startServer(
  t: Pick<Test, 'teardown'>,
  { env = {}, clock = systemClock, heartbeatSeconds, presenceTimes, formTimes, downloadLimits, databaseUrl, maxConnections = 10, ...given }: Options = {},
) {
  const own = databaseUrl === undefined ? await createTestDatabase() : undefined
  const url = databaseUrl ?? own?.url ?? ''
  const { dataDir, leave } = await shareDataDir(url)
  const config = loadConfig({ NODE_ENV: 'development', LOG_LEVEL: 'silent', DATA_DIR: dataDir, PORT: '0', JWT_SECRET: jwtSecret, ...unlimited, ...env })
  const log = given.log ?? pino({ level: config.logLevel })
  const database = createDatabase({ url, maxConnections, log })
  const app = await buildApp({
    config: { ...config, jwtSecret: config.jwtSecret ?? jwtSecret },
    database,
    log,
    clock,
    ...(heartbeatSeconds && { heartbeatSeconds }),
    ...(presenceTimes && { presenceTimes }),
    ...(formTimes && { formTimes }),
    ...(downloadLimits && { downloadLimits }),
  })
  const guard = guardContract(app.server)
  const baseUrl = await app.server.listen({ host: '127.0.0.1', port: 0 })

  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await app.server.close()
    await database.close()
    await own?.drop()
    await leave()
  }
  t.teardown(async () => {
    await stop()
    // No assertion: the test may have ended already. What is thrown here fails it as well.
    if (guard.violations.length > 0) throw new Error(`The server said what is not in the contract:\n${guard.violations.join('\n')}`)
  })

  let people = 0
  const client = (options: Partial<ParleyOptions> = {}) => new Parley({ baseUrl, ...options })

  return {
    url: baseUrl,
    dataDir,
    app,
    database,
    guard,
    stop,
    client,

    /** Somebody new, signed in. */
    async signUp(email = `person-${++people}-${Date.now()}@example.com`) {
      const api = client()
      await api.auth.register({ email })
      const { user, accessToken } = await api.auth.verifyEmail({ email, code: '000000' })
      return { api, accessToken, email, id: user.id as UserId }
    },

    /** A bare request, for what the SDK would not send. */
    async request(method: string, path: string, { body, token, headers = {} }: { body?: unknown; token?: string; headers?: Record<string, string> } = {}) {
      const isReady = typeof body === 'string' || body instanceof FormData || body === undefined
      const response = await fetch(`${baseUrl}${path}`, {
        method,
        redirect: 'manual',
        headers: { ...(!isReady && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { body: isReady ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined }
    },

    /** A bare socket, for what the SDK would not say. */
    socket: (accessToken: string, search = '') => openSocket(`${baseUrl.replace('http', 'ws')}/v1/ws${search}`, accessToken),

    /** Mails in the order in which they were written. */
    async mails() {
      const names = await readdir(join(dataDir, 'mail')).catch(() => [])
      return Promise.all(
        names
          .filter((name) => name.endsWith('.eml'))
          .sort()
          .map(async (name) => PostalMime.parse(await readFile(join(dataDir, 'mail', name)))),
      )
    },
  }
}

export interface ReceivedFrame {
  type: string
  id?: string | number
  conversationId?: ConversationId
  changeSeq?: number
  previousChangeSeq?: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came; the contract guard has validated it
  data?: any
  error?: { code: string }
}

/** @returns once the socket has said hello. */
async function openSocket(url: string, accessToken: string) {
  const socket = new WebSocket(url, ['parley.v1', `bearer.${accessToken}`])
  const frames: ReceivedFrame[] = []
  const waiting = new Set<() => void>()
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
  })
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)))
    for (const look of waiting) look()
  })

  /** The first frame from `from` on that fits, whenever it comes. */
  const frame = (fits: (frame: ReceivedFrame) => boolean, from = 0): Promise<ReceivedFrame> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const found = frames.slice(from).find(fits)
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      void closed.then(({ code }) => waiting.delete(look) && reject(new Error(`The socket closed with ${code}`)))
      look()
    })

  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  await frame(({ type }) => type === 'hello')
  return {
    socket,
    frames,
    frame,
    closed,
    send: (command: unknown) => socket.send(typeof command === 'string' ? command : JSON.stringify(command)),
    close: () => socket.close(),
  }
}
