/** The server of the demo: the one that is named, else the one that runs, else one of its own that goes again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Health, Parley } from '@parley/sdk'

/** A reason to end that a person can act on; it is shown as it is. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

export interface Server {
  url: string
  /** How it came about, for the transcript. */
  origin: string
  isOwn: boolean
  stop(): Promise<void>
}

const usualUrl = 'http://localhost:3000'
const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/**
 * @param onStarted gets what ends a server of our own as soon as there is something to end
 * @throws DemoError when there is none, or it is not in development
 */
export async function openServer(namedUrl: string | undefined, onStarted: (stop: () => Promise<void>) => void): Promise<Server> {
  const url = namedUrl ?? usualUrl
  const environment = await askEnvironment(url)
  if (environment === undefined && namedUrl !== undefined) throw new DemoError(`No Parley answers at ${url}, which PARLEY_URL names.`)
  if (environment === undefined) return startServer(onStarted)
  if (environment !== 'development') {
    throw new DemoError(
      `The Parley at ${url} runs in ${environment}, where the code 000000 is worth nothing. Set PARLEY_URL to one in development, or stop this one.`,
    )
  }
  return { url, origin: namedUrl === undefined ? 'found running' : 'named by PARLEY_URL', isOwn: false, stop: async () => undefined }
}

/** Undefined when nobody answers, or somebody else does. */
async function askEnvironment(url: string): Promise<Health['environment'] | undefined> {
  const api = new Parley({ baseUrl: url, retries: 0, timeoutMilliseconds: 2_000 })
  const health: Partial<Health> | undefined = await api.system.health().catch(() => undefined)
  return health?.status === 'healthy' ? health.environment : undefined
}

async function startServer(onStarted: (stop: () => Promise<void>) => void): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-demo-'))
  // PostgreSQL runs as another user when we are root.
  await chmod(folder, 0o755)
  const env = { ...process.env, NODE_ENV: 'development', HOST: '127.0.0.1', PORT: '0', PUBLIC_URL: '', DATABASE_URL: '', SMTP_URL: '' }
  const child = spawn(process.execPath, [mainFile], {
    env: { ...env, DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'error', RATE_LIMIT_MESSAGES: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a Ctrl-C is ours to pass on, once.
    detached: true,
  })
  let said = ''
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  onStarted(stop)

  const address = new Promise<string | undefined>((resolve) => {
    const listen = (data: Buffer): void => {
      said += data
      const [, url] = /^ +API +(\S+)\/v1$/m.exec(said) ?? []
      if (url !== undefined) resolve(url)
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    void ended.then(() => resolve(undefined))
  })
  const url = await address
  if (url === undefined) throw new DemoError(`A server could not be started. It said:\n${said.trim()}`)
  return { url, origin: 'started for this, with a PostgreSQL of its own', isOwn: true, stop }
}
