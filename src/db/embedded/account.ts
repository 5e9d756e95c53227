/**
 * PostgreSQL refuses to run as root. Started by root, it therefore runs as the system user `postgres`, who must be able
 * to enter every folder on the way to the data and to the binaries. Whether they can is tried rather than computed from
 * mode bits, so that access control lists and mounts count as they do for PostgreSQL itself.
 */
import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { StartError } from '../../start-error.ts'

const run = promisify(execFile)

export interface Account {
  uid: number
  gid: number
}

/** The account to run PostgreSQL under; `undefined` is the one that Parley itself runs under. */
export async function findAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  return (await lookUpPostgres()) ?? (await createPostgres())
}

/** The first folder on the way to `path`, from the root down, that the account may not enter; `path` is a folder too. */
export async function findClosedFolder(path: string, account: Account): Promise<string | undefined> {
  if (await canEnter(path, account)) return undefined
  for (const folder of ancestors(path)) {
    if (!(await canEnter(folder, account))) return folder
  }
  return path
}

async function lookUpPostgres(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

async function createPostgres(): Promise<Account> {
  const created = await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch((error: Error) => error)
  const account = await lookUpPostgres()
  if (account !== undefined) return account
  const reason = created instanceof Error ? ` (${created.message.trim()})` : ''
  throw new StartError(
    'PostgreSQL refuses to run as root, and there is no system user `postgres` to run it as, nor could one be created' +
      `${reason}. Create it with \`useradd --system postgres\`, start Parley as an ordinary user, or set DATABASE_URL.`,
  )
}

async function canEnter(folder: string, account: Account): Promise<boolean> {
  try {
    await run('test', ['-x', folder], { ...account, cwd: '/' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1) return false
    const reason = error instanceof Error ? error.message.trim() : String(error)
    throw new StartError(
      `PostgreSQL refuses to run as root, and Parley may not start a program as the user \`postgres\` (${reason}). ` +
        'Start Parley as an ordinary user, or set DATABASE_URL.',
    )
  }
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...ancestors(parent), path]
}
