/** Parley as people run it: a process with a data folder of its own, started, told to stop and killed from outside. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Parley } from '@parley/sdk'
import type { Test } from 'tap'

export type Installation = Awaited<ReturnType<typeof install>>
export type ServerProcess = ReturnType<typeof launch>

const projectFolder = fileURLToPath(new URL('../..', import.meta.url))

const unlimited = Object.fromEntries(['AUTH', 'DEFAULT', 'MESSAGES', 'UPLOADS', 'PUBLIC', 'SOCKETS'].map((name) => [`RATE_LIMIT_${name}`, 'off']))

interface RunOptions {
  /** Beside the defaults: development, no limits, and an embedded PostgreSQL. */
  env?: Record<string, string>
  /** Instead of Node on the server's main file. */
  command?: string[]
}

/** A data folder and an address, for one server after another. Whatever runs on them ends with the test. */
export async function install(t: Test) {
  const home = await mkdtemp(join(tmpdir(), 'parley-installation-'))
  // PostgreSQL runs as another user when we are root.
  await chmod(home, 0o755)
  const dataDir = join(home, 'data')
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const started: ServerProcess[] = []
  t.teardown(async () => {
    for (const server of started) await server.kill()
    // What was being started at that moment may start more.
    await until(async () => {
      const left = await processesOn(home)
      for (const { pid } of left) await killAndWait(pid)
      return left.length === 0
    })
    await rm(home, { recursive: true, force: true })
  })

  const run = ({ env = {}, command = [process.execPath, 'src/main.ts'] }: RunOptions = {}): ServerProcess => {
    const defaults = { NODE_ENV: 'development', LOG_LEVEL: 'warn', DATA_DIR: dataDir, PORT: String(port), ...unlimited }
    const server = launch(command, { ...defaults, ...env }, url)
    started.push(server)
    return server
  }

  return {
    home,
    dataDir,
    port,
    url,
    /** Starts a process that may or may not come up. */
    run,
    /** @returns a server that answers. */
    async start(options: RunOptions = {}): Promise<ServerProcess> {
      const server = run(options)
      await server.ready()
      return server
    },
    /** Ends what was started last, as a service manager does. */
    async stop(): Promise<void> {
      const server = started.at(-1)
      server?.signal('SIGTERM')
      await server?.ended
    },
    /** Of the embedded PostgreSQL; undefined when none runs. */
    async postgresPid(): Promise<number | undefined> {
      const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => undefined)
      return text === undefined ? undefined : Number.parseInt(text, 10)
    },
    /** The address of the embedded PostgreSQL while it runs. */
    async databaseUrl(): Promise<string> {
      const password = await readFile(join(dataDir, 'postgres-password'), 'utf8')
      const postmaster = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')
      return `postgresql://parley:${password}@127.0.0.1:${postmaster.split('\n')[3]}/parley`
    },
    /** The commands that run with a data folder of this place among their arguments: PostgreSQL, and what sets it up. */
    postgresCommands: async () => (await processesOn(home)).map(({ command }) => command),
    /** Somebody new, signed in. */
    async signUp(name: string) {
      const api = new Parley({ baseUrl: url })
      const email = `${name}@example.com`
      await api.auth.register({ email, displayName: name })
      const { user } = await api.auth.verifyEmail({ email, code: '000000' })
      return { name, api, id: user.id, email }
    },
  }
}

function launch(command: string[], env: Record<string, string>, url: string) {
  const { PATH = '', HOME = '' } = process.env
  const startedAt = performance.now()
  // Without what the test runner would have Node load first. The group of its own is what a terminal gives to a command.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', ...command], {
    cwd: projectFolder,
    detached: true,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid = 0 } = child
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (data) => {
    output.stdout += data
  })
  child.stderr.on('data', (data) => {
    output.stderr += data
  })
  let hasEnded = false
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    hasEnded = true
    return { code, signal, milliseconds: performance.now() - startedAt, ...output }
  })

  return {
    pid,
    output,
    /** Resolves with the exit code when it has ended and said everything. */
    ended,
    /** As a terminal does it: to everything that was started together. */
    signalGroup: (signal: NodeJS.Signals): boolean => process.kill(-pid, signal),
    signal: (signal: NodeJS.Signals): boolean => process.kill(pid, signal),
    /** Gives it no chance to do anything. */
    async kill(): Promise<void> {
      if (!hasEnded) process.kill(-pid, 'SIGKILL')
      await ended
    },
    /** @returns the milliseconds from the start until it was ready, and how many of them it waited for a processor that others kept busy. */
    async ready() {
      while (!(await answersReady(url))) {
        if (hasEnded) throw new Error(`The server ended before it was ready:\n${output.stdout}${output.stderr}`)
        await pause(10)
      }
      return { milliseconds: performance.now() - startedAt, waitedMilliseconds: await readProcessorWait(pid) }
    },
  }
}

const answersReady = (url: string): Promise<boolean> =>
  fetch(`${url}/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

/** Of the main threads of a group, which start one another and work in turn; 0 where the system does not tell. */
async function readProcessorWait(group: number): Promise<number> {
  const processes = process.platform === 'linux' ? await readProcesses() : []
  const waits = await Promise.all(
    processes.map(async ({ pid }) => {
      const [stat, schedstat] = await Promise.all(['stat', 'schedstat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')))
      // After the name, which may hold anything, in brackets: state, parent, group.
      const isMember = Number(stat?.split(') ').at(-1)?.split(' ')[2]) === group
      return isMember ? Number(schedstat?.split(' ')[1] ?? 0) / 1e6 : 0
    }),
  )
  return waits.reduce((sum, wait) => sum + wait, 0)
}

/** Looks again and again until it is so. What never becomes so ends with the test's time. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(5)
}

/** Below the range of outgoing connections: one to a port of that range, while nobody listens there, may be connected to itself. */
export async function findFreePort(): Promise<number> {
  const port = 15_000 + Math.floor(Math.random() * 17_000)
  const probe = createServer()
  const isFree = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
  return isFree ? port : findFreePort()
}

async function processesOn(dataDir: string): Promise<{ pid: number; command: string }[]> {
  const all = process.platform === 'linux' ? await readProcesses() : await askForProcesses()
  return all.filter(({ command }) => command.includes(dataDir))
}

/** Small Linux systems have no `ps`. */
async function readProcesses() {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    pids.map(async (pid) => ({ pid: Number(pid), command: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ') })),
  )
}

async function askForProcesses() {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,args='])
  return stdout.split('\n').map((line) => ({ pid: Number.parseInt(line, 10), command: line }))
}

async function killAndWait(pid: number): Promise<void> {
  const isAlive = (signal: 0 | 'SIGKILL'): boolean => {
    try {
      return process.kill(pid, signal)
    } catch {
      return false
    }
  }
  if (isAlive('SIGKILL')) await until(() => !isAlive(0))
}
