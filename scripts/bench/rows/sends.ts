/** Durable sends: 32 senders, 50 conversations of 10 members, first with nobody live, then with all of them. */
import { createLedger, type Verdict } from '../ledger.ts'
import { type LiveMembers, openLiveMembers } from '../load/audience.ts'
import { type HttpConnection, openHttpConnections } from '../load/http-connection.ts'
import { createPoolLoad } from '../load/pool-load.ts'
import { repeat } from '../load/repeat.ts'
import { sendOne } from '../load/send.ts'
import { type Load, takeTurns } from '../load/slices.ts'
import { compareSlices, joinSections, type Row, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Side, Target } from '../target.ts'
import { inventWorld, type World } from '../world.ts'

const senders = 32
const expected = { least: 1.4 }

export async function measureSends(setting: Setting): Promise<Section> {
  return joinSections([await measureQuiet(setting), await measureLive(setting)])
}

const measureQuiet = (setting: Setting) =>
  withBenches(setting, false, async (benches, { floor }, world) => {
    const slices = await takeTurns(setting, { ...benches, pool: createPoolLoad(floor, world, 'insert', senders) })
    return [compareSlices('send', '/s', slices, expected), compareSlices('send, to the pool alone', '/s', { ours: slices.ours, floor: slices.pool })]
  })

const measureLive = (setting: Setting) =>
  withBenches(setting, true, async (benches) => [compareSlices('send, 10 live members', '/s', await takeTurns(setting, benches), expected)])

type Benches = Record<Side, Awaited<ReturnType<typeof openBench>>>

async function withBenches(
  { enter }: Setting,
  isLive: boolean,
  work: (benches: Benches, targets: Record<Side, Target>, world: World) => Promise<Row[]>,
): Promise<{ rows: Row[]; verdicts: Record<Side, Verdict> }> {
  const world = inventWorld({ conversations: 50, members: 10, messages: 100 })
  const targets = await enter(world)
  const floor = await openBench(targets.floor, world, isLive)
  const ours = await openBench(targets.ours, world, isLive)
  try {
    const rows = await work({ floor, ours }, targets, world)
    return { rows, verdicts: { ours: await ours.verify(), floor: await floor.verify() } }
  } finally {
    ours.close()
    floor.close()
  }
}

async function openBench(target: Target, world: World, isLive: boolean) {
  const { server, databaseUrl } = target
  const ledger = createLedger()
  const connections: HttpConnection[] = await openHttpConnections(server.port, senders)
  const live: LiveMembers | undefined = isLive ? await openLiveMembers(target, world.conversations) : undefined
  const membersEach = world.conversations[0]?.members.length ?? 0

  const load: Load = async (seconds) => {
    const latencies = await repeat(connections, seconds, (connection) => sendOne(connection, target, world.conversations, ledger))
    await live?.untilDelivered(ledger.acknowledged * membersEach)
    return { done: latencies.length, latencies }
  }

  return {
    server,
    load,
    verify: () => ledger.verify(databaseUrl, world.conversations, live?.audience ?? []),
    close() {
      live?.close()
      for (const connection of connections) connection.close()
    },
  }
}
