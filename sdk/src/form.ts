/**
 * Bodies with files. As a rule the platform makes a form of them and sends it. When the progress is to be told, or a file is a stream, the
 * form is written here piece by piece, as fast as it is sent; browsers tell the progress themselves, through XMLHttpRequest, which alone can.
 */

/** What a file can be given as. A stream is sent as it comes, and only once: such a call is never repeated. Browsers send streams over HTTP/2 only. */
export type FileContent = Blob | Uint8Array | ReadableStream<Uint8Array>

/** A file with the name that others see. A `File` has one of its own. */
export interface NamedFile {
  name: string
  /** Text is sent as UTF-8. */
  content: FileContent | string
}

/** What can be uploaded. */
export type Uploadable = FileContent | NamedFile

/** How far an upload has come: of the whole request, which is a little more than the file. */
export interface UploadProgress {
  sentBytes: number
  /** Undefined when the length of a stream is not known. */
  totalBytes: number | undefined
}

export type OnProgress = (progress: UploadProgress) => void

interface FormFile {
  name: string
  content: FileContent
}

/** Whether it can be sent again: a stream can be read but once. */
export const isRepeatableBody = (body: object = {}): boolean => !Object.values(body).some((value) => fileOf(value)?.content instanceof ReadableStream)

/** Sends a form as `fetch` would, with what is in the init. */
export function sendForm(fetch: typeof globalThis.fetch, url: string, init: RequestInit, body: object, listener?: OnProgress): Promise<Response> {
  const onProgress = listener && undisturbed(listener)
  const isPlain = isRepeatableBody(body)
  if (isPlain && !onProgress) return fetch(url, { ...init, body: formData(body) })
  if (isPlain && onProgress && typeof XMLHttpRequest !== 'undefined') return sendByXhr(url, init, formData(body), onProgress)
  const { contentType, stream } = writeForm(body, onProgress)
  const streaming = { body: stream, duplex: 'half' }
  return fetch(url, { ...init, headers: { ...init.headers, 'Content-Type': contentType }, ...streaming })
}

/** Lets go of the streams of a call that has failed before they were read. */
export function cancelStreams(body: object, reason: unknown): void {
  for (const value of Object.values(body)) {
    const content = fileOf(value)?.content
    if (content instanceof ReadableStream && !content.locked) content.cancel(reason).catch(() => undefined)
  }
}

/** What throws in it is the application's, and ends no upload. */
function undisturbed(listener: OnProgress): OnProgress {
  return (progress) => {
    try {
      listener(progress)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** Undefined for what is no file. */
function fileOf(value: unknown): FormFile | undefined {
  if (value instanceof Blob) return { name: 'name' in value ? String(value.name) : 'file', content: value }
  if (value instanceof Uint8Array || value instanceof ReadableStream) return { name: 'file', content: value }
  if (typeof value !== 'object' || value === null || !('content' in value)) return undefined
  const { name, content } = value as NamedFile
  return { name, content: typeof content === 'string' ? new Blob([content]) : content }
}

function formData(body: object): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(body)) {
    const file = fileOf(value)
    if (file) form.append(field, file.content instanceof Blob ? file.content : new Blob([file.content as Uint8Array<ArrayBuffer>]), file.name)
    else if (value !== undefined) form.append(field, String(value))
  }
  return form
}

/** RFC 7578. */
function writeForm(body: object, onProgress: OnProgress = () => undefined) {
  const boundary = `parley-${crypto.getRandomValues(new Uint32Array(4)).join('')}`
  const encoder = new TextEncoder()
  const pieces: (Blob | Uint8Array | ReadableStream<Uint8Array>)[] = []
  for (const [field, value] of Object.entries(body)) {
    if (value === undefined) continue
    const file = fileOf(value)
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${file ? `; filename="${quoted(file.name)}"\r\nContent-Type: application/octet-stream` : ''}\r\n\r\n`
    pieces.push(encoder.encode(head), file?.content ?? encoder.encode(String(value)), encoder.encode('\r\n'))
  }
  pieces.push(encoder.encode(`--${boundary}--\r\n`))
  const sizes = pieces.map((piece) => (piece instanceof Blob ? piece.size : piece instanceof Uint8Array ? piece.length : undefined))
  const totalBytes = sizes.reduce((total, size) => (total === undefined || size === undefined ? undefined : total + size), 0)
  return { contentType: `multipart/form-data; boundary=${boundary}`, stream: counted(pieces, totalBytes, onProgress) }
}

/** As browsers write it. */
const quoted = (name: string) => name.replace(/[\r\n"]/g, encodeURIComponent)

const chunkBytes = 65_536

function counted(pieces: (Blob | Uint8Array | ReadableStream<Uint8Array>)[], totalBytes: number | undefined, onProgress: OnProgress) {
  const chunks = chunksOf(pieces)
  let sentBytes = 0
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await chunks.next()
      if (done) return controller.close()
      controller.enqueue(value)
      sentBytes += value.length
      onProgress({ sentBytes, totalBytes })
    },
    async cancel() {
      await chunks.return(undefined)
    },
  })
}

async function* chunksOf(pieces: (Blob | Uint8Array | ReadableStream<Uint8Array>)[]): AsyncGenerator<Uint8Array, void, void> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      for (let at = 0; at < piece.length; at += chunkBytes) yield piece.subarray(at, at + chunkBytes)
      continue
    }
    const reader = (piece instanceof Blob ? piece.stream() : piece).getReader()
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
    } finally {
      // Whoever gives up reading lets go of the source as well.
      await reader.cancel().catch(() => undefined)
    }
  }
}

function sendByXhr(url: string, { method = 'POST', headers, signal, credentials }: RequestInit, form: FormData, onProgress: OnProgress): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open(method, url)
    xhr.withCredentials = credentials === 'include'
    new Headers(headers).forEach((value, name) => {
      xhr.setRequestHeader(name, value)
    })
    xhr.upload.onprogress = ({ loaded, total }) => onProgress({ sentBytes: loaded, totalBytes: total })
    xhr.onload = () => {
      const lines = xhr.getAllResponseHeaders().trim().split(/\r\n/)
      const received = lines.map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()])
      resolve(new Response(xhr.responseText || null, { status: xhr.status, headers: received }))
    }
    xhr.onerror = () => reject(new TypeError('The request failed'))
    xhr.onabort = () => reject(signal?.reason)
    signal?.addEventListener('abort', () => xhr.abort(), { once: true })
    xhr.send(form)
  })
}
