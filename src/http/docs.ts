/**
 * The documents of the contract as this server publishes them, and the pages at /docs that show them. The pages work under a
 * strict Content-Security-Policy: nothing inline, nothing from elsewhere, and "Try it out" reaches this server alone.
 */
import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { openApiDocument } from '../../openapi/document.ts'
import { asyncApiDocument, asyncApiServer } from '../../openapi/realtime.ts'

const postmanFile = new URL('../../openapi/postman.json', import.meta.url)

const contentSecurityPolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': ["'self'", 'data:'],
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** JSON texts, ready to be sent. */
interface Documents {
  openapi: string
  asyncapi: string
  postman: string
}

/** Asked for when they are sent: only a server that listens knows its address. */
export type PublicDocuments = () => Documents

/** The documents with this server's address in them, made once for each that it has. */
export async function createPublicDocuments(publicUrl: () => string): Promise<PublicDocuments> {
  const postman: Postman = JSON.parse(await readFile(postmanFile, 'utf8'))
  let made: { url: string; documents: Documents } | undefined
  return () => {
    const url = publicUrl()
    if (made?.url !== url) made = { url, documents: documentsOf(url, postman) }
    return made.documents
  }
}

interface Postman {
  variable: { key: string; value: string }[]
}

function documentsOf(baseUrl: string, postman: Postman): Documents {
  const variable = postman.variable.map((one) => (one.key === 'baseUrl' ? { ...one, value: baseUrl } : one))
  return {
    openapi: JSON.stringify({ ...openApiDocument(), servers: [{ url: baseUrl }] }),
    asyncapi: JSON.stringify({ ...asyncApiDocument(), servers: { parley: asyncApiServer(baseUrl) } }),
    postman: JSON.stringify({ ...postman, variable }),
  }
}

/** `/docs`: Swagger UI over the OpenAPI document. */
export async function serveDocs(app: FastifyInstance, documents: PublicDocuments): Promise<void> {
  const document = JSON.parse(documents().openapi)
  // The page calls the origin that it came from, by whatever name that was reached.
  const servers = [{ url: new URL(document.servers[0].url).pathname }]
  await app.register(swagger, { mode: 'static', specification: { document: { ...document, servers } } })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: contentSecurityPolicy,
    theme: { title: 'Parley API' },
    uiConfig: {
      layout: 'BaseLayout',
      deepLinking: true,
      persistAuthorization: true,
      tryItOutEnabled: true,
      displayOperationId: true,
      displayRequestDuration: true,
      showExtensions: true,
      defaultModelsExpandDepth: 0,
    },
  })
}
