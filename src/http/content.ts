/**
 * Answers of bytes that never change: conditions (RFC 9110, section 13) and ranges (section 14), of which there is one at a time. What is sent
 * is read from the storage as it is taken, and holds a file or a connection open for so long: so each reader has a few at once, and whoever takes
 * nothing any more is cut off.
 */
import { finished, Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors/app-error.ts'
import type { ByteRange, StoredObject } from '../integrations/object-storage.ts'
import { createUnderWay } from '../under-way.ts'

export interface Content {
  /** Strong, with its quotes. */
  etag: string
  /** Ranges are for those whose size is known before they are opened. */
  sizeBytes?: number
  headers: Record<string, string>
  /** Who it is sent to, or on whose account: a user, or an address where nobody is known. */
  reader: string
  open(range?: ByteRange): Promise<StoredObject>
}

export interface DownloadLimits {
  /** Of each reader. */
  atOnce: number
  /** How long a reader may take nothing. */
  silenceMilliseconds: number
}

/** A browser may ask for all pictures of a page at once. */
export const usualDownloadLimits: DownloadLimits = { atOnce: 64, silenceMilliseconds: 30_000 }

/** @returns what is to be sent. @throws `range_not_satisfiable`; `rate_limit_exceeded` when the reader has too many under way */
export type SendContent = (request: FastifyRequest, reply: FastifyReply, content: Content) => Promise<Readable | undefined>

export function createSendContent({ atOnce, silenceMilliseconds }: DownloadLimits): SendContent {
  const begin = createUnderWay({ atOnce, what: 'downloads' })

  return async (request, reply, { etag, sizeBytes, headers, reader, open }) => {
    if (isNamedIn(request.headers['if-none-match'], etag)) {
      reply.code(304).headers({ etag, 'cache-control': headers['cache-control'] })
      return undefined
    }
    const range = sizeBytes === undefined ? undefined : rangeOf(request, etag, sizeBytes)
    if (range === 'unsatisfiable') {
      reply.header('content-range', `bytes */${sizeBytes}`)
      throw new AppError('range_not_satisfiable')
    }
    const isHead = request.method === 'HEAD'
    if (!isHead) finished(reply.raw, begin(reader))
    const opened = isHead && sizeBytes !== undefined ? { sizeBytes, content: nothing() } : await open(range)
    reply.headers({ ...headers, etag, 'content-length': opened.sizeBytes })
    if (sizeBytes !== undefined) reply.header('accept-ranges', 'bytes')
    if (range !== undefined) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${sizeBytes}`)
    if (isHead) {
      opened.content.destroy()
      return nothing()
    }
    // Of a response the time is one in which nothing of it has left.
    reply.raw.setTimeout(silenceMilliseconds, () => reply.raw.destroy())
    return opened.content
  }
}

const nothing = (): Readable => Readable.from([])

/** `If-None-Match`. */
const isNamedIn = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((tag) => ['*', etag, `W/${etag}`].includes(tag.trim())) ?? false

/** What is no single range of bytes is not heeded, as is one of another version. */
function rangeOf({ method, headers }: FastifyRequest, etag: string, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/i.exec(headers.range?.trim() ?? '') ?? []
  if (method !== 'GET' || from === undefined || to === undefined || (from === '' && to === '')) return undefined
  if (headers['if-range'] !== undefined && headers['if-range'] !== etag) return undefined
  const last = sizeBytes - 1
  if (from === '') return Number(to) === 0 ? 'unsatisfiable' : { first: Math.max(0, sizeBytes - Number(to)), last }
  if (to !== '' && Number(to) < Number(from)) return undefined
  return Number(from) > last ? 'unsatisfiable' : { first: Number(from), last: to === '' ? last : Math.min(Number(to), last) }
}
