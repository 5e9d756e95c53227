/** Files of 10 MiB, up and down: 4 clients, each with one under way. What was uploaded is deleted again, which is not measured. */
import { randomBytes } from 'node:crypto'
import { pick, repeat } from '../load/repeat.ts'
import { type Load, takeTurns } from '../load/slices.ts'
import { compareSlices, type Section } from '../row.ts'
import type { Setting } from '../setting.ts'
import type { Target } from '../target.ts'
import { inventWorld } from '../world.ts'

const clients = 4
const sizeBytes = 10 * 1_048_576
/** PDF by its first bytes, and noise behind them. */
const bytes = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(sizeBytes - 9)])

export async function measureTransfers(setting: Setting): Promise<Section> {
  const world = inventWorld({ conversations: 1, members: clients, messages: 1 })
  const targets = await setting.enter(world)
  const people = world.conversations[0]?.members ?? []
  const ours = await openBench(targets.ours, people)
  const floor = await openBench(targets.floor, people)
  return {
    rows: [
      compareSlices('upload of 10 MiB', '/s', await takeTurns(setting, { floor: floor.up, ours: ours.up })),
      compareSlices('download of 10 MiB', '/s', await takeTurns(setting, { floor: floor.down, ours: ours.down })),
    ],
  }
}

async function openBench({ side, server, files }: Target, people: readonly string[]) {
  const upload = async (userId: string): Promise<string> => {
    const response = await fetch(files.upload(server.port, userId, bytes))
    const { id } = (await requireOk(side, response).json()) as { id: string }
    return id
  }
  const download = async (userId: string, fileId: string): Promise<void> => {
    const response = requireOk(side, await fetch(files.download(server.port, userId, fileId)))
    let received = 0
    for await (const chunk of response.body ?? []) received += chunk.length
    if (received !== sizeBytes) throw new Error(`${side} answered a download with ${received} bytes`)
  }
  const remove = async (userId: string, fileId: string): Promise<void> => {
    requireOk(side, await fetch(files.remove(server.port, userId, fileId)))
  }

  const workers = people.map((userId) => ({ userId, uploaded: [] as string[] }))
  const up: Load = async (seconds) => {
    const latencies = await repeat(workers, seconds, async ({ userId, uploaded }) => uploaded.push(await upload(userId)))
    return { done: latencies.length, latencies }
  }
  const tidy = async (): Promise<void> => {
    for (const { userId, uploaded } of workers) for (const fileId of uploaded.splice(0)) await remove(userId, fileId)
  }
  const kept: { userId: string; fileId: string }[] = []
  for (const userId of people) kept.push({ userId, fileId: await upload(userId) })
  const down: Load = async (seconds) => {
    const latencies = await repeat(workers, seconds, () => {
      const { userId, fileId } = pick(kept)
      return download(userId, fileId)
    })
    return { done: latencies.length, latencies }
  }
  return { up: { server, load: up, tidy }, down: { server, load: down } }
}

function requireOk(side: string, response: Response): Response {
  if (!response.ok) throw new Error(`${side} answered a transfer with ${response.status}`)
  return response
}
