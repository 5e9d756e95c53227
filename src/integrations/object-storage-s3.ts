/**
 * Objects in a bucket of S3, or of whatever speaks its protocol. What is small goes in one request, what is large in parts of which few are in
 * memory at a time; S3 shows an object when it is whole. Of an upload that fails the parts are given up; those of a process that is killed in
 * the middle stay, seen by nobody, until a rule of the bucket ends incomplete uploads.
 */
import { Readable } from 'node:stream'
import { DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, NoSuchKey, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import type { S3Config } from '../storage-config.ts'
import type { ObjectStorage } from './object-storage.ts'

/** The least that S3 takes. */
const partBytes = 5 * 1_048_576
const partsAtOnce = 2
const pingTimeoutMilliseconds = 2_000
/** However often it is asked, the bucket is seldom: requests cost money. */
const pingEveryMilliseconds = 5_000

export function createS3Storage({ bucket, endpoint, region, accessKeyId, secretAccessKey, forcePathStyle }: S3Config): ObjectStorage {
  const client = new S3Client({
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle,
    ...(endpoint !== undefined && { endpoint }),
    // Others than AWS do not know the checksums that the client would add by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // The second is of silence, not of the whole request.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
  })

  const ask = (): Promise<boolean> =>
    client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(pingTimeoutMilliseconds) }).then(
      () => true,
      // Who may not list the bucket is told so: it has answered.
      (error: unknown) => error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403,
    )
  let pinged = { at: Number.NEGATIVE_INFINITY, answer: Promise.resolve(true) }

  return {
    async put(key, content) {
      const body = content instanceof Uint8Array ? content : Readable.from(content, { objectMode: false })
      const upload = new Upload({ client, params: { Bucket: bucket, Key: key, Body: body }, partSize: partBytes, queueSize: partsAtOnce })
      try {
        await upload.done()
      } finally {
        if (body instanceof Readable) body.destroy()
      }
    },

    async get(key, range) {
      const Range = range && `bytes=${range.first}-${range.last}`
      const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range })).catch(undefinedIfMissing)
      if (found === undefined) return undefined
      const { Body, ContentLength } = found
      if (!(Body instanceof Readable) || ContentLength === undefined) throw new Error('S3 answered without content or without its length')
      return { sizeBytes: ContentLength, content: Body }
    },

    async delete(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },

    ping() {
      if (performance.now() > pinged.at + pingEveryMilliseconds) pinged = { at: performance.now(), answer: ask() }
      return pinged.answer
    },
  }
}

function undefinedIfMissing(error: unknown): undefined {
  // Who may not list the bucket is not told that there is none.
  const isHidden = error instanceof S3ServiceException && error.name === 'AccessDenied'
  if (!(error instanceof NoSuchKey) && !isHidden) throw error
}
