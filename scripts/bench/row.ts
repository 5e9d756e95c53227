import { addVerdicts, emptyVerdict, type Verdict } from './ledger.ts'
import type { Slice } from './load/slices.ts'
import type { Side } from './target.ts'

/** One line of the table. */
export interface Row {
  name: string
  unit: string
  ours: number
  floor?: number
  /** Ours to the floor's. */
  ratio?: number
  expected?: { least: number } | { most: number }
  /** Whether what is expected is met; undefined where nothing is. */
  met?: boolean
  slices?: Record<Side, Slice>
}

export interface Section {
  rows: Row[]
  verdicts?: Record<Side, Verdict>
}

export const joinSections = (sections: readonly Section[]): Required<Section> => ({
  rows: sections.flatMap(({ rows }) => rows),
  verdicts: { ours: joinVerdicts(sections, 'ours'), floor: joinVerdicts(sections, 'floor') },
})

const joinVerdicts = (sections: readonly Section[], side: Side): Verdict =>
  sections.reduce((sum, { verdicts }) => addVerdicts(sum, verdicts?.[side] ?? emptyVerdict), emptyVerdict)

/** A figure beside the floor's: what is expected is the ratio. */
export function compare(name: string, unit: string, figures: Record<Side, number>, expected?: Row['expected'], slices?: Row['slices']): Row {
  const ratio = figures.ours / figures.floor
  return { name, unit, ...figures, ratio, ...(expected && { expected, met: meets(ratio, expected) }), ...(slices && { slices }) }
}

export const compareSlices = (name: string, unit: string, slices: Record<Side, Slice>, expected?: Row['expected']): Row =>
  compare(name, unit, { ours: slices.ours.perSecond, floor: slices.floor.perSecond }, expected, slices)

/** A figure of ours alone: what is expected is the figure. */
export const stateFigure = (name: string, unit: string, ours: number, expected: NonNullable<Row['expected']>): Row => ({
  name,
  unit,
  ours,
  expected,
  met: meets(ours, expected),
})

const meets = (figure: number, expected: NonNullable<Row['expected']>): boolean => ('least' in expected ? figure >= expected.least : figure <= expected.most)
