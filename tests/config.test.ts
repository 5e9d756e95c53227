import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import t from 'tap'
import { type Config, loadConfig } from '../src/config.ts'
import { StartError } from '../src/start-error.ts'

const rate = (limit: number) => ({ limit, windowMilliseconds: 60_000 })
const wrongRates = ['100', '100/m', '0/1m', '100/0m', '-1/1m', '100/1d', '1e3/1m', 'none', '100/1m ']
const secret = 'hunter2'

const s3Access = { S3_REGION: 'eu', S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: secret }
const s3 = { bucket: 'files', endpoint: undefined, region: 'eu', accessKeyId: 'a', secretAccessKey: secret, forcePathStyle: false }

interface Variable {
  /** As the README has it; undefined where it says in words what happens without. */
  documented?: string
  read(config: Config): unknown
  default: unknown
  given: [text: string, value: unknown]
  /** What it cannot stand without. */
  with?: Record<string, string>
  wrong: string[]
}

const variables: Record<string, Variable> = {
  NODE_ENV: { documented: 'development', read: (c) => c.environment, default: 'development', given: ['test', 'test'], wrong: ['prod', 'Production', '1'] },
  HOST: {
    documented: '127.0.0.1',
    read: (c) => c.host,
    default: '127.0.0.1',
    given: ['::1', '::1'],
    wrong: ['0.0.0.0', '::', '192.168.1.5', '127.evil.example'],
  },
  PORT: { documented: '3000', read: (c) => c.port, default: 3000, given: ['0', 0], wrong: ['http', '-1', '65536', '80.5', '0x50', '8e1', ' '] },
  PUBLIC_URL: {
    read: (c) => c.publicUrl,
    default: undefined,
    given: ['https://chat.example//', 'https://chat.example'],
    wrong: ['chat.example', 'ftp://chat.example', '/'],
  },
  LOG_LEVEL: { documented: 'info', read: (c) => c.logLevel, default: 'info', given: ['silent', 'silent'], wrong: ['verbose', 'INFO'] },
  DATA_DIR: { documented: '.data', read: (c) => c.dataDir, default: resolve('.data'), given: ['/var/parley', '/var/parley'], wrong: [] },
  DATABASE_URL: {
    read: (c) => c.databaseUrl,
    default: undefined,
    given: ['postgres://a:b@db/parley', 'postgres://a:b@db/parley'],
    wrong: ['localhost:5432', `mysql://root:${secret}@db/parley`],
  },
  DATABASE_MAX_CONNECTIONS: { documented: '10', read: (c) => c.databaseMaxConnections, default: 10, given: ['3', 3], wrong: ['2', '1001', 'many'] },
  REDIS_URL: {
    read: (c) => c.redisUrl,
    default: undefined,
    given: ['rediss://a:b@cache:6380/1', 'rediss://a:b@cache:6380/1'],
    wrong: ['localhost:6379', `http://:${secret}@cache:6379`],
  },
  JWT_SECRET_PREVIOUS: { read: (c) => c.jwtSecretPrevious, default: undefined, given: ['s'.repeat(32), 's'.repeat(32)], wrong: [secret] },
  JWT_SECRET: { read: (c) => c.jwtSecret, default: undefined, given: ['s'.repeat(32), 's'.repeat(32)], wrong: [secret] },
  SMTP_URL: {
    read: (c) => c.smtpUrl,
    default: undefined,
    given: ['smtps://a:b@mail.example', 'smtps://a:b@mail.example'],
    wrong: ['mail.example', `imap://me:${secret}@mail.example`],
  },
  MAIL_FROM: {
    documented: 'Parley <parley@localhost>',
    read: (c) => c.mailFrom,
    default: 'Parley <parley@localhost>',
    given: ['a@b.example', 'a@b.example'],
    wrong: [],
  },
  PASSWORD_RESET_URL: {
    read: (c) => c.passwordResetUrl,
    default: undefined,
    given: ['https://chat.example/new-password?lang=en', 'https://chat.example/new-password?lang=en'],
    wrong: ['chat.example', '/new-password', 'ftp://chat.example'],
  },
  REGISTRATION_CONFLICTS: {
    documented: 'tell',
    read: (c) => c.registrationConflicts,
    default: 'tell',
    given: ['hide', 'hide'],
    wrong: ['true', 'Hide', 'none'],
  },
  ADMIN_EMAIL: {
    read: (c) => c.adminEmail,
    default: undefined,
    given: ['admin@example.com', 'admin@example.com'],
    with: { ADMIN_PASSWORD: 'a very long sentence' },
    wrong: ['admin', 'admin@localhost', 'a b@example.com', `${'a'.repeat(244)}@example.com`],
  },
  ADMIN_PASSWORD: {
    read: (c) => c.adminPassword,
    default: undefined,
    given: ['a very long sentence', 'a very long sentence'],
    with: { ADMIN_EMAIL: 'admin@example.com' },
    wrong: [secret, 'a'.repeat(129)],
  },
  SEARCH_LANGUAGE: { documented: 'simple', read: (c) => c.searchLanguage, default: 'simple', given: ['german', 'german'], wrong: ['klingon', 'German'] },
  ERASED_USERS_MESSAGES: { documented: 'keep', read: (c) => c.erasedUsersMessages, default: 'keep', given: ['erase', 'erase'], wrong: ['delete', 'true'] },
  CORS_ORIGINS: {
    documented: '*',
    read: (c) => c.corsOrigins,
    default: ['*'],
    given: ['https://a.example, http://[::1]:5173,capacitor://localhost,', ['https://a.example', 'http://[::1]:5173', 'capacitor://localhost']],
    wrong: ['a.example', 'https://a.example/', 'https://a.example/app', 'https://*.example', 'HTTPS://a.example'],
  },
  OAUTH_GOOGLE_CLIENT_ID: {
    read: (c) => c.oauthProviders,
    default: [],
    given: ['client', [{ kind: 'oidc', id: 'google', label: 'Google', issuer: 'https://accounts.google.com', clientId: 'client', clientSecret: secret }]],
    with: { OAUTH_GOOGLE_CLIENT_SECRET: secret },
    wrong: [],
  },
  OAUTH_GOOGLE_CLIENT_SECRET: {
    read: (c) => c.oauthProviders[0]?.clientSecret,
    default: undefined,
    given: [secret, secret],
    with: { OAUTH_GOOGLE_CLIENT_ID: 'client' },
    wrong: [],
  },
  OAUTH_GITHUB_CLIENT_ID: {
    read: (c) => c.oauthProviders,
    default: [],
    given: ['client', [{ kind: 'github', id: 'github', label: 'GitHub', url: 'https://github.com', clientId: 'client', clientSecret: secret }]],
    with: { OAUTH_GITHUB_CLIENT_SECRET: secret },
    wrong: [],
  },
  OAUTH_GITHUB_CLIENT_SECRET: {
    read: (c) => c.oauthProviders[0]?.clientSecret,
    default: undefined,
    given: [secret, secret],
    with: { OAUTH_GITHUB_CLIENT_ID: 'client' },
    wrong: [],
  },
  OAUTH_GITHUB_URL: {
    documented: 'https://github.com',
    read: ({ oauthProviders: [provider] }) => (provider?.kind === 'github' ? provider.url : undefined),
    default: undefined,
    given: ['http://git.example/', 'http://git.example'],
    with: { OAUTH_GITHUB_CLIENT_ID: 'client', OAUTH_GITHUB_CLIENT_SECRET: secret },
    wrong: ['git.example', 'ftp://git.example', 'https://git.example/?a=b', `https://me:${secret}@git.example`],
  },
  OAUTH_REDIRECT_URIS: {
    read: (c) => c.oauthRedirectUris,
    default: [],
    given: ['https://a.example/in?from=parley, com.example.app:/in,', ['https://a.example/in?from=parley', 'com.example.app:/in']],
    wrong: ['a.example/in', '/in', 'https://a.example/#in', 'javascript:alert(1)', `https://me:${secret}@a.example`, 'https://a.example,*'],
  },
  S3_BUCKET: { read: (c) => c.s3, default: undefined, given: ['files', s3], with: s3Access, wrong: ['F', 'Files', 'a/b', 'files'] },
  S3_REGION: { read: (c) => c.s3?.region, default: undefined, given: ['eu-1', 'eu-1'], with: { ...s3Access, S3_BUCKET: 'files' }, wrong: ['eu-1'] },
  S3_ACCESS_KEY_ID: { read: (c) => c.s3?.accessKeyId, default: undefined, given: ['b', 'b'], with: { ...s3Access, S3_BUCKET: 'files' }, wrong: [secret] },
  S3_SECRET_ACCESS_KEY: {
    read: (c) => c.s3?.secretAccessKey,
    default: undefined,
    given: ['c', 'c'],
    with: { ...s3Access, S3_BUCKET: 'files' },
    wrong: [secret],
  },
  S3_ENDPOINT: {
    read: (c) => c.s3?.endpoint,
    default: undefined,
    given: ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    with: { ...s3Access, S3_BUCKET: 'files' },
    wrong: ['https://s3.example'],
  },
  S3_FORCE_PATH_STYLE: {
    documented: 'false',
    read: (c) => c.s3?.forcePathStyle ?? false,
    default: false,
    given: ['true', true],
    with: { ...s3Access, S3_BUCKET: 'files' },
    wrong: ['true'],
  },
  UPLOAD_MAX_BYTES: {
    documented: '16777216',
    read: (c) => c.uploadMaxBytes,
    default: 16_777_216,
    given: ['1', 1],
    wrong: ['0', '-1', '16M', '1e6', '9999999999999'],
  },
  UPLOAD_QUOTA_BYTES: { documented: '1073741824', read: (c) => c.uploadQuotaBytes, default: 1_073_741_824, given: ['5', 5], wrong: ['0', '1.5', 'off'] },
  UPLOAD_TYPES: {
    read: (c) => c.uploadTypes.includes('image/png') && c.uploadTypes.length,
    default: 21,
    given: ['image/png, Audio/*,', 2],
    wrong: ['png', '*', '*/*', 'image/', 'image/png audio/*', '.png'],
  },
  TRUST_PROXY: { documented: '0', read: (c) => c.trustProxy, default: 0, given: ['2', 2], wrong: ['true', 'false', '-1', '1.5', '11', '10.0.0.0/8'] },
  RATE_LIMIT_AUTH: { documented: '5/1m', read: (c) => c.rateLimits.auth, default: rate(5), given: ['off', undefined], wrong: wrongRates },
  RATE_LIMIT_DEFAULT: {
    documented: '100/1m',
    read: (c) => c.rateLimits.default,
    default: rate(100),
    given: ['5/30s', { limit: 5, windowMilliseconds: 30_000 }],
    wrong: wrongRates,
  },
  RATE_LIMIT_MESSAGES: {
    documented: '100/1m',
    read: (c) => c.rateLimits.messages,
    default: rate(100),
    given: ['7/2h', { limit: 7, windowMilliseconds: 7_200_000 }],
    wrong: wrongRates,
  },
  RATE_LIMIT_UPLOADS: { documented: '20/1m', read: (c) => c.rateLimits.uploads, default: rate(20), given: ['off', undefined], wrong: wrongRates },
  RATE_LIMIT_PUBLIC: {
    documented: '100/1m',
    read: (c) => c.rateLimits.public,
    default: rate(100),
    given: ['1/1s', { limit: 1, windowMilliseconds: 1_000 }],
    wrong: wrongRates,
  },
  RATE_LIMIT_SOCKETS: { documented: '10/1m', read: (c) => c.rateLimits.sockets, default: rate(10), given: ['off', undefined], wrong: wrongRates },
}

/** The names that are really read, whatever the list above has. */
function namesRead(): string[] {
  const names = new Set<string>()
  const env = new Proxy<Record<string, string>>({}, { get: (_, name) => void names.add(String(name)) })
  loadConfig(env)
  return [...names].toSorted()
}

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  return 'not refused'
}

t.test('every variable has its default, takes what it is given, and an empty one counts as not given', async (t) => {
  t.same(namesRead(), Object.keys(variables).toSorted(), 'the list above is complete')
  for (const [name, { read, default: value, given, with: others = {} }] of Object.entries(variables)) {
    t.same(read(loadConfig({})), value, `${name} by default`)
    t.same(read(loadConfig({ [name]: '' })), value, `${name} empty`)
    t.same(read(loadConfig({ ...others, [name]: given[0] })), given[1], `${name}=${given[0]}`)
  }
  t.throws(() => Object.assign(loadConfig({}), { port: 1 }), TypeError, 'it is frozen')
})

t.test('a wrong value is one sentence that names the variable and repeats nothing', async (t) => {
  for (const [name, { wrong }] of Object.entries(variables)) {
    for (const value of wrong) {
      const sentence = refusal({ [name]: value })
      t.match(sentence, new RegExp(`^${name} must be [^\\n]+\\.$`), `${name}=${value}`)
      t.notMatch(sentence, secret, `${name}=${value}`)
    }
  }
})

t.test('any number of OpenID Connect providers is configured by name', async (t) => {
  const env = {
    ...{ OAUTH_ACME_ISSUER: 'https://id.acme.example/', OAUTH_ACME_CLIENT_ID: 'a', OAUTH_ACME_CLIENT_SECRET: 'b', OAUTH_ACME_LABEL: 'Acme Inc.' },
    ...{ OAUTH_BIG_CORP_ISSUER: 'http://id.big.example', OAUTH_BIG_CORP_CLIENT_ID: 'c', OAUTH_BIG_CORP_CLIENT_SECRET: 'd' },
    ...{ OAUTH_GOOGLE_CLIENT_ID: 'e', OAUTH_GOOGLE_CLIENT_SECRET: 'f', OAUTH_EMPTY_ISSUER: '' },
  }
  t.match(loadConfig(env).oauthProviders, [
    { id: 'google' },
    { kind: 'oidc', id: 'acme', label: 'Acme Inc.', issuer: 'https://id.acme.example/', clientId: 'a', clientSecret: 'b' },
    { kind: 'oidc', id: 'big-corp', label: 'BIG_CORP', issuer: 'http://id.big.example', clientId: 'c', clientSecret: 'd' },
  ])
})

t.test('half a provider, or one that is not safe in production, is one sentence', async (t) => {
  const client = { OAUTH_ACME_CLIENT_ID: 'a', OAUTH_ACME_CLIENT_SECRET: secret }
  const google = { OAUTH_GOOGLE_CLIENT_ID: 'a', OAUTH_GOOGLE_CLIENT_SECRET: secret }
  const production = { NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32), PUBLIC_URL: 'https://chat.example', OAUTH_REDIRECT_URIS: 'https://app.example/in' }
  const refused: [begin: string, env: Record<string, string>][] = [
    ['OAUTH_GOOGLE_CLIENT_ID must be set together with OAUTH_GOOGLE_CLIENT_SECRET', { OAUTH_GOOGLE_CLIENT_ID: 'a' }],
    ['OAUTH_GITHUB_CLIENT_SECRET must be set together with OAUTH_GITHUB_CLIENT_ID', { OAUTH_GITHUB_CLIENT_SECRET: secret }],
    ['OAUTH_GITHUB_URL must be set together with', { OAUTH_GITHUB_URL: 'https://git.example' }],
    ['OAUTH_ACME_CLIENT_ID must be set together with OAUTH_ACME_ISSUER', client],
    ['OAUTH_ACME_ISSUER must be set together with', { OAUTH_ACME_ISSUER: 'https://id.example' }],
    ['OAUTH_ACME_LABEL must be set together with', { OAUTH_ACME_LABEL: 'Acme' }],
    ['OAUTH_ACME_ISSUER must be a URL', { ...client, OAUTH_ACME_ISSUER: 'id.example' }],
    ['OAUTH_acme_ISSUER must bear a name', { OAUTH_acme_ISSUER: 'https://id.example' }],
    ['OAUTH_PROVIDERS_ISSUER must bear a name', { OAUTH_PROVIDERS_ISSUER: 'https://id.example' }],
    ['OAUTH_GOOGLE_ISSUER must be left out', { ...google, OAUTH_GOOGLE_ISSUER: 'https://id.example' }],
    ['OAUTH_ACME_ISSUER must be a URL that starts with https://,', { ...production, ...client, OAUTH_ACME_ISSUER: 'http://id.example' }],
    ['OAUTH_REDIRECT_URIS must be URIs', { ...production, OAUTH_REDIRECT_URIS: 'http://app.example/in' }],
    ['OAUTH_REDIRECT_URIS is required', { ...production, ...google, OAUTH_REDIRECT_URIS: '' }],
    ['PUBLIC_URL is required', { ...production, ...google, PUBLIC_URL: '' }],
  ]
  for (const [begin, env] of refused) {
    const sentence = refusal(env)
    t.ok(sentence.startsWith(begin) && /^[^\n]+\.$/.test(sentence), sentence)
    t.notMatch(sentence, secret)
  }
  const allowed = loadConfig({ ...production, ...google, OAUTH_REDIRECT_URIS: 'http://127.0.0.1:8080/in,com.example.app:/in' })
  t.match(allowed, { oauthLoopbackAllowed: false, oauthRedirectUris: ['http://127.0.0.1:8080/in', 'com.example.app:/in'] })
})

t.test('a bucket that is not wholly described is one sentence', async (t) => {
  const whole = { S3_BUCKET: 'files', ...s3Access }
  for (const name of Object.keys(s3Access)) t.equal(refusal({ ...whole, [name]: '' }), `S3_BUCKET must be set together with ${name}.`)
  for (const endpoint of ['s3.example', 'ftp://s3.example', 'https://s3.example/?a=b', `https://me:${secret}@s3.example`])
    t.equal(refusal({ ...whole, S3_ENDPOINT: endpoint }), 'S3_ENDPOINT must be a URL that starts with https:// or http://, without a query.')
  t.equal(refusal({ ...whole, S3_FORCE_PATH_STYLE: 'yes' }), 'S3_FORCE_PATH_STYLE must be one of true, false.')
})

t.test('the first administrator has an address and a password, or there is none', async (t) => {
  for (const [name, { with: other = {} }] of Object.entries(variables).filter(([name]) => name.startsWith('ADMIN_')))
    t.equal(refusal(other), 'ADMIN_EMAIL and ADMIN_PASSWORD belong together: set both, or none.', name)
})

t.test('in production nothing insecure has a default', async (t) => {
  t.match(refusal({ NODE_ENV: 'production' }), /^JWT_SECRET is required in production[^\n]*\.$/)
  t.match(loadConfig({ NODE_ENV: 'production', JWT_SECRET: 's'.repeat(32) }), { host: '0.0.0.0', corsOrigins: [] })
})

t.test('the README lists exactly the variables that are read, with their defaults', async (t) => {
  const [, section = ''] = readFileSync(new URL('../README.md', import.meta.url), 'utf8').split(/^## Configuration$/m)
  const [table = ''] = section.split(/^## /m)
  const rows = [...table.matchAll(/^\| `([A-Z0-9_]+)` \| ([^|]+) \|/gm)].map(([, name = '', fallback = '']) => [name, fallback.trim()] as const)
  t.same(rows.map(([name]) => name).toSorted(), namesRead())
  for (const [name, fallback] of rows) {
    const documented = variables[name]?.documented
    if (documented === undefined) t.notMatch(fallback, /^`[^`<]*`$/, `${name} has no default value`)
    else t.equal(/^`([^`]+)`/.exec(fallback)?.[1], documented, name)
  }
})

t.test('a start with a wrong value ends with that sentence and nothing else', async (t) => {
  const env = { PATH: process.env.PATH ?? '', DATA_DIR: tmpdir(), DATABASE_URL: `mysql://root:${secret}@db/parley` }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts'], { env, encoding: 'utf8' })
  t.equal(status, 1)
  t.equal(stdout, '')
  t.equal(stderr, 'DATABASE_URL must be a URL that starts with postgres:// or postgresql://.\n')
})
