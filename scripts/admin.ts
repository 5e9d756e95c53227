/** `npm run admin`: makes an administrator of this server, on its command line; also while it runs. */
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { createEventBus } from '../src/bus/event-bus.ts'
import { newId, systemClock } from '../src/clock.ts'
import { loadConfig } from '../src/config.ts'
import { createDatabase, type Database } from '../src/db/client.ts'
import { joinEmbeddedPostgres } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'
import { AppError } from '../src/errors/app-error.ts'
import { createExportRepository } from '../src/features/accounts/export-repository.ts'
import { createAccountRepository } from '../src/features/accounts/repository.ts'
import { createAccountService } from '../src/features/accounts/service.ts'
import { createFirstAdmin } from '../src/features/admin/first-admin.ts'
import { createAdminRepository } from '../src/features/admin/repository.ts'
import { createAdminService } from '../src/features/admin/service.ts'
import { createApiKeyRepository } from '../src/features/api-keys/repository.ts'
import { createApiKeyService } from '../src/features/api-keys/service.ts'
import { requireGoodPassword } from '../src/features/auth/password-rules.ts'
import { createPasswords } from '../src/features/auth/passwords.ts'
import { keptMilliseconds } from '../src/features/auth/revocations.ts'
import { createSessionRepository } from '../src/features/auth/session-repository.ts'
import { createSessions } from '../src/features/auth/sessions.ts'
import { createSecurityRepository } from '../src/features/security/repository.ts'
import { createSecurityService } from '../src/features/security/service.ts'
import { createUserRepository } from '../src/features/users/repository.ts'
import { createUserService } from '../src/features/users/service.ts'
import type { Log } from '../src/log.ts'
import { StartError } from '../src/start-error.ts'
import { createTopics } from '../src/topics.ts'

const usage = `Usage:
  npm run admin -- create <email>    makes an account that administers this server. Its password is asked for, or taken from ADMIN_PASSWORD.
  npm run admin -- promote <email>   makes somebody who has an account an administrator.`

const print = (...parts: unknown[]) => console.error(...parts)
const log: Log = { debug: () => undefined, info: () => undefined, warn: print, error: print }

const passwords = createPasswords()

type Administration = ReturnType<typeof compose>

const acts: Readonly<Record<string, (email: string) => Promise<string>>> = {
  async create(email) {
    const password = await readPassword()
    await withAdministration(({ firstAdmin }) => firstAdmin.create({ email, password }))
    return `${email} is an administrator now, and signs in with this password.`
  },

  async promote(email) {
    return withAdministration(async ({ users, admin }) => {
      const user = await users.findByEmail(email)
      if (user === undefined) throw new StartError(`Nobody has the address ${email}: \`npm run admin -- create ${email}\` makes an account.`)
      if (user.role === 'admin') return `${email} is an administrator already.`
      const { suspendedAt, emailVerifiedAt } = await admin.update(user.id, { role: 'admin' }, {})
      if (suspendedAt !== null) return `${email} is an administrator as soon as the account is not suspended any more.`
      if (emailVerifiedAt === null) return `${email} is an administrator as soon as the address is verified: a code that is mailed does that.`
      return `${email} is an administrator now, and has to sign in again.`
    })
  },
}

try {
  console.log(await run(process.argv.slice(2)))
} catch (error) {
  console.error(sentenceOf(error))
  process.exitCode = 1
}

async function run([name = '', email = '', ...more]: string[]): Promise<string> {
  const act = Object.hasOwn(acts, name) ? acts[name] : undefined
  if (act === undefined || more.length > 0 || !/^[^\s@]+@[^\s@]+$/.test(email) || email.length > 255) throw new StartError(usage)
  return act(email)
}

function sentenceOf(error: unknown): unknown {
  if (error instanceof StartError) return error.message
  if (!(error instanceof AppError)) return error
  const [detail] = error.details ?? []
  if (error.code === 'conflict') return 'Somebody has this address: `npm run admin -- promote` makes them an administrator.'
  return detail === undefined ? error.message : `The password ${detail.reason}.`
}

async function readPassword(): Promise<string> {
  const { ADMIN_PASSWORD: given } = process.env
  if (!given && !process.stdin.isTTY) throw new StartError('Set ADMIN_PASSWORD, or run this in a terminal: there it asks for the password.')
  const password = given || (await askHidden('Password: '))
  if (!given && password !== (await askHidden('Once more: '))) throw new StartError('These were two different passwords.')
  if ([...password].length > 128) throw new StartError('The password must have at most 128 characters.')
  return password
}

async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  lines.on('SIGINT', () => process.exit(130))
  process.stderr.write(question)
  const answer = await lines.question('')
  lines.close()
  process.stderr.write('\n')
  return answer
}

async function withAdministration<T>(work: (administration: Administration) => Promise<T>): Promise<T> {
  // Those of the server's start are not meant here.
  const config = loadConfig({ ...process.env, ADMIN_EMAIL: undefined, ADMIN_PASSWORD: undefined })
  const embedded = config.databaseUrl === undefined ? await joinEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined
  const database = createDatabase({ url: config.databaseUrl ?? embedded?.url ?? '', maxConnections: 3, log })
  try {
    await migrate(database)
    const bus = await createEventBus({ pool: database.pool, log })
    return await work(compose(database, bus)).finally(bus.close)
  } finally {
    await passwords.close()
    await database.close()
    await embedded?.stop()
  }
}

/** What of the server it takes; the running ones are told by the bus. */
function compose({ db }: Database, bus: Awaited<ReturnType<typeof createEventBus>>) {
  const clock = systemClock
  const users = createUserService({ users: createUserRepository(db), hideUnverified: false, clock })
  const security = createSecurityService({ security: createSecurityRepository(db), clock, newId, log })
  const revocations = { has: () => false, revoke: () => undefined, keptMilliseconds }
  const jobs = {
    wake: () => undefined,
    async enqueue() {
      throw new Error('Nothing that is done here has a job')
    },
  }
  // It issues no tokens, so any key will do.
  const sessions = createSessions({
    ...{ db, users, sessions: createSessionRepository(db), revocations, bus, security, keys: [randomBytes(32)], clock, newId },
  })
  const apiKeys = createApiKeyService({
    ...{ db, apiKeys: createApiKeyRepository(db), users, revocations, topics: createTopics({ log }), bus, security, jobs, clock, newId, log },
  })
  // Nobody is shown anything here.
  const presence = { statusOf: async () => new Map() }
  const accounts = createAccountService({
    ...{ db, accounts: createAccountRepository(db), exports: createExportRepository(db), ends: { sessions, apiKeys }, users, presence, security, jobs, clock },
    messages: { batches: async function* () {} },
  })
  return {
    users,
    admin: createAdminService({ db, admin: createAdminRepository(db), users, accounts, sessions, presence, security, jobs, clock, newId }),
    firstAdmin: createFirstAdmin({ db, users, requireGoodPassword, passwords, security, clock, newId, log }),
  }
}
