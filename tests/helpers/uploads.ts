/** Uploads over a bare socket, which break off or fall silent where a client's would not; and what is stored of them. */
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'

/** The names of the objects that are stored on disk, with drafts. */
export async function objectsIn({ dataDir }: { dataDir: string }): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'objects'), { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

interface Upload {
  token: string
  path?: string
  /** What is sent of the file at once. */
  bytes?: Buffer
  /** As a header says it; otherwise nobody knows it. */
  contentLength?: number
}

/** Begins an upload, and goes on with it when told to. What is answered is there to be read, whole or not. */
export function beginUpload({ url }: { url: string }, { token, path = '/v1/files', bytes = Buffer.alloc(0), contentLength }: Upload) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.on('error', () => undefined).on('data', (data) => (answer += data))
  const head = [
    `${path === '/v1/files' ? 'POST' : 'PUT'} ${path} HTTP/1.1`,
    ...['Host: parley', `Authorization: Bearer ${token}`, 'Content-Type: multipart/form-data; boundary=b'],
    contentLength === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${contentLength}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const chunk = (piece: Buffer): Buffer => Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
  const send = (piece: Buffer): boolean => socket.write(contentLength === undefined ? chunk(piece) : piece)
  send(Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'), bytes]))
  return { socket, send, answer: () => answer }
}

/** Asks for something over a bare socket, and takes no more of the answer than the system does by itself. */
export function beginDownload({ url }: { url: string }, { path, token }: { path: string; token?: string }) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined).pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: parley\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`)
  return socket
}
