import { Type } from '@sinclair/typebox'
import { anyContentType, binaryContent, defineOperation, ref } from '../contract.ts'
import { contentHeaders } from '../shared/content.ts'
import { fileExample, unsentFileExample } from './examples.ts'
import { CreateFileLinkRequest, FileLink, FileParams, FileVariant, fileLinksPath, StoredFile, UploadFileRequest } from './schemas.ts'

const whoMayRead = 'For the members of the conversation who may see the message that has it; until it is sent, for who uploaded it.'

const howMany =
  'A process of the server sends 64 at once to one user: more are `rate_limit_exceeded`. Whoever takes nothing for 30 seconds is cut off, and may go on by `Range` where that is heeded.'

const { ETag, 'Content-Range': contentRange, ...fileHeaders } = contentHeaders

const content = {
  200: {
    description: 'The file',
    headers: { ETag, ...fileHeaders },
    contentType: anyContentType,
    body: binaryContent('Its bytes'),
    example: '(the bytes of the file)',
  },
  206: {
    description: 'The range that was asked for',
    headers: { ETag, 'Content-Range': contentRange, ...fileHeaders },
    contentType: anyContentType,
    body: binaryContent('Its bytes'),
    example: '(the bytes of the range)',
  },
  304: { description: 'The one that you have', headers: { ETag } },
} as const

export const uploadFile = defineOperation({
  operationId: 'files.upload',
  method: 'POST',
  path: '/v1/files',
  summary: 'Upload a file',
  description:
    'Then send it: `attachments` of a message takes its id. What is not sent within a day is deleted. What the file is, its bytes say, whatever it is called: pictures, audio, video, PDF, ZIP, office documents; plain text, CSV, Markdown and JSON also by the end of the name; and never what a browser or a shell would run: HTML, SVG, XML, what begins with `#!`, programs. A name that ends as another kind of file does gets the right end: a picture that is called `x.html` is `x.html.png`. Of a picture of up to 32 MiB that can be read the pixels are counted, and up to 40 megapixels it gets a thumbnail, unless making that fails or takes more than 15 seconds; of any other one nothing is known but its type. The bytes are kept as they come, and with them what a camera wrote, such as where it was; thumbnails say nothing of that. A process of the server takes four uploads of one user at once: more are `rate_limit_exceeded`. One that is silent for 30 seconds, or takes more than an hour, is a `validation_error`. A retry makes another file: the one whose answer was lost is deleted within a day. All that you have uploaded counts towards your quota, sent or not, with its size and without thumbnails, for as long as it is kept: room is made by deleting a file that was not sent, or a message that has files, whoever or whatever deletes it.',
  access: 'user',
  rateLimit: 'uploads',
  multipart: true,
  body: ref(UploadFileRequest),
  examples: { any: { file: '(the bytes of the file)' } },
  responses: { 201: { description: 'The file, as it is kept', body: ref(StoredFile), example: unsentFileExample } },
  errors: ['quota_exceeded'],
})

export const getFile = defineOperation({
  operationId: 'files.get',
  method: 'GET',
  path: '/v1/files/{fileId}',
  summary: 'Get what is known of a file',
  description: whoMayRead,
  access: 'user',
  rateLimit: 'default',
  params: FileParams,
  responses: { 200: { description: 'The file, without its bytes', body: ref(StoredFile), example: fileExample } },
  errors: ['not_found'],
})

export const deleteFile = defineOperation({
  operationId: 'files.delete',
  method: 'DELETE',
  path: '/v1/files/{fileId}',
  summary: 'Delete a file that was not sent',
  description: 'For who uploaded it. One that a message has goes with the message: deleting it here is a `conflict`.',
  access: 'user',
  rateLimit: 'default',
  params: FileParams,
  responses: { 204: { description: 'The file is gone' } },
  errors: ['not_found', 'forbidden', 'conflict'],
})

export const getFileContent = defineOperation({
  operationId: 'files.getContent',
  method: 'GET',
  path: '/v1/files/{fileId}/content',
  summary: 'Get the bytes of a file',
  description: `${whoMayRead} \`Range\` (one range), \`If-Range\` and \`If-None-Match\` are heeded. PNG, JPEG, WebP, GIF, AVIF, audio, video and PDF may be shown where they are; all else, HEIC and HEIF too, comes as an attachment. ${howMany}`,
  access: 'user',
  rateLimit: 'default',
  params: FileParams,
  query: FileVariant,
  responses: content,
  errors: ['not_found', 'range_not_satisfiable'],
})

export const createFileLink = defineOperation({
  operationId: 'files.createLink',
  method: 'POST',
  path: '/v1/files/{fileId}/link',
  summary: 'Make a link to a file',
  description: `An address that browsers can show by itself, for a while. Whoever has it sees what you may see then: it ends when you may not see the file any more, but not with the session or the API key that made it. ${whoMayRead}`,
  access: 'user',
  rateLimit: 'default',
  readOnly: true,
  repeatable: true,
  params: FileParams,
  body: ref(CreateFileLinkRequest),
  examples: { thumbnail: { thumbnail: true, expiresInSeconds: 3600 } },
  responses: {
    201: {
      description: 'The link',
      body: ref(FileLink),
      example: {
        url: `${fileLinksPath}AZOhsgAAcACAAAAAAAAA8QGJCl2slndLvM6zAgmoBXuqkT5QAUJ8sk0hVqvWb3a0nPq2eYxYwq0m1vFh7Qb3rS0n2x4u`,
        expiresAt: '2026-11-20T11:00:00.000Z',
      },
    },
  },
  errors: ['not_found'],
})

export const getLinkedFile = defineOperation({
  operationId: 'files.getLinked',
  method: 'GET',
  path: `${fileLinksPath}{token}`,
  summary: 'Get the bytes of a file by a link',
  description: 'For browsers to show: see `files.createLink`. The same as `files.getContent`, and counted with what its maker gets there.',
  access: 'public',
  rateLimit: 'none',
  page: true,
  params: Type.Object({ token: Type.String({ pattern: '^[A-Za-z0-9_-]{92}$', description: 'The end of `url`' }) }),
  responses: content,
  errors: ['not_found', 'range_not_satisfiable', 'rate_limit_exceeded', 'unavailable', 'internal_error'],
})
