/**
 * Forms with files (`multipart/form-data`, RFC 7578), for the operations whose contract says so. Every part is a field of the body, in any
 * order; a file is read into memory, up to what the contract allows, or handed on as it comes. What is wrong is answered while the rest is
 * still coming.
 */
import multipart, { type Multipart, type MultipartFile } from '@fastify/multipart'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'
import { allComponents, type IncomingFile, isBinary, isStreamed } from '../../openapi/contract.ts'
import { AppError, fileTooLarge, invalidField } from '../errors/app-error.ts'
import { compileTextValidation, type Validate } from '../validation.ts'
import { refusalOfEncoding } from './content-encoding.ts'

/** Boundaries, headers and texts of a form, beside its files. */
const formBytes = 65_536

/** How long is waited for a form: for the next of its bytes, and for all of them. */
export interface FormTimes {
  silenceMilliseconds: number
  totalMilliseconds: number
}

/** Far less than a planned job waits that removes what is left of a file. */
export const usualFormTimes: FormTimes = { silenceMilliseconds: 30_000, totalMilliseconds: 3_600_000 }

/** From now on forms are taken by the server; operations that are none refuse them themselves. */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  // The plugin's hooks tidy up after a way of reading that is not used here, and would cost every request of the server.
  const withoutHooks: FastifyInstance = Object.create(app, { addHook: { value: () => app } })
  await new Promise<unknown>((resolve) => multipart(withoutHooks, { throwFileSizeLimit: false }, resolve))
}

/** Refuses what is no form before it is read. */
export const requireForm: onRequestHookHandler = (request, _reply, done) => {
  const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '')
  done(isForm ? refusalOfEncoding(request) : new AppError('unsupported_media_type'))
}

/** @throws `payload_too_large`; `validation_error` for a part that is not known, is there twice, or is no file where one is asked for */
export async function readForm(request: FastifyRequest, schema: TSchema, times: FormTimes): Promise<Record<string, unknown>> {
  const inTime = createInTime(times)
  const fields = fieldsOf(schema)
  const largest = Math.max(0, ...Object.values(fields).map((field) => (isBinary(field) ? maxBytesOf(field) : 0)))
  const form: Record<string, unknown> = {}
  try {
    if (Number(request.headers['content-length']) > totalBytes(fields)) throw fileTooLarge(largest)
    for await (const part of inTime(request.parts({ limits: { fileSize: largest, fieldSize: formBytes } }))) {
      const field = checkPart(part, fields, form)
      form[part.fieldname] = part.type === 'file' ? await readFile(part, maxBytesOf(field), inTime) : part.value
    }
    return form
  } catch (error) {
    throw formError(error)
  }
}

/** A form of one file, which is read by whoever takes the content, and no further. @throws as `readForm` does, and so does the content */
export async function openForm(
  request: FastifyRequest,
  schema: TSchema,
  { uploadMaxBytes: maxBytes, formTimes }: { uploadMaxBytes: number; formTimes: FormTimes },
): Promise<Record<string, IncomingFile>> {
  const inTime = createInTime(formTimes)
  const fields = fieldsOf(schema)
  const leastBytes = Math.max(0, Number(request.headers['content-length'] ?? 0) - formBytes)
  if (leastBytes > maxBytes) throw fileTooLarge(maxBytes)
  const parts = inTime(request.parts({ limits: { fileSize: Number.POSITIVE_INFINITY, fieldSize: formBytes } }))
  try {
    const { value: part } = await parts.next()
    if (part === undefined) return {}
    checkPart(part, fields, {})
    if (part.type !== 'file') throw invalidField(`body.${part.fieldname}`, 'must be a file')
    return { [part.fieldname]: { name: nameOf(part), leastBytes, content: contentOf(part, inTime(part.file), parts, fields) } }
  } catch (error) {
    throw formError(error)
  }
}

/** Clients write some characters of a name this way (WHATWG HTML, multipart/form-data encoding algorithm), and no others. */
const nameOf = ({ filename = '' }: MultipartFile): string =>
  filename.replace(/%(22|0D|0A)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

async function* contentOf(
  file: MultipartFile,
  bytes: AsyncIterable<Uint8Array>,
  parts: AsyncIterable<Multipart>,
  fields: Record<string, TSchema>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
    for await (const part of parts) checkPart(part, fields, { [file.fieldname]: file })
  } catch (error) {
    throw formError(error)
  }
}

type InTime = <T>(coming: AsyncIterable<T>) => AsyncGenerator<T>

/** @returns what waits for the client so long and no longer, whichever part of the form it is; @throws `validation_error` then */
function createInTime({ silenceMilliseconds, totalMilliseconds }: FormTimes): InTime {
  const endsAt = performance.now() + totalMilliseconds

  const next = async <T>(coming: AsyncIterator<T>): Promise<IteratorResult<T>> => {
    const leftMilliseconds = endsAt - performance.now()
    if (leftMilliseconds <= 0) throw tooSlow()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(tooSlow()), Math.min(silenceMilliseconds, leftMilliseconds))
    return Promise.race([coming.next(), late.promise]).finally(() => clearTimeout(timer))
  }

  return async function* inTime(coming) {
    const iterator = coming[Symbol.asyncIterator]()
    try {
      for (let { done, value } = await next(iterator); !done; { done, value } = await next(iterator)) yield value
    } finally {
      // Not waited for: it ends behind what did not come.
      iterator.return?.().catch(() => undefined)
    }
  }
}

const tooSlow = (): AppError => invalidField('body', 'comes too slowly')

const formError = (error: unknown): AppError => (error instanceof AppError ? error : invalidField('body', 'is not valid multipart/form-data'))

/** To be called when a form is answered before it is read: the answer does not wait for the rest, which is thrown away. */
export function abandonForm({ raw }: FastifyRequest): void {
  raw.unpipe().resume()
}

/** Whether the file of a body is read by whoever handles it. */
export const isStreamedForm = (schema: TSchema): boolean => Object.values(fieldsOf(schema)).some(isStreamed)

/** To be done with what `readForm` has read: there a file is one already. Texts become numbers where the contract says so. */
export function compileFormValidation(schema: TSchema): Validate {
  const fields = Object.entries(fieldsOf(schema)).map(([name, field]) => [name, isBinary(field) ? {} : field])
  const { $id: _, ...form } = resolved(schema)
  return compileTextValidation({ ...form, properties: Object.fromEntries(fields) } as TSchema, 'body')
}

function checkPart(part: Multipart, fields: Record<string, TSchema>, form: object): TSchema {
  const { fieldname: name } = part
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) throw invalidField(`body.${name}`, 'is not known')
  if (Object.hasOwn(form, name)) throw invalidField(`body.${name}`, 'is there more than once')
  if (isBinary(field) !== (part.type === 'file')) throw invalidField(`body.${name}`, isBinary(field) ? 'must be a file' : 'must be text')
  if (part.type === 'field' && part.valueTruncated) throw new AppError('payload_too_large')
  return field
}

async function readFile({ file }: MultipartFile, maxBytes: number, inTime: InTime): Promise<Uint8Array> {
  if (file.truncated) throw fileTooLarge(maxBytes)
  file.once('limit', () => file.destroy(fileTooLarge(maxBytes)))
  const chunks: Uint8Array[] = []
  for await (const chunk of inTime(file)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const maxBytesOf = ({ maxLength = 0 }: TSchema): number => Number(maxLength)

const totalBytes = (fields: Record<string, TSchema>): number =>
  Object.values(fields).reduce((total, field) => total + (isBinary(field) ? maxBytesOf(field) : 0), formBytes)

const fieldsOf = (schema: TSchema): Record<string, TSchema> => resolved(schema).properties ?? {}

const resolved = (schema: TSchema): TSchema => allComponents().get(String(schema.$ref).replace(/#$/, '')) ?? schema
