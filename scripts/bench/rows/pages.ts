/** The newest 50 messages of some conversation, as one sees them on opening it: 32 readers. */
import { createPoolLoad } from '../load/pool-load.ts'
import { openReadBench } from '../load/read-bench.ts'
import { pick } from '../load/repeat.ts'
import { takeTurns } from '../load/slices.ts'
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

function openBench(target: Target, groups: readonly Group[]) {
  const ask = (): string => {
    const group = pick(groups)
    return target.page(group, pick(group.members))
  }
  return openReadBench(target, { readers, ask, check: checkPage })
}

function checkPage(body: string): void {
  const { items } = JSON.parse(body) as { items: { seq: number }[] }
  const isWhole = items.length === pageLength && items.every(({ seq }, index) => index === 0 || seq === (items[index - 1]?.seq ?? 0) - 1)
  if (!isWhole) throw new Error(`A page is not the newest ${pageLength}`)
}
