/** Makes again what is generated and committed, elsewhere, and compares: nothing in the working tree is touched. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import drizzleConfig from '../../drizzle.config.ts'
import { contractDocuments } from '../generate/documents.ts'
import { run } from './command.ts'

const advice = 'run `npm run generate` and commit what it writes'

export async function contractDrift(): Promise<string[]> {
  const documents = Object.entries(await contractDocuments())
  return documents.filter(([path, text]) => readText(path) !== text).map(([path]) => `${path} is not what the contract says: ${advice}`)
}

/** Runs the SDK's generator in a copy of the package. */
export const sdkDrift = (): Promise<string[]> =>
  inTemporaryFolder(async (folder) => {
    const generated = 'sdk/src/generated'
    cpSync('sdk', join(folder, 'sdk'), { recursive: true, filter: (path) => !/\/(node_modules|dist)$/.test(path) })
    cpSync('openapi/openapi.json', join(folder, 'openapi/openapi.json'))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    rmSync(join(folder, generated), { recursive: true, force: true })
    const { exitCode, output } = await run(process.execPath, ['sdk/scripts/generate.ts'], folder)
    if (exitCode !== 0) return [output]
    const names = new Set([...filesIn(generated), ...filesIn(join(folder, generated))])
    return [...names]
      .filter((name) => readText(join(generated, name)) !== readText(join(folder, generated, name)))
      .map((name) => `${generated}/${name} is not what openapi.json says: ${advice}`)
  })

/** Asks drizzle-kit for the next migration: there must be none. */
export const migrationDrift = (): Promise<string[]> =>
  inTemporaryFolder(async (folder) => {
    const { schema, casing, dialect, out = 'migrations' } = drizzleConfig
    const copy = join(folder, 'migrations')
    cpSync(out, copy, { recursive: true })
    // drizzle-kit takes the folder relative to the present one only.
    const args = ['generate', `--dialect=${dialect}`, `--schema=${schema}`, `--casing=${casing}`, `--out=${relative('.', copy)}`]
    const { exitCode, output } = await run('drizzle-kit', args)
    if (exitCode !== 0) return [output]
    const missing = filesIn(copy).filter((name) => name.endsWith('.sql') && !existsSync(join(out, name)))
    return missing.map((name) => `the schema has changes that no migration makes: run \`npx drizzle-kit generate\`\n${readText(join(copy, name))}`)
  })

async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-check-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const readText = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
const filesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name)) : [])
