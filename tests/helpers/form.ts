/** Bodies of operations that take files, from values as the contract's examples have them. */
import type { TSchema } from '@sinclair/typebox'
import { allComponents, isBinary, type Operation } from '../../openapi/contract.ts'

/** 1 × 1 pixel. */
export const tinyPng = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')

/** Every field that is a file by the contract becomes one with these bytes, whatever its value; the others go as text. */
export function formOf({ body }: Pick<Operation, 'body'>, values: unknown, bytes: Uint8Array<ArrayBuffer> = tinyPng): FormData {
  const fields: Record<string, TSchema> = allComponents().get(String(body?.$ref).replace(/#$/, ''))?.properties ?? body?.properties ?? {}
  const form = new FormData()
  for (const [name, value] of Object.entries(values ?? {})) {
    const field = fields[name]
    if (field !== undefined && isBinary(field)) form.append(name, new Blob([bytes]), 'file')
    else form.append(name, typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
  }
  return form
}
