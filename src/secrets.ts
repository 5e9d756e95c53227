import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from './start-error.ts'

const shortestSecret = 32

/** Reads the secret that signs tokens, and makes it at the first start: whoever starts again goes on with the sessions there are. */
export async function loadJwtSecret(dataDir: string): Promise<string> {
  const file = join(dataDir, 'jwt-secret')
  const secret = (await read(file)) ?? (await make(file))
  if (secret.length < shortestSecret) throw new StartError(`${file} is damaged: put it back, or remove it, which signs everybody out.`)
  return secret
}

/** Linked into place when it is whole: a crash leaves no half of one, and of several processes that start at once all get the same. */
async function make(file: string): Promise<string> {
  const aside = `${file}.new-${process.pid}`
  await writeFile(aside, randomBytes(48).toString('base64url'), { mode: 0o600, flush: true })
  await link(aside, file).catch(ignoreExisting)
  await rm(aside)
  return (await read(file)) ?? ''
}

async function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new StartError(`The secret that signs tokens is kept in ${file}, which cannot be read: ${error.message}. Allow it, or set JWT_SECRET.`)
  })
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
