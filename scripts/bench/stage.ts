/** What a run has started, ended in the reverse order: at its end, on an error and on Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Usage } from './probe.ts'

export type Stage = Awaited<ReturnType<typeof openStage>>

export interface ServerProcess {
  port: number
  /** From the start of the process to the first good answer of `/ready`. */
  secondsToReady: number
  /** @param collected whether garbage is collected first. */
  usage(collected?: boolean): Promise<Usage>
  stop(): Promise<void>
}

interface ServerOptions {
  /** Of the log file. */
  name: string
  /** Relative to the project's folder. */
  script: string
  env: Record<string, string>
  /** Extra options of Node, for profiles. */
  nodeOptions?: string[]
}

const projectFolder = fileURLToPath(new URL('../..', import.meta.url))
const probe = new URL('probe.ts', import.meta.url).href
const readyMilliseconds = 60_000
const stopMilliseconds = 12_000

export async function openStage() {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
  // PostgreSQL may run as another user.
  await chmod(folder, 0o755)
  const endings: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  let closing: Promise<void> | undefined

  const closeAll = async (): Promise<void> => {
    for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end()
  }

  return {
    /** Removed at the end. */
    folder,

    get isClosing(): boolean {
      return closing !== undefined
    },

    defer(end: () => Promise<unknown>): void {
      endings.push(end)
    },

    close(): Promise<void> {
      closing ??= closeAll()
      return closing
    },

    /** @returns once the server answers `/ready` with 200. */
    async startServer(options: ServerOptions): Promise<ServerProcess> {
      const port = await freePort()
      const logFile = join(folder, `${options.name}.log`)
      const log = await open(logFile, 'a')
      const startedAt = performance.now()
      const child = launch({ ...options, env: { ...options.env, PORT: String(port) } }, log.fd)
      const stop = () => end(child)
      endings.push(stop)
      await log.close()
      await untilReady(child, port).catch(async (error) => {
        throw new Error(`${options.name} does not start: ${error.message}\n${(await readFile(logFile, 'utf8')).slice(-2_000)}`)
      })
      return { port, secondsToReady: (performance.now() - startedAt) / 1000, usage: (collected = false) => ask(child, collected), stop }
    },
  }
}

/** Both servers get the same options. */
function launch({ script, env, nodeOptions = [] }: ServerOptions, logFd: number): ChildProcess {
  return spawn(process.execPath, ['--expose-gc', '--import', probe, ...nodeOptions, script], {
    cwd: projectFolder,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', ...env },
    stdio: ['ignore', logFd, logFd, 'ipc'],
  })
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + readyMilliseconds
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    const isReady = await fetch(`http://127.0.0.1:${port}/ready`).then(
      async (response) => (await response.arrayBuffer()) && response.ok,
      () => false,
    )
    if (isReady) return
    await sleep(10)
  }
  throw new Error('it is not ready in time')
}

async function ask(child: ChildProcess, collected: boolean): Promise<Usage> {
  const answered = once(child, 'message')
  child.send(collected ? 'collected usage' : 'usage')
  const [usage] = (await answered) as [Usage]
  return usage
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const impatience = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds)
  child.kill('SIGTERM')
  await exited
  clearTimeout(impatience)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('A listening server has no port')
  return address.port
}
