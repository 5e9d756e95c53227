/**
 * `npm run bench`: how fast the server is, as ratios to a bare stack in the same run on the same machine, and whether anything was
 * lost, doubled or reordered meanwhile. This process is the load; both servers and PostgreSQL are processes of their own.
 * README.md beside this file says how it is measured and what the figures mean.
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { isClean } from './ledger.ts'
import { joinSections, type Section } from './row.ts'
import { measureFanOut } from './rows/fan-out.ts'
import { measureGrowth } from './rows/growth.ts'
import { measureLists } from './rows/lists.ts'
import { measureMemory } from './rows/memory.ts'
import { measurePages } from './rows/pages.ts'
import { measureSearch } from './rows/search.ts'
import { measureSends } from './rows/sends.ts'
import { measureSignIn } from './rows/sign-in.ts'
import { measureStart } from './rows/start.ts'
import { measureTransfers } from './rows/transfers.ts'
import { openSetting, type Pace, type Setting } from './setting.ts'
import { openStage } from './stage.ts'
import { formatRows, formatVerdicts, listWarnings } from './table.ts'

const sections: Record<string, (setting: Setting) => Promise<Section>> = {
  send: measureSends,
  page: measurePages,
  list: measureLists,
  'fan-out': measureFanOut,
  search: measureSearch,
  files: measureTransfers,
  memory: measureMemory,
  'sign-in': measureSignIn,
  start: measureStart,
  growth: measureGrowth,
}

const paces: Record<'whole' | 'quick', Pace> = {
  whole: { rounds: 3, sliceSeconds: 5, warmUpSeconds: 2 },
  quick: { rounds: 1, sliceSeconds: 1, warmUpSeconds: 0.5 },
}

const { values: given } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, only: { type: 'string' } },
})

const wanted = given.only?.split(',') ?? Object.keys(sections)
const unknown = wanted.filter((name) => !(name in sections))
if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')} to measure; there are ${Object.keys(sections).join(', ')}`)

const startedAt = performance.now()
const stage = await openStage()
endOn('SIGINT', 130)
endOn('SIGTERM', 143)
// What is thrown where nobody waits, such as a pipe that was closed, ends the run like any other error.
process.once('uncaughtException', (error) => {
  console.error(error)
  void stage.close().finally(() => process.exit(1))
})
try {
  const setting = await openSetting(stage, given.quick ? paces.quick : paces.whole)
  const measured = await measure(setting)
  report(setting, measured)
  if (!isClean(measured.verdicts.ours)) process.exitCode = 1
} catch (error) {
  // What a Ctrl-C has torn down may complain.
  if (!stage.isClosing) console.error(error)
  process.exitCode = 1
} finally {
  await stage.close()
}

function endOn(signal: NodeJS.Signals, exitCode: number): void {
  process.once(signal, () => void stage.close().finally(() => process.exit(exitCode)))
}

async function measure(setting: Setting): Promise<Required<Section>> {
  const measured: Section[] = []
  for (const [name, section] of Object.entries(sections)) {
    if (!wanted.includes(name)) continue
    if (!given.json && process.stderr.isTTY) process.stderr.write(`measuring ${name} …\n`)
    measured.push(await section(setting))
  }
  return joinSections(measured)
}

function report({ postgresVersion }: Setting, { rows, verdicts }: Required<Section>): void {
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown', node: process.version, postgres: postgresVersion }
  if (given.json) {
    console.log(JSON.stringify({ machine, seconds, quick: given.quick, rows, verdicts }, null, 2))
    return
  }
  console.log(
    `${machine.cores} × ${machine.cpu}, Node ${machine.node}, PostgreSQL ${machine.postgres}; ${seconds} s${given.quick ? ', quick: the figures are rough' : ''}\n`,
  )
  console.log(formatRows(rows))
  if (verdicts.ours.acknowledged > 0) console.log(`\n${formatVerdicts(verdicts)}`)
  for (const warning of listWarnings(rows)) console.log(`\n${warning}`)
}
