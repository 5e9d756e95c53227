/** How a rate is measured: those that are compared take turns in short slices, so that what else the machine does meets them all. */
import type { Setting } from '../setting.ts'
import type { ServerProcess } from '../stage.ts'

export interface Slice {
  perSecond: number
  p50Milliseconds: number
  p99Milliseconds: number
  /** Processor time of the server for each thing done; it hardly depends on what else the machine does. */
  serverMicroseconds: number
  /** The same of PostgreSQL; NaN where the system does not tell. */
  databaseMicroseconds: number
  /** Share of one core. */
  generatorCpu: number
}

/** One slice of load: resolves when everything that was begun has ended. @returns latencies in milliseconds, and what was done within the time. */
export type Load = (seconds: number) => Promise<{ done: number; latencies: number[] }>

interface Turn {
  server: Pick<ServerProcess, 'usage'>
  load: Load
  /** Takes away what a slice has left behind; it is not measured. */
  tidy?(): Promise<void>
}

export async function takeTurns<Name extends string>({ pace, databaseCpu }: Setting, loads: Record<Name, Turn>): Promise<Record<Name, Slice>> {
  const turns = Object.entries<Turn>(loads).map(([name, turn]) => ({ name, ...turn, slices: [] as Slice[] }))
  for (const { load, tidy } of turns) {
    await load(pace.warmUpSeconds)
    await tidy?.()
  }
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const turn of turns) {
      turn.slices.push(await measure(pace.sliceSeconds, turn, databaseCpu))
      await turn.tidy?.()
    }
  }
  return Object.fromEntries(turns.map(({ name, slices }) => [name, medianSlice(slices)])) as Record<Name, Slice>
}

async function measure(seconds: number, { server, load }: Turn, databaseCpu: Setting['databaseCpu']): Promise<Slice> {
  const readCpu = async () => {
    const { user, system } = process.cpuUsage()
    const { cpuMicroseconds } = await server.usage()
    return { generator: user + system, server: cpuMicroseconds, database: (await databaseCpu()) ?? Number.NaN }
  }
  const before = await readCpu()
  const start = performance.now()
  const { done, latencies } = await load(seconds)
  const elapsed = (performance.now() - start) / 1000
  const after = await readCpu()
  return {
    perSecond: done / elapsed,
    p50Milliseconds: quantile(latencies, 0.5),
    p99Milliseconds: quantile(latencies, 0.99),
    serverMicroseconds: (after.server - before.server) / done,
    databaseMicroseconds: (after.database - before.database) / done,
    generatorCpu: (after.generator - before.generator) / 1e6 / elapsed,
  }
}

const medianSlice = (slices: Slice[]): Slice => {
  const of = (key: keyof Slice) => median(slices.map((slice) => slice[key]))
  return {
    perSecond: of('perSecond'),
    p50Milliseconds: of('p50Milliseconds'),
    p99Milliseconds: of('p99Milliseconds'),
    serverMicroseconds: of('serverMicroseconds'),
    databaseMicroseconds: of('databaseMicroseconds'),
    generatorCpu: of('generatorCpu'),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** @returns what this share of the values is at most. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
