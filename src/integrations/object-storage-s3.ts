/**
 * Objects in a bucket of S3, or of whatever speaks its protocol. What is small goes in one request, what is large in parts of which few are in
 * memory at a time; S3 shows an object when it is whole. Of an upload that fails the parts are given up; those of a process that is killed in
 * the middle stay, seen by nobody, until a rule of the bucket ends incomplete uploads.
 */
import { Readable } from 'node:stream'
import { DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, NoSuchKey, S3Client, type S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { AppError } from '../errors/app-error.ts'
import type { Log } from '../log.ts'
import type { S3Config } from '../storage-config.ts'
import type { ObjectStorage } from './object-storage.ts'

/** The least that S3 takes. */
const partBytes = 5 * 1_048_576
const partsAtOnce = 2
const pingTimeoutMilliseconds = 2_000
/** However often it is asked, the bucket is seldom: requests cost money. */
const pingEveryMilliseconds = 5_000
const retryAfterSeconds = 2

/** The last is of silence, not of the whole request. */
const timesOfWriting = { connectionTimeout: 5_000, socketTimeout: 30_000 }

/** A connection is held until the reader has taken all; who takes nothing is cut off by whoever reads for them, so silence is mostly a slow reader's. */
const timesOfReading = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true, socketTimeout: 300_000 }
const readersAtOnce = { maxSockets: 1_024 }

export function createS3Storage({ bucket, ...config }: S3Config, log: Pick<Log, 'warn'>): ObjectStorage {
  // Readers hold connections for long: what is written, deleted and asked does not wait behind them.
  const client = createClient(config, timesOfWriting)
  const reading = createClient(config, { ...timesOfReading, httpAgent: readersAtOnce, httpsAgent: readersAtOnce })

  const ask = (): Promise<boolean> =>
    client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(pingTimeoutMilliseconds) }).then(
      () => true,
      // Who may not list the bucket is told so: it has answered.
      (error: unknown) => error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403,
    )
  let pinged = { at: Number.NEGATIVE_INFINITY, answer: Promise.resolve(true) }

  const refuse = (error: unknown): never => {
    if (!isAway(error)) throw error
    log.warn({ err: error }, 'S3 could not be reached, or was too busy')
    throw new AppError('unavailable', 'The server cannot reach its files at the moment; try again shortly.', { retryAfterSeconds })
  }

  const undefinedIfMissing = (error: unknown): undefined => {
    if (error instanceof NoSuchKey) return undefined
    // Who may not list the bucket is not told that there is none.
    if (!(error instanceof S3ServiceException) || error.name !== 'AccessDenied') throw error
    log.warn({ err: error }, 'S3 refuses an object: there is none, or the keys may not read it')
  }

  return {
    async put(key, content) {
      const body = content instanceof Uint8Array ? content : Readable.from(content, { objectMode: false })
      const upload = new Upload({ client, params: { Bucket: bucket, Key: key, Body: body }, partSize: partBytes, queueSize: partsAtOnce })
      try {
        await upload.done().catch(refuse)
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },

    async get(key, range) {
      const Range = range && `bytes=${range.first}-${range.last}`
      const found = await reading
        .send(new GetObjectCommand({ Bucket: bucket, Key: key, Range }))
        .catch(undefinedIfMissing)
        .catch(refuse)
      if (found === undefined) return undefined
      const { Body, ContentLength } = found
      if (!(Body instanceof Readable) || ContentLength === undefined) throw new Error('S3 answered without content or without its length')
      return { sizeBytes: ContentLength, content: Body }
    },

    async delete(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })).catch(refuse)
    },

    ping() {
      if (performance.now() > pinged.at + pingEveryMilliseconds) pinged = { at: performance.now(), answer: ask() }
      return pinged.answer
    },
  }
}

type RequestHandler = NonNullable<S3ClientConfig['requestHandler']>

const createClient = ({ endpoint, region, accessKeyId, secretAccessKey, forcePathStyle }: Omit<S3Config, 'bucket'>, requestHandler: RequestHandler): S3Client =>
  new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    // Others than AWS do not know the checksums that the client would add by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler,
  })

/** Whether it may go well later, as it is. */
function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const status = statusOf(error)
  return status === 429 || status >= 500 || ['TimeoutError', 'RequestTimeout'].includes(error.name) || ('code' in error && outOfReach.has(error.code))
}

/** Also of an answer that is not one of S3's own: a proxy's. */
function statusOf(error: Error): number {
  const metadata = '$metadata' in error && typeof error.$metadata === 'object' ? error.$metadata : null
  return metadata !== null && 'httpStatusCode' in metadata ? Number(metadata.httpStatusCode) : 0
}

const outOfReach: ReadonlySet<unknown> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
])
