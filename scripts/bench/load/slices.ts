/** How a rate is measured: those that are compared take turns in short slices, so that what else the machine does meets them all. */
import type { ServerProcess } from '../stage.ts'

export interface Slice {
  perSecond: number
  p50Milliseconds: number
  p99Milliseconds: number
  /** Shares of one core. */
  serverCpu: number
  generatorCpu: number
}

export interface Pace {
  rounds: number
  sliceSeconds: number
  warmUpSeconds: number
}

/** One slice of load: resolves when everything that was begun has ended. @returns latencies in milliseconds, and what was done within the time. */
export type Load = (seconds: number) => Promise<{ done: number; latencies: number[] }>

export async function takeTurns<Name extends string>(pace: Pace, loads: Record<Name, { server: ServerProcess; load: Load }>): Promise<Record<Name, Slice>> {
  const turns = Object.entries<{ server: ServerProcess; load: Load }>(loads).map(([name, turn]) => ({ name, ...turn, slices: [] as Slice[] }))
  for (const { load } of turns) await load(pace.warmUpSeconds)
  for (let round = 0; round < pace.rounds; round += 1) {
    for (const { server, load, slices } of turns) slices.push(await measure(pace.sliceSeconds, server, load))
  }
  return Object.fromEntries(turns.map(({ name, slices }) => [name, medianSlice(slices)])) as Record<Name, Slice>
}

async function measure(seconds: number, server: ServerProcess, load: Load): Promise<Slice> {
  const serverBefore = await server.usage()
  const generatorBefore = process.cpuUsage()
  const start = performance.now()
  const { done, latencies } = await load(seconds)
  const elapsed = (performance.now() - start) / 1000
  const generator = process.cpuUsage(generatorBefore)
  const { cpuMicroseconds } = await server.usage()
  latencies.sort((a, b) => a - b)
  return {
    perSecond: done / elapsed,
    p50Milliseconds: quantile(latencies, 0.5),
    p99Milliseconds: quantile(latencies, 0.99),
    serverCpu: (cpuMicroseconds - serverBefore.cpuMicroseconds) / 1e6 / elapsed,
    generatorCpu: (generator.user + generator.system) / 1e6 / elapsed,
  }
}

const medianSlice = (slices: Slice[]): Slice => {
  const of = (key: keyof Slice) => median(slices.map((slice) => slice[key]))
  return {
    perSecond: of('perSecond'),
    p50Milliseconds: of('p50Milliseconds'),
    p99Milliseconds: of('p99Milliseconds'),
    serverCpu: of('serverCpu'),
    generatorCpu: of('generatorCpu'),
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
