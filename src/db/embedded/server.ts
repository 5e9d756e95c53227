/**
 * Keeps a cluster served: opens its server and, when that dies, opens it again on the same port, so that the address stays
 * valid for whoever holds it.
 */
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../log.ts'
import { StartError } from '../../start-error.ts'
import type { Cluster } from './cluster.ts'
import { type Delay, findOrLaunch, isDelay, type Postmaster, stopPostmaster } from './postmaster.ts'

export interface Server {
  port: number
  /** Whether it ran before. */
  wasFound: boolean
  /** Stops looking after it; it goes on running. */
  leave(): Promise<void>
  stop(): Promise<void>
}

interface Options {
  settings: Record<string, string>
  log: Log
}

/** @throws StartError when PostgreSQL does not come up. */
export async function openServer(cluster: Cluster, { settings, log }: Options): Promise<Server> {
  const first = await openFirst(cluster, settings)
  const supervision = supervise(first, cluster, { settings, log })
  return {
    port: first.port,
    wasFound: !first.wasLaunched,
    async leave() {
      await supervision.end()
    },
    async stop() {
      await stopPostmaster(await supervision.end(), cluster)
    },
  }
}

/** Longer than the longest statement: one that a killed server has left running keeps the next from starting. */
const firstStartMs = 45_000

async function openFirst(cluster: Cluster, settings: Record<string, string>): Promise<Postmaster> {
  const deadline = performance.now() + firstStartMs
  for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
    const outcome = await findOrLaunch(cluster, { port: await chooseFreePort(), settings })
    if (!isDelay(outcome)) return outcome
    if (!outcome.mayPass || performance.now() > deadline) {
      throw new StartError(`PostgreSQL does not start: ${outcome.reason}. What it had to say is in ${cluster.logFile}.`)
    }
    await sleep(wait)
  }
}

function supervise(first: Postmaster, cluster: Cluster, { settings, log }: Options) {
  let current = first
  let isEnding = false
  const ending = Promise.withResolvers<void>()

  /** Tries until it succeeds: a disk may be full for hours, and everything comes back when it is not. */
  const reopen = async (firstPause: number): Promise<void> => {
    for (let pause = firstPause; !isEnding; pause = nextPause(pause)) {
      await Promise.race([sleep(pause), ending.promise])
      const outcome = await findOrLaunch(cluster, { port: first.port, settings }).catch(toDelay)
      if (isDelay(outcome)) {
        if (!outcome.mayPass) log.error({ reason: outcome.reason, logFile: cluster.logFile }, 'PostgreSQL does not start; trying again')
      } else if (outcome.port === first.port) {
        current = outcome
        log.info({ pid: current.pid, port: current.port }, 'PostgreSQL is back')
        return
      } else {
        log.error({ dataDir: cluster.dataDir }, 'Another Parley has started PostgreSQL on this data folder; stop one of the two')
      }
    }
  }

  const watchOver = async (): Promise<void> => {
    let pause = 0
    while (!isEnding) {
      const openedAt = performance.now()
      await Promise.race([current.exited, ending.promise])
      if (isEnding) return
      pause = performance.now() - openedAt > 10_000 ? 0 : nextPause(pause)
      log.warn({ pid: current.pid }, 'PostgreSQL has died; starting it again')
      await reopen(pause)
    }
  }

  const watching = watchOver()
  return {
    /** The server as it is when nobody looks after it any more. */
    async end(): Promise<Postmaster> {
      isEnding = true
      ending.resolve()
      await watching
      return current
    },
  }
}

const toDelay = (error: unknown): Delay => ({ reason: error instanceof Error ? error.message : String(error), mayPass: false })

const nextPause = (pause: number) => Math.min(Math.max(pause * 2, 50), 2_000)

/**
 * Below the range that systems take outgoing connections' ports from: while the server is down, a connection attempt to a
 * port of that range can be given the very same port as its own, connect to itself and keep the server from coming back.
 */
async function chooseFreePort(): Promise<number> {
  const port = 15_000 + Math.floor(Math.random() * 17_000)
  const isFree = await new Promise<boolean>((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)))
  })
  return isFree ? port : chooseFreePort()
}
