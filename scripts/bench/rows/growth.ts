/**
 * Whether the server gets slower with what it holds: the same 1,000 conversations with 100 messages each and with 3,000 each, on a
 * database and a server of ours for either. Sends, then pages, then lists come at a steady rate, far below what the server can do, to both in turns.
 */
import { createLedger } from '../ledger.ts'
import { type HttpConnection, openHttpConnections } from '../load/http-connection.ts'
import { createConnectionPool, pace } from '../load/pace.ts'
import { pick } from '../load/repeat.ts'
import { sendOne } from '../load/send.ts'
import { median, quantile } from '../load/slices.ts'
import { compare, type Row, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { inventPeople, inventWorld, type World } from '../world.ts'

const conversations = 1_000
const sizes = { small: 100, large: 3_000 }
const connectionCount = 24
const perSecond = { send: 100, page: 100, list: 50 }
const expected = { most: 1.3 }
/** A p99 needs more than the rates do. */
const secondsPerTurn = 10

type Act = keyof typeof perSecond

export async function measureGrowth(setting: Setting): Promise<Section> {
  const worlds = { small: inventCrowd(sizes.small), large: inventCrowd(sizes.large) }
  const targets = { small: await openTarget(setting, worlds.small), large: await openTarget(setting, worlds.large) }
  // Only now: a server closes connections that are idle for as long as it takes to fill a database.
  const small = await openPlace(targets.small, worlds.small)
  const large = await openPlace(targets.large, worlds.large)
  const seconds = Math.max(setting.pace.sliceSeconds, setting.pace.rounds > 1 ? secondsPerTurn : 0)
  try {
    const rows: Row[] = []
    for (const act of ['send', 'page', 'list'] as const) rows.push(await measureAct(setting, { small, large }, act, seconds))
    return { rows }
  } finally {
    await small.close()
    await large.close()
  }
}

type Place = Awaited<ReturnType<typeof openPlace>>

function inventCrowd(messages: number) {
  const people = inventPeople(20)
  return { messages, people, world: inventWorld({ conversations, members: people, messages }) }
}

type Crowd = ReturnType<typeof inventCrowd>

const openTarget = (setting: Setting, { messages, world }: Crowd): Promise<Target> => setting.openOurs(`with ${conversations * messages} messages`, world)

async function openPlace(target: Target, { people, world }: Crowd) {
  const connections = await openHttpConnections(target.server.port, connectionCount)
  return {
    run: createRun(target, world, people, createConnectionPool(connections)),
    async close() {
      for (const connection of connections) connection.close()
      await target.server.stop()
    },
  }
}

type Lend = ReturnType<typeof createConnectionPool<HttpConnection>>

function createRun(target: Target, world: World, people: readonly string[], lend: Lend) {
  const ledger = createLedger()
  const read = async (connection: HttpConnection, request: string): Promise<void> => {
    const { status, body } = await connection.request(request)
    if (status !== 200) throw new Error(`A read was answered with ${status}: ${body}`)
  }
  const acts: Record<Act, (connection: HttpConnection) => Promise<unknown>> = {
    send: (connection) => sendOne(connection, target, world.conversations, ledger),
    page: (connection) => read(connection, target.page(pick(world.conversations), pick(people))),
    list: (connection) => read(connection, target.list(pick(people))),
  }
  return (act: Act, seconds: number): Promise<number[]> => pace(perSecond[act], seconds, () => lend(acts[act]))
}

/** The figure is a latency: "floor" is what it is with few messages. */
async function measureAct({ pace: { rounds, warmUpSeconds } }: Setting, places: Record<'small' | 'large', Place>, act: Act, seconds: number): Promise<Row> {
  const figures = { small: [] as number[], large: [] as number[] }
  for (const place of Object.values(places)) await place.run(act, warmUpSeconds)
  for (let round = 0; round < rounds; round += 1)
    for (const size of ['small', 'large'] as const) figures[size].push(quantile(await places[size].run(act, seconds), 0.99))
  const name = `p99 of ${act}, 3,000,000 messages to 100,000`
  return compare(name, 'ms', { ours: median(figures.large), floor: median(figures.small) }, expected)
}
