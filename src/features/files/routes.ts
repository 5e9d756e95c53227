import type * as operations from '../../../openapi/files/operations.ts'
import { fileLinksPath } from '../../../openapi/files/schemas.ts'
import type { Handlers } from '../../http/bind-operations.ts'
import type { Content, SendContent } from '../../http/content.ts'
import { contentDisposition } from './names.ts'
import { serializeFile } from './serialize.ts'
import type { FileService, Readable } from './service.ts'
import { isShownInline } from './types.ts'

export const fileRoutes = ({ files, sendContent }: { files: FileService; sendContent: SendContent }): Handlers<typeof operations> => ({
  'files.upload': async ({ actor, body }) => serializeFile(await files.upload(actor, body.file)),
  'files.get': async ({ actor, params }) => serializeFile(await files.get(actor, params.fileId)),
  'files.delete': ({ actor, params }) => files.delete(actor, params.fileId),
  'files.getContent': async ({ actor, params, query, request, reply }) => sendContent(request, reply, contentOf(await files.read(actor, params.fileId, query))),
  'files.createLink': async ({ actor, params, body }) => {
    const { token, expiresAt } = await files.createLink(actor, params.fileId, body)
    return { url: `${fileLinksPath}${token}`, expiresAt: expiresAt.toISOString() }
  },
  'files.getLinked': async ({ params, request, reply }) => {
    const content = contentOf(await files.readLinked(params.token))
    // Pages of any origin show it: whoever has the link may.
    reply.header('cross-origin-resource-policy', 'cross-origin')
    return sendContent(request, reply, content)
  },
})

/** Whatever it were, as a page it could do nothing; and whether one may still see it is asked each time. */
const headers = { 'content-security-policy': "sandbox; default-src 'none'", 'cache-control': 'private, no-cache' }

function contentOf({ file: { name, contentType, sizeBytes, sha256 }, thumbnail, readerId: reader, open }: Readable): Content {
  if (thumbnail) {
    return { etag: `"${sha256}-thumbnail"`, headers: { ...headers, 'content-type': 'image/webp', 'content-disposition': 'inline' }, reader, open }
  }
  const disposition = contentDisposition(isShownInline(contentType) ? 'inline' : 'attachment', name)
  const charset = contentType.startsWith('text/') ? '; charset=utf-8' : ''
  return {
    etag: `"${sha256}"`,
    sizeBytes,
    headers: { ...headers, 'content-type': `${contentType}${charset}`, 'content-disposition': disposition },
    reader,
    open,
  }
}
