/**
 * Signing in: how many passwords a second, against the bare hash; how many refreshes, against the bare statements; and what sign-ins do
 * to everybody else: pages that come at a steady rate, with 20 sign-ins a second beside them and without.
 */
import { hash, verify } from '@node-rs/argon2'
import pg from 'pg'
import { type HttpConnection, openHttpConnections } from '../load/http-connection.ts'
import { createConnectionPool, pace } from '../load/pace.ts'
import { pick, repeat } from '../load/repeat.ts'
import { type Load, median, quantile, takeTurns } from '../load/slices.ts'
import { compare, compareSlices, type Row, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { inventWorld, type World } from '../world.ts'

const password = 'correct horse battery staple'
/** What the server hashes with. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const refreshers = 32
const pagesPerSecond = 200
const loginsPerSecond = 20
const expectedPagesRatio = { most: 2 }

export async function measureSignIn(setting: Setting): Promise<Section> {
  const world = inventWorld({ conversations: 50, members: 10, messages: 100 })
  const targets = await setting.enter(world)
  const passwordHash = await hash(password, parameters)
  for (const { databaseUrl } of [targets.ours, targets.floor]) await givePasswords(databaseUrl, world, passwordHash)
  const connections = await openHttpConnections(targets.ours.server.port, refreshers)
  try {
    return {
      rows: [
        await measureLogins(setting, targets.ours, world, connections, passwordHash),
        await measureRefreshes(setting, targets, world, connections),
        ...(await measureNeighbours(setting, targets.ours, world, connections)),
      ],
    }
  } finally {
    for (const connection of connections) connection.close()
  }
}

async function givePasswords(databaseUrl: string, { conversations }: World, passwordHash: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const ids = conversations.flatMap(({ members }) => members)
  await client
    .query('update users set password_hash = $1, email_verified_at = now() where id = any($2::uuid[])', [passwordHash, ids])
    .finally(() => client.end())
}

async function measureLogins(setting: Setting, ours: Target, world: World, connections: HttpConnection[], passwordHash: string): Promise<Row> {
  const server = ours.server
  const logIns: Load = async (seconds) => counted(await repeat(connections.slice(0, 2), seconds, (connection) => logIn(ours, world, connection)))
  const hashes: Load = async (seconds) => counted(await repeat([1, 2], seconds, () => verify(passwordHash, password)))
  return compareSlices('login with a password', '/s', await takeTurns(setting, { ours: { server, load: logIns }, floor: { server, load: hashes } }))
}

async function measureRefreshes(
  setting: Setting,
  { ours, floor }: Record<'ours' | 'floor', Target>,
  world: World,
  connections: HttpConnection[],
): Promise<Row> {
  const floorConnections = await openHttpConnections(floor.server.port, refreshers)
  const loadOf = async (target: Target, opened: HttpConnection[]): Promise<Load> => {
    const chains: { connection: HttpConnection; refreshToken: string }[] = []
    for (const connection of opened)
      chains.push({ connection, refreshToken: await target.beginSession(connection, pick(pick(world.conversations).members), password) })
    return async (seconds) => {
      const refresh = async (chain: (typeof chains)[number]): Promise<void> => {
        const { status, body } = await chain.connection.request(target.refresh(chain.refreshToken))
        if (status !== 200) throw new Error(`${target.side} answered a refresh with ${status}: ${body}`)
        chain.refreshToken = (JSON.parse(body) as { refreshToken: string }).refreshToken
      }
      return counted(await repeat(chains, seconds, refresh))
    }
  }
  const slices = await takeTurns(setting, {
    floor: { server: floor.server, load: await loadOf(floor, floorConnections) },
    ours: { server: ours.server, load: await loadOf(ours, connections) },
  })
  for (const connection of floorConnections) connection.close()
  return compareSlices('refresh', '/s', slices)
}

/** The figure is a latency: "floor" is what it is without sign-ins. */
async function measureNeighbours({ pace: { rounds, sliceSeconds } }: Setting, ours: Target, world: World, connections: HttpConnection[]): Promise<Row[]> {
  const readers = createConnectionPool(connections.slice(0, 24))
  const signers = createConnectionPool(connections.slice(24))
  const readPages = () =>
    pace(pagesPerSecond, sliceSeconds, () =>
      readers(async (connection) => {
        const group = pick(world.conversations)
        const { status } = await connection.request(ours.page(group, pick(group.members)))
        if (status !== 200) throw new Error(`A page was answered with ${status}`)
      }),
    )
  const signIn = () => pace(loginsPerSecond, sliceSeconds, () => signers((connection) => logIn(ours, world, connection)))

  const idle: number[] = []
  const busy: number[] = []
  await readPages()
  for (let round = 0; round < rounds; round += 1) {
    idle.push(quantile(await readPages(), 0.99))
    const [pages] = await Promise.all([readPages(), signIn()])
    busy.push(quantile(pages, 0.99))
  }
  return [compare(`p99 of pages, with ${loginsPerSecond} logins/s`, 'ms', { ours: median(busy), floor: median(idle) }, expectedPagesRatio)]
}

async function logIn(target: Target, { conversations }: World, connection: HttpConnection): Promise<void> {
  await target.beginSession(connection, pick(pick(conversations).members), password)
}

const counted = (latencies: number[]) => ({ done: latencies.length, latencies })
