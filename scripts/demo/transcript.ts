/** What the demo prints: who says what, and what happens meanwhile. Plain text; coloured only where a person looks at it. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const startedAt = performance.now()
const whoWidth = 16

/** Honours NO_COLOR, and does nothing where the output is not a terminal. */
const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

const colours: Record<string, Style> = { Alice: 'magenta', Bob: 'cyan' }

export function heading(text: string): void {
  process.stdout.write(`\n${paint('bold', text)}\n\n`)
}

/** Somebody's words, with the number that the server gave them. */
export function says(who: string, words: string, seq: number): void {
  line(who, `“${words}”  ${paint('dim', `#${seq}`)}`)
}

export function does(who: string, what: string): void {
  line(who, what)
}

/** What people do not see: the connection, the server. */
export function happens(where: string, what: string): void {
  line(where, paint('yellow', what))
}

export function finding(holds: boolean, text: string): void {
  process.stdout.write(`  ${holds ? paint('green', '✓') : paint('red', '✗')} ${text}\n`)
}

export function result(holds: boolean, text: string): void {
  process.stdout.write(`\n${paint(holds ? ['green', 'bold'] : ['red', 'bold'], text)}\n`)
}

function line(who: string, text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(2).padStart(7)
  const name = paint(colours[who] ?? 'dim', who.padEnd(whoWidth))
  process.stdout.write(`${paint('dim', `${seconds} s`)}  ${name}${text}\n`)
}
