/** The checks: each says nothing, or what is wrong. */

import { contractProblems } from '../../openapi/rules.ts'
import { asyncApiProblems } from './asyncapi.ts'
import { breakingChanges, nothingReleased } from './breaking.ts'
import { command } from './command.ts'
import { contractDrift, migrationDrift, sdkDrift } from './drift.ts'
import { sizeProblems } from './sizes.ts'

export interface Check {
  name: string
  /** Runs before all others, alone. */
  first?: true
  /** Undefined when all is well. */
  run: () => Promise<string | undefined>
  /** What its line says beside the mark: that there was nothing to check. */
  note?: () => string | undefined
}

const problems = (check: () => string[] | Promise<string[]>) => async (): Promise<string | undefined> => {
  const found = await check()
  return found.length === 0 ? undefined : found.join('\n')
}

export const checks: readonly Check[] = [
  { name: 'sdk-build', first: true, run: command('npm', 'run', '--silent', 'build:sdk') },
  { name: 'types', run: command('tsc', '--project', '.') },
  { name: 'sdk', run: command('npm', 'run', '--silent', 'check', '--workspace', 'sdk') },
  { name: 'format-lint', run: command('biome', 'check', '--error-on-warnings', '--max-diagnostics=100') },
  { name: 'boundaries', run: command('depcruise', '--config', '.dependency-cruiser.mjs', 'openapi', 'src', 'sdk', 'scripts', 'tests') },
  { name: 'contract', run: problems(contractProblems) },
  { name: 'openapi', run: command('redocly', 'lint') },
  { name: 'asyncapi', run: problems(asyncApiProblems) },
  { name: 'drift', run: problems(contractDrift) },
  { name: 'sdk-drift', run: problems(sdkDrift) },
  { name: 'migrations', run: problems(migrationDrift) },
  { name: 'breaking', run: problems(() => breakingChanges()), note: nothingReleased },
  { name: 'dead-code', run: command('knip') },
  { name: 'sizes', run: problems(sizeProblems) },
]
