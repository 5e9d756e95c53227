/** `node scripts/check-breaking.ts [base] [revision]`: fails when a client of the base document would break. */
import { existsSync } from 'node:fs'
import { breakingChanges, releasedDocument } from './check/breaking.ts'

const [base = releasedDocument, revision] = process.argv.slice(2)

if (existsSync(base)) {
  const changes = await breakingChanges(base, revision)
  console.log(changes.length === 0 ? 'No client breaks.' : changes.join('\n'))
  process.exitCode = changes.length === 0 ? 0 : 1
} else {
  console.log(`No release yet: there is no ${base}.`)
}
