/**
 * The environment, read once into one frozen value that is passed to whoever needs it. A wrong value is one clear
 * sentence at start. README.md has the same table for people: a test compares the two.
 */
import { isIPv4 } from 'node:net'
import { resolve } from 'node:path'
import type { RateLimitClass } from '../openapi/contract.ts'
import { loadOAuthConfig, type OAuthConfig } from './oauth-config.ts'
import { type SearchLanguage, searchLanguages } from './search-languages.ts'
import { StartError } from './start-error.ts'
import { loadStorageConfig, type StorageConfig, type UploadConfig } from './storage-config.ts'

export interface RateLimit {
  /** Requests per window. */
  limit: number
  windowMilliseconds: number
}

export interface Config extends OAuthConfig, StorageConfig, UploadConfig {
  environment: 'development' | 'test' | 'production'
  /** Address to listen on. */
  host: string
  /** 0 takes any free port. */
  port: number
  /** What clients see, without a slash at the end; undefined until the server knows its port. */
  publicUrl: string | undefined
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  /** Absolute folder of everything the server keeps itself: embedded database, secrets, mails. */
  dataDir: string
  /** Undefined starts the embedded PostgreSQL. */
  databaseUrl: string | undefined
  databaseMaxConnections: number
  /** What carries live events between processes; undefined leaves that to PostgreSQL. */
  redisUrl: string | undefined
  /** Undefined: generated once into `dataDir`; required in production. */
  jwtSecret: string | undefined
  /** The one before, so that what it signed stays good while it is replaced. */
  jwtSecretPrevious: string | undefined
  /** Undefined writes mails to `dataDir`. */
  smtpUrl: string | undefined
  mailFrom: string
  /** The app's page where a new password is chosen; mails link to it. */
  passwordResetUrl: string | undefined
  /** Whether registering tells that an address is taken. */
  registrationConflicts: 'tell' | 'hide'
  /** The first administrator, who is made at the start where nobody has the address; both or none. */
  adminEmail: string | undefined
  adminPassword: string | undefined
  /** What becomes of the messages of users who are erased. */
  erasedUsersMessages: 'keep' | 'erase'
  /** Of what is said in messages: words are found in all their forms. */
  searchLanguage: SearchLanguage
  /** Origins of browsers that may call; `*` alone stands for all. */
  corsOrigins: string[]
  /** How many proxies in front each add the address that they see to `X-Forwarded-For`; what clients wrote before those is not believed. */
  trustProxy: number
  /** Undefined is no limit. */
  rateLimits: Record<RateLimitClass, RateLimit | undefined>
}

/** @throws StartError with a sentence that names the variable and what it may be. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Readonly<Config> {
  const read = reader(env)
  const environment = read('NODE_ENV', 'development', oneOf('development', 'test', 'production'))
  const production = environment === 'production'
  const publicUrl = read.optional('PUBLIC_URL', url('http:', 'https:'))?.replace(/\/+$/, '')
  const config: Config = {
    environment,
    host: read('HOST', production ? '0.0.0.0' : '127.0.0.1', text),
    port: read('PORT', '3000', integer(0, 65535)),
    publicUrl,
    logLevel: read('LOG_LEVEL', 'info', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')),
    dataDir: resolve(read('DATA_DIR', '.data', text)),
    databaseUrl: read.optional('DATABASE_URL', url('postgres:', 'postgresql:')),
    databaseMaxConnections: read('DATABASE_MAX_CONNECTIONS', '10', integer(3, 1000)),
    redisUrl: read.optional('REDIS_URL', url('redis:', 'rediss:')),
    jwtSecret: read.optional('JWT_SECRET', secret),
    jwtSecretPrevious: read.optional('JWT_SECRET_PREVIOUS', secret),
    smtpUrl: read.optional('SMTP_URL', url('smtp:', 'smtps:')),
    mailFrom: read('MAIL_FROM', 'Parley <parley@localhost>', text),
    passwordResetUrl: read.optional('PASSWORD_RESET_URL', url('http:', 'https:')),
    registrationConflicts: read('REGISTRATION_CONFLICTS', 'tell', oneOf('tell', 'hide')),
    adminEmail: read.optional('ADMIN_EMAIL', emailAddress),
    adminPassword: read.optional('ADMIN_PASSWORD', password),
    erasedUsersMessages: read('ERASED_USERS_MESSAGES', 'keep', oneOf('keep', 'erase')),
    searchLanguage: read('SEARCH_LANGUAGE', 'simple', oneOf(...searchLanguages)),
    corsOrigins: read('CORS_ORIGINS', production ? '' : '*', origins),
    trustProxy: read('TRUST_PROXY', '0', integer(0, 10)),
    ...loadOAuthConfig(env, { environment, publicUrl }),
    ...loadStorageConfig(env),
    rateLimits: {
      auth: read('RATE_LIMIT_AUTH', '5/1m', rateLimit),
      default: read('RATE_LIMIT_DEFAULT', '100/1m', rateLimit),
      messages: read('RATE_LIMIT_MESSAGES', '100/1m', rateLimit),
      uploads: read('RATE_LIMIT_UPLOADS', '20/1m', rateLimit),
      public: read('RATE_LIMIT_PUBLIC', '100/1m', rateLimit),
      sockets: read('RATE_LIMIT_SOCKETS', '10/1m', rateLimit),
    },
  }
  requireWhole(config)
  return Object.freeze(config)
}

/** What each value alone cannot tell. */
function requireWhole(config: Config): void {
  if (config.environment === 'development' && !isLoopback(config.host)) {
    throw new StartError(
      'HOST must be a loopback address such as 127.0.0.1 unless NODE_ENV=production is set: in development the code 000000 would open every account to others.',
    )
  }
  if ((config.adminEmail === undefined) !== (config.adminPassword === undefined)) {
    throw new StartError('ADMIN_EMAIL and ADMIN_PASSWORD belong together: set both, or none.')
  }
  if (config.environment === 'production' && config.jwtSecret === undefined) {
    throw new StartError('JWT_SECRET is required in production: set it to at least 32 random characters, the same for every process.')
  }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

type Parse<T> = (value: string) => T | Refusal

/** What a variable may be, for the sentence at start. */
class Refusal {
  readonly expected: string
  constructor(expected: string) {
    this.expected = expected
  }
}

function reader(env: Readonly<Record<string, string | undefined>>) {
  const parsed = <T>(name: string, value: string, parse: Parse<T>): T => {
    const result = parse(value)
    // The value is not repeated: it may be a secret.
    if (result instanceof Refusal) throw new StartError(`${name} must be ${result.expected}.`)
    return result
  }
  const read = <T>(name: string, fallback: string, parse: Parse<T>): T => parsed(name, env[name] || fallback, parse)
  read.optional = <T>(name: string, parse: Parse<T>): T | undefined => {
    const value = env[name]
    return value ? parsed(name, value, parse) : undefined
  }
  return read
}

const text: Parse<string> = (value) => value

/** One that is written in another way than browsers write it would never match. */
const origins: Parse<string[]> = (value) => {
  const entries = value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  // Apps have schemes of their own, such as capacitor://localhost.
  const isOrigin = /^(\*|[a-z][a-z0-9+.-]*:\/\/[a-z0-9.:[\]-]+)$/
  return entries.every((entry) => isOrigin.test(entry)) ? entries : new Refusal('origins like https://app.example.com, separated by commas, or *')
}

const oneOf =
  <const W extends string>(...words: W[]): Parse<W> =>
  (value) =>
    words.find((word) => word === value) ?? new Refusal(`one of ${words.join(', ')}`)

const integer =
  (minimum: number, maximum: number): Parse<number> =>
  (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= minimum && number <= maximum ? number : new Refusal(`a whole number from ${minimum} to ${maximum}`)
  }

const url =
  (...protocols: string[]): Parse<string> =>
  (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol)
      ? value
      : new Refusal(`a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`)

const emailAddress: Parse<string> = (value) =>
  value.length <= 255 && /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(value) ? value : new Refusal('an e-mail address of up to 255 characters')

/** What else is asked of one is asked where it is set: see `password-rules.ts`. */
const password: Parse<string> = (value) => ([...value].length >= 8 && [...value].length <= 128 ? value : new Refusal('8 to 128 characters long'))

const secret: Parse<string> = (value) => (value.length >= 32 ? value : new Refusal('at least 32 characters long'))

const windowUnits: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 }

/** `100/1m`, `5/30s`, `off`. */
const rateLimit: Parse<RateLimit | undefined> = (value) => {
  if (value === 'off') return undefined
  const [, limit, length, unit = ''] = /^(\d{1,9})\/(\d{1,6})([smh])$/.exec(value) ?? []
  const windowMilliseconds = Number(length) * (windowUnits[unit] ?? 0)
  return Number(limit) > 0 && windowMilliseconds > 0
    ? { limit: Number(limit), windowMilliseconds }
    : new Refusal('like 100/1m (requests per s, m or h), or off')
}
