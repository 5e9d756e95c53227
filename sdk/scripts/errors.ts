/** Which HTTP status each error code comes with: a socket tells the code alone. */
import type { Operation } from './operations.ts'

export function writeErrors(operations: Operation[]): string {
  const statuses = new Map(operations.flatMap(({ errors }) => errors).map(({ code, status }) => [code, status]))
  const lines = [...statuses].sort().map(([code, status]) => `  ${code}: ${status},`)
  return `export const statuses: Record<string, number> = {\n${lines.join('\n')}\n}\n`
}
