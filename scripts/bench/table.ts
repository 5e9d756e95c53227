/** The result as a person reads it. */
import { isClean, type Verdict } from './ledger.ts'
import type { Slice } from './load/slices.ts'
import type { Row } from './row.ts'
import type { Side } from './target.ts'

type Cell = string | number

export function formatRows(rows: readonly Row[]): string {
  const head = ['', 'ours', 'floor', 'ratio', 'expected', '', 'p50 / p99 ms', 'floor', 'cpu µs', 'floor', 'load']
  return align([head, ...rows.map(cellsOf)])
}

export function formatVerdicts(verdicts: Record<Side, Verdict>): string {
  const head = ['', 'acknowledged', 'lost', 'doubled', 'holes', 'deliveries', 'lost', 'doubled', 'out of order', '']
  const line = (side: Side): Cell[] => {
    const { acknowledged, lost, doubled, holes, deliveries, undelivered, deliveredTwice, disordered } = verdicts[side]
    return [side, ...[acknowledged, lost, doubled, holes, deliveries, undelivered, deliveredTwice, disordered].map(whole), mark(isClean(verdicts[side]))]
  }
  return align([head, line('ours'), line('floor')])
}

/** A generator that is this busy has measured itself. */
const busy = 0.9

export const listWarnings = (rows: readonly Row[]): string[] =>
  rows.flatMap(({ name, slices }) => {
    const share = slices && Math.max(slices.ours.generatorCpu, slices.floor.generatorCpu)
    return share !== undefined && share > busy ? [`The generator used ${percent(share)} of a core for “${name}”: that figure may be its own.`] : []
  })

function cellsOf({ name, unit, ours, floor, ratio, expected, met, slices }: Row): Cell[] {
  return [
    name,
    `${figure(ours)} ${unit}`,
    floor === undefined ? '' : `${figure(floor)} ${unit}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    expected === undefined ? '' : formatExpected(expected, ratio === undefined ? ` ${unit}` : ''),
    met === undefined ? '' : mark(met),
    slices ? latencies(slices.ours) : '',
    slices ? latencies(slices.floor) : '',
    slices ? processorTime(slices.ours) : '',
    slices ? processorTime(slices.floor) : '',
    slices ? percent(Math.max(slices.ours.generatorCpu, slices.floor.generatorCpu)) : '',
  ]
}

const formatExpected = (expected: NonNullable<Row['expected']>, unit: string): string =>
  'least' in expected ? `≥ ${expected.least}${unit}` : `≤ ${expected.most}${unit}`

const latencies = ({ p50Milliseconds, p99Milliseconds }: Slice): string => `${p50Milliseconds.toFixed(1)} / ${p99Milliseconds.toFixed(1)}`

/** For each thing done: of the server, and of PostgreSQL. */
const processorTime = ({ serverMicroseconds, databaseMicroseconds }: Slice): string =>
  [serverMicroseconds, databaseMicroseconds].map((time) => (Number.isNaN(time) ? '?' : time >= 10 ? time.toFixed(0) : time.toFixed(1))).join(' + ')

const percent = (share: number): string => `${Math.round(share * 100)} %`

const mark = (met: boolean): string => (met ? '✓' : '✗')

const whole = (count: number): string => count.toLocaleString('en')

const figure = (value: number): string => (value >= 100 ? whole(Math.round(value)) : value.toFixed(1))

/** The first column to the left, numbers to the right. */
function align(lines: readonly Cell[][]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => String(line[column] ?? '').length)))
  const pad = (cell: Cell, column: number): string => (column === 0 ? String(cell).padEnd(widths[column] ?? 0) : String(cell).padStart(widths[column] ?? 0))
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}
