/** The first 20 conversations of somebody who has 1,000, with their last messages: 32 readers, of 20 people. */
import { openReadBench } from '../load/read-bench.ts'
import { pick } from '../load/repeat.ts'
import { takeTurns } from '../load/slices.ts'
import { compareSlices, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { inventPeople, inventWorld } from '../world.ts'

const readers = 32
const listLength = 20

export async function measureLists(setting: Setting): Promise<Section> {
  const people = inventPeople(20)
  const targets = await setting.enter(inventWorld({ conversations: 1_000, members: people, messages: 20 }))
  const ours = await openBench(targets.ours, people)
  const floor = await openBench(targets.floor, people)
  try {
    return { rows: [compareSlices('list of conversations, 20 of 1,000', '/s', await takeTurns(setting, { floor, ours }))] }
  } finally {
    ours.close()
    floor.close()
  }
}

const openBench = (target: Target, people: readonly string[]) => openReadBench(target, { readers, ask: () => target.list(pick(people)), check: checkList })

function checkList(body: string): void {
  const { items } = JSON.parse(body) as { items: unknown[] }
  if (items.length !== listLength) throw new Error(`A list has ${items.length} conversations`)
}
