/**
 * Writes `src/generated/` from `openapi/openapi.json`: one type per component, and one method per operation, named by its
 * operationId (`conversations.sendMessage` → `api.conversations.sendMessage(…)`). Query strings and bodies without a name of
 * their own are made components first, so that every type that a caller meets has a name.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { writeErrors } from './errors.ts'
import { readOperations } from './operations.ts'
import { writeResources } from './resources.ts'
import { writeTypes } from './types.ts'

const notice = '// Generated from openapi/openapi.json by `npm run generate`. Changes made here are lost.\n\n'
const target = new URL('../src/generated/', import.meta.url)

const document = JSON.parse(await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'))
const { operations, schemas } = readOperations(document)

await mkdir(target, { recursive: true })
await writeFile(new URL('types.ts', target), notice + (await writeTypes(schemas)))
await writeFile(new URL('resources.ts', target), notice + writeResources(operations, document.tags))
await writeFile(new URL('errors.ts', target), notice + writeErrors(operations))
