/** One group with 10, 100 and 1,000 live members: 8 senders, each of whom sends again when everybody has the last message. */
import { createLedger } from '../ledger.ts'
import { openLiveMembers } from '../load/audience.ts'
import { openHttpConnections } from '../load/http-connection.ts'
import { repeat } from '../load/repeat.ts'
import { sendOne } from '../load/send.ts'
import { type Load, takeTurns } from '../load/slices.ts'
import { compareSlices, joinSections, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { inventWorld, type World } from '../world.ts'

const sizes = [10, 100, 1_000]
const senders = 8
const expected = { least: 0.9 }

export async function measureFanOut(setting: Setting): Promise<Section> {
  const sections: Section[] = []
  for (const size of sizes) sections.push(await measureGroup(setting, size))
  return joinSections(sections)
}

async function measureGroup(setting: Setting, members: number): Promise<Section> {
  const world = inventWorld({ conversations: 1, members, messages: 1 })
  const targets = await setting.enter(world)
  const ours = await openBench(targets.ours, world)
  const floor = await openBench(targets.floor, world)
  try {
    const slices = await takeTurns(setting, { ours, floor })
    return {
      rows: [compareSlices(`delivery to ${members.toLocaleString('en')} live members`, '/s', slices, expected)],
      verdicts: { ours: await ours.verify(), floor: await floor.verify() },
    }
  } finally {
    ours.close()
    floor.close()
  }
}

async function openBench(target: Target, { conversations }: World) {
  const { server, databaseUrl } = target
  const ledger = createLedger()
  const connections = await openHttpConnections(server.port, senders)
  const live = await openLiveMembers(target, conversations)

  const load: Load = async (seconds) => {
    const before = live.delivered
    const latencies = await repeat(connections, seconds, async (connection) => {
      await sendOne(connection, target, conversations, ledger)
      await live.untilDelivered(ledger.acknowledged * live.audience.length)
    })
    return { done: live.delivered - before, latencies }
  }

  return {
    server,
    load,
    verify: () => ledger.verify(databaseUrl, conversations, live.audience),
    close() {
      live.close()
      for (const connection of connections) connection.close()
    },
  }
}
