/** What answers of bytes say beside their type and length. */
import { Type } from '@sinclair/typebox'
import type { AnswerHeader } from '../contract.ts'

const textHeader = (description: string, example: string): AnswerHeader => ({ description, schema: Type.String(), example })

export const contentHeaders = {
  ETag: textHeader('Names these bytes: `If-None-Match` with it is answered with 304, and `If-Range` asks for a range of nothing else', '"9f86d081884c7d65"'),
  'Accept-Ranges': textHeader('`bytes` where `Range` is heeded', 'bytes'),
  'Content-Range': textHeader('Which bytes these are, and of how many', 'bytes 0-1023/183204'),
  'Content-Disposition': textHeader(
    'Whether it may be shown where it is (`inline`) or is to be saved (`attachment`), and the name of the file (RFC 6266)',
    'inline; filename="Menu.jpg"; filename*=UTF-8\'\'Menu.jpg',
  ),
}
