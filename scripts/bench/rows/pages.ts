/** The newest 50 messages of some conversation, as one sees them on opening it: 32 readers. */
import { type HttpConnection, openHttpConnections } from '../load/http-connection.ts'
import { createPoolLoad } from '../load/pool-load.ts'
import { pick, repeat } from '../load/repeat.ts'
import { type Load, takeTurns } from '../load/slices.ts'
import { compareSlices, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { type Group, inventWorld } from '../world.ts'

const readers = 32
const pageLength = 50
const expected = { least: 1.2 }

export async function measurePages(setting: Setting): Promise<Section> {
  const world = inventWorld({ conversations: 50, members: 10, messages: 500 })
  const targets = await setting.enter(world)
  const ours = await openBench(targets.ours, world.conversations)
  const floor = await openBench(targets.floor, world.conversations)
  try {
    const pool = createPoolLoad(targets.floor, world, 'page', readers)
    const slices = await takeTurns(setting, { floor, ours, pool })
    return {
      rows: [
        compareSlices(`page of ${pageLength}`, '/s', slices, expected),
        compareSlices(`page of ${pageLength}, to the pool alone`, '/s', { ours: slices.ours, floor: slices.pool }),
      ],
    }
  } finally {
    ours.close()
    floor.close()
  }
}

async function openBench(target: Target, groups: readonly Group[]) {
  const { server } = target
  const connections = await openHttpConnections(server.port, readers)
  let checked = false

  const readOne = async (connection: HttpConnection): Promise<void> => {
    const group = pick(groups)
    const { status, body } = await connection.request(target.page(group, pick(group.members)))
    if (status !== 200) throw new Error(`${target.side} answered a page with ${status}: ${body}`)
    if (!checked) checkPage(target, body)
    checked = true
  }

  const load: Load = async (seconds) => {
    const latencies = await repeat(connections, seconds, readOne)
    return { done: latencies.length, latencies }
  }

  return {
    server,
    load,
    close() {
      for (const connection of connections) connection.close()
    },
  }
}

function checkPage({ side }: Target, body: string): void {
  const { items } = JSON.parse(body) as { items: { seq: number }[] }
  const isWhole = items.length === pageLength && items.every(({ seq }, index) => index === 0 || seq === (items[index - 1]?.seq ?? 0) - 1)
  if (!isWhole) throw new Error(`${side} answered a page that is not the newest ${pageLength}`)
}
