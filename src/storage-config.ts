/** The part of the environment that says where files are kept, and which are taken. */
import { StartError } from './start-error.ts'

export interface S3Config {
  bucket: string
  /** Undefined is AWS itself. */
  endpoint: string | undefined
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** The bucket is in the path and not in the host name. */
  forcePathStyle: boolean
}

export interface StorageConfig {
  /** Undefined keeps them in `dataDir`. */
  s3: S3Config | undefined
}

export interface UploadConfig {
  uploadMaxBytes: number
  /** Of all files of one user together. */
  uploadQuotaBytes: number
  /** Media types, and `image/*` for all of a kind. */
  uploadTypes: string[]
}

type Environment = Readonly<Record<string, string | undefined>>

const usualTypes = [
  ...['png', 'jpeg', 'webp', 'gif', 'avif', 'heic', 'heif'].map((kind) => `image/${kind}`),
  ...['audio/*', 'video/*', 'text/plain', 'text/csv', 'text/markdown'],
  ...['json', 'pdf', 'zip'].map((kind) => `application/${kind}`),
  ...['wordprocessingml.document', 'spreadsheetml.sheet', 'presentationml.presentation'].map((kind) => `application/vnd.openxmlformats-officedocument.${kind}`),
  ...['text', 'spreadsheet', 'presentation'].map((kind) => `application/vnd.oasis.opendocument.${kind}`),
]

/** @throws StartError with a sentence that names the variable and what is wrong with it. */
export const loadStorageConfig = (env: Environment): StorageConfig & UploadConfig => ({
  s3: readS3(env),
  uploadMaxBytes: readBytes(env, 'UPLOAD_MAX_BYTES', 16 * 1_048_576),
  uploadQuotaBytes: readBytes(env, 'UPLOAD_QUOTA_BYTES', 1_073_741_824),
  uploadTypes: readTypes(env.UPLOAD_TYPES),
})

function readS3(env: Environment): S3Config | undefined {
  const bucket = env.S3_BUCKET || undefined
  const others = ['S3_ENDPOINT', 'S3_REGION', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY', 'S3_FORCE_PATH_STYLE']
  if (bucket === undefined) {
    const alone = others.find((variable) => env[variable])
    if (alone !== undefined) throw new StartError(`${alone} must be set together with S3_BUCKET.`)
    return undefined
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new StartError('S3_BUCKET must be the name of a bucket: 3 to 63 small letters, digits, dots and hyphens.')
  }
  return {
    bucket,
    endpoint: readEndpoint(env.S3_ENDPOINT),
    region: required(env, 'S3_REGION'),
    accessKeyId: required(env, 'S3_ACCESS_KEY_ID'),
    secretAccessKey: required(env, 'S3_SECRET_ACCESS_KEY'),
    forcePathStyle: readSwitch(env, 'S3_FORCE_PATH_STYLE'),
  }
}

function required(env: Environment, variable: string): string {
  const value = env[variable]
  if (!value) throw new StartError(`S3_BUCKET must be set together with ${variable}.`)
  return value
}

function readEndpoint(value: string | undefined): string | undefined {
  if (!value) return undefined
  const { protocol, search, username } = URL.canParse(value) ? new URL(value) : { protocol: '', search: '', username: '' }
  if (!['https:', 'http:'].includes(protocol) || search !== '' || username !== '') {
    throw new StartError('S3_ENDPOINT must be a URL that starts with https:// or http://, without a query.')
  }
  return value
}

function readSwitch(env: Environment, variable: string): boolean {
  const value = env[variable] || 'false'
  if (value !== 'true' && value !== 'false') throw new StartError(`${variable} must be one of true, false.`)
  return value === 'true'
}

const largestBytes = 1_099_511_627_776

function readBytes(env: Environment, variable: string, fallback: number): number {
  const value = env[variable] || String(fallback)
  const bytes = /^\d{1,15}$/.test(value) ? Number(value) : 0
  if (bytes < 1 || bytes > largestBytes) throw new StartError(`${variable} must be a whole number of bytes from 1 to ${largestBytes}.`)
  return bytes
}

function readTypes(value: string | undefined): string[] {
  if (!value) return usualTypes
  const types = value
    .split(',')
    .map((type) => type.trim().toLowerCase())
    .filter((type) => type !== '')
  if (types.every((type) => /^[a-z]+\/([a-z0-9][a-z0-9.+-]*|\*)$/.test(type))) return types
  throw new StartError('UPLOAD_TYPES must be media types like image/png or image/*, separated by commas.')
}
