/** The published documents, by the path under which they are committed. Made anew they are the same, byte for byte. */
import { openApiDocument } from '../../openapi/document.ts'
import { asyncApiDocument } from '../../openapi/realtime.ts'
import { postmanCollection } from './postman.ts'

export async function contractDocuments(): Promise<Record<string, string>> {
  return {
    'openapi/openapi.json': print(openApiDocument()),
    'openapi/asyncapi.json': print(asyncApiDocument()),
    'openapi/postman.json': print(await postmanCollection(openApiDocument())),
  }
}

const print = (document: object) => `${JSON.stringify(document, null, 2)}\n`
