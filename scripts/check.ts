/**
 * `npm run check`: everything that can be known without running the server. One line per check; what a failed one has to say
 * follows at the end. `npm run check -- types drift` runs only these.
 */
import { availableParallelism } from 'node:os'
import { type Check, checks } from './check/checks.ts'

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) throw new Error(`There is no check ${unknown.join(', ')}; there are ${checks.map(({ name }) => name).join(', ')}`)

const failures = await runAll(checks.filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
for (const { name, output } of failures) console.log(`\n── ${name} ──\n${output.trim()}`)
console.log(failures.length === 0 ? '\nAll checks passed.' : `\n${failures.length} failed: ${failures.map(({ name }) => name).join(', ')}`)
process.exitCode = failures.length === 0 ? 0 : 1

interface Failure {
  name: string
  output: string
}

/** The first one makes what others read; the rest share the cores. */
async function runAll(selected: readonly Check[]): Promise<Failure[]> {
  const failures: Failure[] = []
  const queue = [...selected]
  const work = async (): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) failures.push(...(await runOne(check)))
  }
  const first = queue[0]?.first ? queue.shift() : undefined
  if (first) failures.push(...(await runOne(first)))
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return failures
}

async function runOne({ name, run, note }: Check): Promise<Failure[]> {
  const start = performance.now()
  const output = await run().catch((error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${output === undefined ? '✓' : '✗'} ${name.padEnd(12)} ${seconds.padStart(5)} s  ${note?.() ?? ''}`.trimEnd())
  return output === undefined ? [] : [{ name, output }]
}
