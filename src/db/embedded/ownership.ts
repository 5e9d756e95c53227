/**
 * One Parley per data folder: the one that runs holds an advisory lock on a connection of its own, and a second one finds
 * it taken. A killed Parley's connection ends with it, and so does the lock: nothing has to be cleaned up by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../../log.ts'
import { StartError } from '../../start-error.ts'

export interface Ownership {
  release(): Promise<void>
}

interface Options {
  url: string
  dataDir: string
  log: Log
}

/** PostgreSQL may need a moment to see that a killed predecessor's connection is gone. */
const predecessorMs = 3_000

/** Quicker than a person who starts a second Parley while PostgreSQL is away. */
const regainEveryMs = 100

/** Any number, as long as it stays. */
const ownershipLock = 7_275_390

/** @throws StartError when another Parley holds the folder. */
export async function takeOwnership({ url, dataDir, log }: Options): Promise<Ownership> {
  let isReleased = false
  let holder = await firstHolder(url, dataDir)
  let regaining = Promise.resolve()

  /** The lock ends with its connection, as when PostgreSQL restarts: it is taken again as soon as that is possible. */
  const regain = async (): Promise<void> => {
    while (!isReleased) {
      await sleep(regainEveryMs)
      const next = await tryToHold(url).catch(() => 'away' as const)
      if (next === 'taken') log.error({ dataDir }, 'Another Parley has taken this data folder meanwhile; stop one of the two')
      else if (next !== 'away') return hold(next)
    }
  }

  const hold = (client: pg.Client): void => {
    holder = client
    client.once('end', () => {
      if (!isReleased) regaining = regain()
    })
  }

  hold(holder)
  return {
    async release() {
      isReleased = true
      await regaining
      await holder.end()
    },
  }
}

async function firstHolder(url: string, dataDir: string): Promise<pg.Client> {
  const deadline = performance.now() + predecessorMs
  while (performance.now() < deadline) {
    const client = await tryToHold(url)
    if (client !== 'taken') return client
    await sleep(100)
  }
  throw new StartError(`Another Parley is already running on ${dataDir}. Stop it, or give this one a folder of its own with DATA_DIR.`)
}

async function tryToHold(url: string): Promise<pg.Client | 'taken'> {
  const client = new pg.Client({ connectionString: url, application_name: 'parley-owner', keepAlive: true })
  // Its end is what counts, and follows; unheard, the error would end the process.
  client.on('error', () => undefined)
  await client.connect()
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [ownershipLock])
  if (rows[0]?.held === true) return client
  await client.end()
  return 'taken'
}
