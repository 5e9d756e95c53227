/**
 * What people write into a search field, as PostgreSQL's `websearch_to_tsquery` is to read it: cut into words as `search_terms` (its migration has it)
 * cuts the messages. Signs within a word part it, so `foo.bar` is the phrase "foo bar". Scripts without spaces, and Hangul, are found by their pairs of neighbours:
 * of ABC the messages have AB, BC and C, and a search for ABC is the phrase "AB BC".
 */

/** As in `search_terms`. */
const unbrokenLetter =
  '[\\u0E00-\\u0EFF\\u1000-\\u109F\\u1100-\\u11FF\\u1780-\\u17FF\\u3005-\\u3007\\u3040-\\u30FF\\u3130-\\u318F\\u31F0-\\u31FF\\u3400-\\u4DBF\\u4E00-\\u9FFF\\uA960-\\uA97F\\uAC00-\\uD7FF\\uF900-\\uFAFF\\uFF66-\\uFFDC\\u{20000}-\\u{3FFFF}]'
const unbrokenRuns = new RegExp(`${unbrokenLetter}+`, 'gu')
const signs = /[-/@.:_&+~=#%?<>]/g

/** A quoted phrase, which may have no end, or a word; either may be preceded by a minus. */
const parts = /(-?)(?:"([^"]*)"?|([^\s"]+))/g

export function toWebSearch(text: string): string {
  return [...text.matchAll(parts)]
    .map(([, minus = '', phrase, word = '']) => {
      if (phrase === undefined && word.toLowerCase() === 'or') return 'or'
      const plain = toPlainWords(phrase ?? word)
      if (plain === '') return ''
      return phrase !== undefined || plain.includes(' ') ? `${minus}"${plain}"` : `${minus}${plain}`
    })
    .filter((part) => part !== '')
    .join(' ')
}

/** What titles and names may be like: the words without what stands for something else. */
export const termOf = (text: string): string =>
  [...text.matchAll(parts)]
    .flatMap(([, minus, phrase, word = '']) => (minus || (phrase === undefined && word.toLowerCase() === 'or') ? [] : [(phrase ?? word).trim()]))
    .join(' ')
    .trim()

const toPlainWords = (text: string): string =>
  text
    .replaceAll(signs, ' ')
    .replaceAll('ς', 'σ')
    .replaceAll(unbrokenRuns, (run, at: number, all: string) => ` ${pairs(run, all.slice(at + run.length).trim() === '')} `)
    .trim()
    .replaceAll(/\s+/g, ' ')

/** The last letter stands alone only where what follows is known: otherwise the run may go on. */
function pairs(run: string, isOpen: boolean): string {
  const codes = [...run].map((letter) => `j${letter.codePointAt(0)}x`)
  const coded = codes.map((code, index) => code + (codes[index + 1] ?? ''))
  return (isOpen && codes.length > 1 ? coded.slice(0, -1) : coded).join(' ')
}

/** Runs of such letters that are searched for: they are marked where they stand. */
export const unbrokenRunsOf = (text: string): string[] => text.match(unbrokenRuns) ?? []

/** One letter alone is found wherever it begins a pair. */
export const openSingleLetters = (query: string): string => query.replaceAll(/'(j\d+x)'/g, "'$1':*")

/** A lexeme of a query as PostgreSQL writes it, with what may stand before and after. */
const lexemes = /(!?)'((?:[^']|'')+)'(:\*)?/g

export const isOneWord = (query: string): boolean => [...query.matchAll(lexemes)].length === 1

/** A word or a phrase that must not be there. */
const exclusions = /!('(?:[^']|'')+'(?::\*)?|\([^()]*\))/g

/** What a query excludes, as a query of its own; empty where that is nothing. */
export const excludedOf = (query: string): string => [...query.matchAll(exclusions)].map(([, excluded]) => excluded).join(' | ')

const correctable = /^\p{L}{4,20}$/u
const correctedAtMost = 3

/** The words of a query that may be misspelt. */
export function correctableWords(query: string): string[] {
  const words = [...query.replaceAll(exclusions, '').matchAll(lexemes)].flatMap(([, , lexeme = '', prefix]) =>
    prefix || !correctable.test(lexeme) ? [] : [lexeme],
  )
  return [...new Set(words)].slice(0, correctedAtMost)
}

/** The query with each of these words or any of those that it may stand for. */
export const replaceWords = (query: string, alternatives: ReadonlyMap<string, readonly string[]>): string =>
  query.replaceAll(lexemes, (all, not: string, lexeme: string) => {
    const others = not === '' ? alternatives.get(lexeme) : undefined
    return others === undefined ? all : `(${[lexeme, ...others].map((word) => `'${word.replaceAll("'", "''")}'`).join(' | ')})`
  })

const alphabets = [
  'abcdefghijklmnopqrstuvwxyz',
  'абвгдежзийклмнопрстуфхцчшщъыьэюя',
  'αβγδεζηθικλμνξοπρστυφχψω',
  'אבגדהוזחטיכלמנסעפצקרשת',
  'ابتثجحخدذرزسشصضطظعغفقكلمنهوي',
]

/** What becomes of a word by one slip: a letter left out, added, mistaken, or changed for its neighbour. */
export function slipsOf(word: string): string[] {
  const letters = [...word]
  const alphabet = alphabets.find((one) => letters.some((letter) => one.includes(letter))) ?? ''
  const cuts = Array.from({ length: letters.length + 1 }, (_, at) => [letters.slice(0, at).join(''), letters.slice(at)] as const)
  const slips = cuts.flatMap(([before, [first = '', second = '', ...rest]]) => {
    const after = rest.join('')
    return [
      before + second + after,
      before + second + first + after,
      ...[...alphabet].flatMap((letter) => [before + letter + second + after, before + letter + first + second + after]),
    ]
  })
  return [...new Set(slips)].filter((slip) => slip !== word && slip !== '')
}
