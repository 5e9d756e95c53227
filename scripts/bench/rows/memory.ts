/** What an idle socket costs: the growth of a fresh server's memory from none to 2,000 of them, each of a user with one conversation of two. */
import { setTimeout as sleep } from 'node:timers/promises'
import { openLiveMembers } from '../load/audience.ts'
import { median } from '../load/slices.ts'
import type { Usage } from '../probe.ts'
import { compare, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Side, Target } from '../target.ts'
import { inventWorld, type World } from '../world.ts'

const sockets = 2_000
const firstSockets = 20
const settleMilliseconds = 500
const expected = { most: 1.5 }

export async function measureMemory({ pace, enter }: Setting): Promise<Section> {
  const world = inventWorld({ conversations: sockets / 2, members: 2, messages: 1 })
  const growths: Record<Side, Memory[]> = { ours: [], floor: [] }
  for (let round = 0; round < pace.rounds; round += 1) {
    // Fresh ones: a server that has worked has room in its heap already.
    const targets = await enter(world)
    for (const side of ['floor', 'ours'] as const) growths[side].push(await growthPerSocket(targets[side], world))
  }
  const figures = (of: keyof Memory) => ({ ours: kilobytes(growths.ours, of), floor: kilobytes(growths.floor, of) })
  return {
    rows: [
      compare('memory of an idle socket, resident', 'kB', figures('rssBytes'), expected),
      compare('memory of an idle socket, in use', 'kB', figures('usedBytes'), expected),
    ],
  }
}

type Memory = Pick<Usage, 'rssBytes' | 'usedBytes'>

const kilobytes = (growths: readonly Memory[], of: keyof Memory): number => median(growths.map((growth) => growth[of])) / 1000

async function growthPerSocket(target: Target, { conversations }: World): Promise<Memory> {
  // Code that runs for the first time costs memory once.
  const first = await openLiveMembers(target, conversations.slice(0, firstSockets / 2))
  first.close()
  const before = await settledMemory(target)
  const live = await openLiveMembers(target, conversations)
  const after = await settledMemory(target)
  live.close()
  return { rssBytes: (after.rssBytes - before.rssBytes) / sockets, usedBytes: (after.usedBytes - before.usedBytes) / sockets }
}

async function settledMemory({ server }: Target): Promise<Memory> {
  await sleep(settleMilliseconds)
  return server.usage(true)
}
