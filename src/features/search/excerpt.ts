/** Texts with what was found in them marked, cut to where most of it stands. */
import type { ExcerptPart } from '../../../openapi/search/schemas.ts'

/** What PostgreSQL puts around what it found; texts have it taken out before. */
export const markStart = '\u0001'
export const markEnd = '\u0002'

/** From, and up to but not including, as positions in a string. */
type Span = readonly [from: number, to: number]

const longest = 200
const lead = 40

/**
 * @param text as it was written
 * @param marked the same with marks, each letter in its place
 * @param runs to be marked wherever they stand, in any letter case
 */
export function excerptOf(text: string, marked: string, runs: readonly string[]): ExcerptPart[] {
  const spans = join([...foundSpans(text, marked), ...runs.flatMap((run) => occurrences(text, run))])
  return cut(text, spans)
}

/** PostgreSQL leaves out words of thousands of letters: then the others are looked for. */
function foundSpans(text: string, marked: string): Span[] {
  const spans = markedSpans(marked)
  const plain = marked.replaceAll(marks, '')
  if (plain.length === text.length) return spans
  return [...new Set(spans.map(([from, to]) => plain.slice(from, to)))].flatMap((word) => occurrences(text, word))
}

const marks = new RegExp(`[${markStart}${markEnd}]`, 'g')

function markedSpans(marked: string): Span[] {
  const spans: Span[] = []
  let from = 0
  let marks = 0
  for (let at = 0; at < marked.length; at += 1) {
    if (marked[at] === markStart) from = at - marks++
    else if (marked[at] === markEnd) spans.push([from, at - marks++])
  }
  return spans
}

function occurrences(text: string, run: string): Span[] {
  const pattern = new RegExp(run.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu')
  return [...text.matchAll(pattern)].map(({ 0: found, index }) => [index, index + found.length])
}

function join(spans: Span[]): Span[] {
  const joined: Span[] = []
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    const last = joined.at(-1)
    if (last !== undefined && from <= last[1]) joined[joined.length - 1] = [last[0], Math.max(last[1], to)]
    else joined.push([from, to])
  }
  return joined
}

function cut(text: string, spans: readonly Span[]): ExcerptPart[] {
  const [from, to] = text.length <= longest ? [0, text.length] : frame(text, spans)
  const parts: ExcerptPart[] = []
  const add = (part: string, marked: boolean): void => {
    if (part !== '') parts.push({ text: part, marked })
  }
  let at = from
  for (const [start, end] of spans) {
    if (end <= from || start >= to) continue
    add(text.slice(at, Math.max(start, from)), false)
    add(text.slice(Math.max(start, from), Math.min(end, to)), true)
    at = Math.min(end, to)
  }
  add(text.slice(at, to), false)
  if (from > 0) parts.unshift({ text: '…', marked: false })
  if (to < text.length) parts.push({ text: '…', marked: false })
  return parts
}

/** Around most of the marks, the earlier where there are as many; at the ends of words. */
function frame(text: string, spans: readonly Span[]): Span {
  const [, start = 0] = spans.reduce<[count: number, start: number]>(
    (best, [from], index) => {
      let end = index
      while (end < spans.length && (spans[end]?.[1] ?? 0) <= from + longest - lead) end += 1
      return end - index > best[0] ? [end - index, from] : best
    },
    [0, spans[0]?.[0] ?? 0],
  )
  const from = Math.max(0, Math.min(start - lead, text.length - longest))
  return [endOfWord(text, from, Math.min(start, from + lead)), endOfWord(text, Math.min(text.length, from + longest), text.length)]
}

/** The next place between two words, or where there is none soon the place itself; never between the halves of a letter. */
function endOfWord(text: string, at: number, most: number): number {
  if (at === 0 || at >= text.length) return at
  const space = text.slice(at, Math.min(most, at + lead)).search(/\s/)
  const place = space === -1 ? at : at + space
  return /[\uDC00-\uDFFF]/.test(text[place] ?? '') ? place + 1 : place
}
