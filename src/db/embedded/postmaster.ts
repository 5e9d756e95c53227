/**
 * One PostgreSQL server process, the postmaster: found running, launched, watched and stopped. A launched one gets its own
 * process group, so that the Ctrl-C meant for Parley does not end it before the last request is answered, and its output goes
 * to a file, so that it outlives a killed Parley; the next start finds it and goes on with it.
 */
import { execFile, spawn } from 'node:child_process'
import { open, readFile, rename } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import { disownPid, isServing, readPidFile } from './pid-file.ts'

export interface Postmaster {
  pid: number
  port: number
  wasLaunched: boolean
  /** Resolves when it is gone, whatever the reason. */
  exited: Promise<unknown>
}

export interface LaunchOptions {
  port: number
  /** Added to the server's settings, or in their place. */
  settings: Record<string, string>
}

/** Why there is no server yet, and whether that may pass by itself. */
export interface Delay {
  reason: string
  mayPass: boolean
}

export const isDelay = (outcome: Postmaster | Delay): outcome is Delay => 'reason' in outcome

/** The server of the cluster: the one that runs, else a new one. */
export async function findOrLaunch(cluster: Cluster, options: LaunchOptions): Promise<Postmaster | Delay> {
  const found = await readPidFile(cluster.folder)
  if (found === undefined) return launch(cluster, options)
  if (!(await isServing(found.pid, cluster.folder))) {
    await disownPid(cluster.folder, found)
    return launch(cluster, options)
  }
  if (!found.isReady || found.port === undefined) return { reason: `process ${found.pid} is starting or stopping`, mayPass: true }
  return { pid: found.pid, port: found.port, wasLaunched: false, exited: watch(found.pid, cluster.folder) }
}

/** Ends it as PostgreSQL wants it: what is committed is on the disk already, a checkpoint makes the next start quick. */
export async function stopPostmaster({ pid }: Postmaster, { binaries, folder }: Cluster): Promise<void> {
  const signal = async (name: 'INT' | 'QUIT') => {
    if (process.platform === 'win32') await new Promise((resolve) => execFile(binaries.pgCtl, ['kill', name, String(pid)], resolve))
    else if (await isServing(pid, folder)) process.kill(pid, `SIG${name}`)
  }
  await signal('INT')
  if (await isGone(pid, folder, 30_000)) return
  await signal('QUIT')
  await isGone(pid, folder, 5_000)
}

/** Lasting, on a small machine that the server shares with Parley; durability stays at PostgreSQL's own full default. */
const baseSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  max_connections: '100',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  random_page_cost: '1.1',
  jit: 'off',
  // The log names what went wrong without repeating what people wrote.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
}

async function launch(cluster: Cluster, { port, settings }: LaunchOptions): Promise<Postmaster | Delay> {
  const log = await openLog(cluster.logFile)
  const { size: logStart } = await log.stat()
  const flags = Object.entries({ ...baseSettings, port: String(port), ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(cluster.binaries.postgres, ['-D', cluster.folder, ...flags], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    cwd: cluster.folder,
    // biome-ignore lint/style/noProcessEnv: what PostgreSQL inherits is no configuration of ours
    env: withoutPostgresVariables(process.env),
    windowsHide: true,
    ...cluster.account,
  })
  let hasExited = false
  const exited = new Promise((resolve) => {
    child.once('exit', resolve).once('error', resolve)
  }).then(() => {
    hasExited = true
  })
  // It may outlive us, and must not keep a process from ending that has left it.
  child.unref()
  await log.close()
  const { pid } = child
  while (pid !== undefined && !hasExited) {
    const state = await readPidFile(cluster.folder)
    if (state?.pid === pid && state.isReady) return { pid, port, wasLaunched: true, exited }
    await Promise.race([exited, sleep(10)])
  }
  return readFailure(cluster.logFile, logStart)
}

/** Kept from growing without end; the one before the last is enough to look into. */
async function openLog(file: string) {
  const log = await open(file, 'a', 0o640)
  const { size } = await log.stat()
  if (size < 16 * 1024 * 1024) return log
  await log.close()
  await rename(file, `${file}.1`)
  return open(file, 'a', 0o640)
}

async function readFailure(logFile: string, from: number): Promise<Delay> {
  const written = (await readFile(logFile)).subarray(from).toString('utf8')
  const reason = /(?:FATAL|PANIC): +(.+)/.exec(written)?.[1] ?? (written.trim() || 'it ended without a word')
  // The last processes of a killed server linger for a moment, another start was quicker, or a port was just taken.
  const mayPass = /lock file|pre-existing shared memory|could not create any TCP\/IP sockets/.test(reason)
  return { reason, mayPass }
}

/** A server that is not our child tells nobody when it goes. */
function watch(pid: number, folder: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(async () => {
      if (await isServing(pid, folder)) return
      clearInterval(timer)
      resolve()
    }, 200).unref()
  })
}

async function isGone(pid: number, folder: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (await isServing(pid, folder)) {
    if (performance.now() > deadline) return false
    await sleep(10)
  }
  return true
}

const withoutPostgresVariables = (env: NodeJS.ProcessEnv) => Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PG')))
