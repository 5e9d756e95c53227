/**
 * A cluster is PostgreSQL's folder of data, `<dataDir>/postgres`, with its password beside it. It is made aside and
 * renamed when whole, so that a crash in the middle leaves nothing that looks like data, and two starts at once end up with
 * the same one.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chmod, chown, constants, link, mkdir, open, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from '../../start-error.ts'
import { type Account, findAccount, findClosedFolder } from './account.ts'
import { type Binaries, findBinaries } from './binaries.ts'

const run = promisify(execFile)

export interface Cluster {
  dataDir: string
  folder: string
  password: string
  /** Where the server writes what it has to say. */
  logFile: string
  binaries: Binaries
  account: Account | undefined
}

export const clusterUser = 'parley'

/** @throws StartError when the data folder cannot be used. */
export async function prepareCluster(dataDir: string): Promise<Cluster> {
  const account = await findAccount()
  const home = await openDataFolder(dataDir, account)
  const folder = join(home, 'postgres')
  const binaries = await findBinaries(account)
  const isNew = !(await exists(folder))
  const password = await keepPassword(join(home, 'postgres-password'), isNew)
  if (isNew) await initialise({ home, folder, password, binaries, account })
  return { dataDir: home, folder, password, logFile: join(home, 'postgres.log'), binaries, account }
}

async function openDataFolder(dataDir: string, account: Account | undefined): Promise<string> {
  const unusable = (error: Error): never => {
    throw new StartError(`The data folder ${dataDir} cannot be used: ${error.message}. Set DATA_DIR to a folder that Parley may write to.`)
  }
  const created = await mkdir(dataDir, { recursive: true }).catch(unusable)
  await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch(unusable)
  // Nothing in here is secret by the folder's mode: each secret file has its own.
  if (created !== undefined) await chmod(dataDir, 0o755)
  const home = await realpath(dataDir)
  const closed = account && (await findClosedFolder(home, account))
  if (closed !== undefined) {
    throw new StartError(
      `PostgreSQL runs as the user \`postgres\` because it refuses to run as root, and that user cannot enter ${closed}` +
        `${closed === home ? '' : `, which is on the way to the data folder ${home}`}. Allow it with \`chmod o+x ${closed}\`, ` +
        'or set DATA_DIR to a folder that it can enter, such as /var/lib/parley.',
    )
  }
  return home
}

/** Linked into place, so that two first starts at once keep the same password. */
async function keepPassword(file: string, isNew: boolean): Promise<string> {
  if (isNew && !(await exists(file))) {
    const aside = `${file}.new-${process.pid}`
    await writeFile(aside, randomBytes(24).toString('base64url'), { mode: 0o600 })
    await link(aside, file).catch(ignoreExisting)
    await rm(aside)
  }
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new StartError(`The password of the database is kept in ${file}, which cannot be read: ${error.message}. Put it back.`)
  })
}

/**
 * Sorted by code point with PostgreSQL's own tables, so that an update of the system never disorders an index. The system's
 * locale only says what a letter is (pg_trgm and text search ask it); C.UTF-8 has another name, or none, elsewhere.
 */
const systemLocale = process.platform === 'win32' ? 'C' : process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
const localeFlags = ['--encoding=UTF8', `--locale=${systemLocale}`, '--locale-provider=builtin', '--builtin-locale=C.UTF-8']

interface Initialisation extends Omit<Cluster, 'dataDir' | 'logFile'> {
  home: string
}

async function initialise({ home, folder, password, binaries, account }: Initialisation): Promise<void> {
  await removeHalfMade(home)
  const aside = join(home, `postgres.new-${process.pid}`)
  const passwordFile = join(aside, 'password')
  await mkdir(aside, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account !== undefined) {
    for (const path of [aside, passwordFile]) await chown(path, account.uid, account.gid)
  }
  const flags = [...localeFlags, '--auth=scram-sha-256', `--username=${clusterUser}`, `--pwfile=${passwordFile}`]
  try {
    await run(binaries.initdb, ['--pgdata', join(aside, 'data'), ...flags], { ...account, cwd: aside })
    await rename(join(aside, 'data'), folder).catch(ignoreExisting)
    await sync(home)
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new StartError(`PostgreSQL could not set up its data in ${home}: ${said || error}`)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** What a crash has left; what another start is making right now stays. */
async function removeHalfMade(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = /^postgres\.new-(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && (Number(pid) === process.pid || !isRunning(Number(pid)))) await rm(join(home, name), { recursive: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A rename lasts through a power cut only when its folder is on the disk. Windows has no such thing. */
async function sync(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  await handle.sync().finally(() => handle.close())
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
