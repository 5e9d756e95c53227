import { Parser } from '@asyncapi/parser'
import { asyncApiDocument } from '../../openapi/realtime.ts'

/** The document is written for 3.0, the version that most tools read. */
const accepted = ['asyncapi-latest-version']

export async function asyncApiProblems(): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()))
  return diagnostics.filter(({ code }) => !accepted.includes(String(code))).map(({ code, message, path }) => `${path.join('.')}: ${message} (${code})`)
}
