/** Answers of bytes that never change: conditions (RFC 9110, section 13) and ranges (section 14), of which there is one at a time. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors/app-error.ts'
import type { ByteRange, StoredObject } from '../integrations/object-storage.ts'

export interface Content {
  /** Strong, with its quotes. */
  etag: string
  /** Ranges are for those whose size is known before they are opened. */
  sizeBytes?: number
  headers: Record<string, string>
  open(range?: ByteRange): Promise<StoredObject>
}

/** @returns what is to be sent. @throws `range_not_satisfiable` */
export async function sendContent(request: FastifyRequest, reply: FastifyReply, content: Content): Promise<Readable | undefined> {
  const { etag, sizeBytes, headers, open } = content
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
  const opened = isHead && sizeBytes !== undefined ? undefined : await open(range)
  reply.headers({ ...headers, etag, 'content-length': opened?.sizeBytes ?? sizeBytes })
  if (sizeBytes !== undefined) reply.header('accept-ranges', 'bytes')
  if (range !== undefined) reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${sizeBytes}`)
  if (!isHead && opened !== undefined) return opened.content
  opened?.content.destroy()
  return Readable.from([])
}

/** `If-None-Match`. */
export const isNamedIn = (header: string | undefined, etag: string): boolean =>
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
