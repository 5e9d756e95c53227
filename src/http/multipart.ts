/**
 * Forms with files (`multipart/form-data`, RFC 7578), for the operations whose contract says so. Every part is a field of the body, in any
 * order; a file is read into memory, up to what the contract allows, or handed on as it comes. What is wrong is answered while the rest is
 * still coming.
 */
import multipart, { type Multipart, type MultipartFile } from '@fastify/multipart'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { allComponents, type IncomingFile, isBinary, isStreamed } from '../../openapi/contract.ts'
import { AppError, fileTooLarge, invalidField } from '../errors/app-error.ts'
import { compileTextValidation, type Validate } from '../validation.ts'

/** Boundaries, headers and texts of a form, beside its files. */
const formBytes = 65_536

/** From now on forms are taken by the server; operations that are none refuse them themselves. */
export async function acceptForms(app: FastifyInstance): Promise<void> {
  // The plugin's hooks tidy up after a way of reading that is not used here, and would cost every request of the server.
  const withoutHooks: FastifyInstance = Object.create(app, { addHook: { value: () => app } })
  await new Promise<unknown>((resolve) => multipart(withoutHooks, { throwFileSizeLimit: false }, resolve))
}

/** Refuses what is no form before it is read. */
export const requireForm: onRequestHookHandler = ({ headers }, _reply, done) => {
  done(/^multipart\/form-data\b/i.test(headers['content-type'] ?? '') ? undefined : new AppError('unsupported_media_type'))
}

/** @throws `payload_too_large`; `validation_error` for a part that is not known, is there twice, or is no file where one is asked for */
export async function readForm(request: FastifyRequest, schema: TSchema): Promise<Record<string, unknown>> {
  const fields = fieldsOf(schema)
  const largest = Math.max(0, ...Object.values(fields).map((field) => (isBinary(field) ? maxBytesOf(field) : 0)))
  const form: Record<string, unknown> = {}
  try {
    if (Number(request.headers['content-length']) > totalBytes(fields)) throw fileTooLarge(largest)
    for await (const part of request.parts({ limits: { fileSize: largest, fieldSize: formBytes } })) {
      const field = checkPart(part, fields, form)
      form[part.fieldname] = part.type === 'file' ? await readFile(part, maxBytesOf(field)) : part.value
    }
    return form
  } catch (error) {
    throw formError(error)
  }
}

/** A form of one file, which is read by whoever takes the content, and no further. @throws as `readForm` does, and so does the content */
export async function openForm(request: FastifyRequest, schema: TSchema, maxBytes: number): Promise<Record<string, IncomingFile>> {
  const fields = fieldsOf(schema)
  const leastBytes = Math.max(0, Number(request.headers['content-length'] ?? 0) - formBytes)
  if (leastBytes > maxBytes) throw fileTooLarge(maxBytes)
  const parts = request.parts({ limits: { fileSize: Number.POSITIVE_INFINITY, fieldSize: formBytes } })
  try {
    const { value: part } = await parts.next()
    if (part === undefined) return {}
    checkPart(part, fields, {})
    if (part.type !== 'file') throw invalidField(`body.${part.fieldname}`, 'must be a file')
    return { [part.fieldname]: { name: part.filename ?? '', leastBytes, content: contentOf(part, parts, fields) } }
  } catch (error) {
    throw formError(error)
  }
}

async function* contentOf(file: MultipartFile, parts: AsyncIterableIterator<Multipart>, fields: Record<string, TSchema>): AsyncGenerator<Uint8Array> {
  try {
    yield* file.file
    for await (const part of parts) checkPart(part, fields, { [file.fieldname]: file })
  } catch (error) {
    throw formError(error)
  }
}

const formError = (error: unknown): AppError => (error instanceof AppError ? error : invalidField('body', 'is not valid multipart/form-data'))

/** A body is told to be too large while the client sends it: one that is cut off at once would not read that. */
const lingerMilliseconds = 2_000

/**
 * To be called when a form is answered before it is read: the answer does not wait for the rest. What comes soon is read and thrown away, so that
 * the client can read the answer and use the connection again; one that goes on sending is cut off.
 */
export function abandonForm(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  raw.unpipe().resume()
  if (raw.readableEnded) return
  reply.raw.once('finish', () => {
    const timer = setTimeout(() => raw.destroy(), lingerMilliseconds)
    raw.once('close', () => clearTimeout(timer))
  })
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

async function readFile({ file }: MultipartFile, maxBytes: number): Promise<Uint8Array> {
  if (file.truncated) throw fileTooLarge(maxBytes)
  file.once('limit', () => file.destroy(fileTooLarge(maxBytes)))
  const chunks: Uint8Array[] = []
  for await (const chunk of file) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const maxBytesOf = ({ maxLength = 0 }: TSchema): number => Number(maxLength)

const totalBytes = (fields: Record<string, TSchema>): number =>
  Object.values(fields).reduce((total, field) => total + (isBinary(field) ? maxBytesOf(field) : 0), formBytes)

const fieldsOf = (schema: TSchema): Record<string, TSchema> => resolved(schema).properties ?? {}

const resolved = (schema: TSchema): TSchema => allComponents().get(String(schema.$ref).replace(/#$/, '')) ?? schema
