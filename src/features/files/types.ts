/**
 * What a file is, by its bytes. What has a signature is what the signature says. What has none is text, or refused: text is told from
 * programs by the end of its name, and only among kinds that no browser runs; that it is text through and through is seen while it is stored.
 */
import { fileTypeFromBuffer } from 'file-type'
import { AppError } from '../../errors/app-error.ts'

export interface FileKind {
  contentType: string
  /** How names of such files end. */
  extension: string
  /** It must be UTF-8 to the end. */
  isText: boolean
}

/** Whatever is configured: what a browser would run, and what a computer would. */
const neverTaken =
  /html|svg|xml$|javascript|ecmascript|x-(msdownload|dosexec|elf|mach-binary|executable|sh|shockwave-flash|apple-diskimage|msi)|java-archive|wasm|android\.package/

/** The office formats are archives of XML; they are not XML. */
const officeFormats = /^application\/vnd\.(openxmlformats-officedocument|oasis\.opendocument)\./

const textKinds: ReadonlyMap<string, string> = new Map([
  ['txt', 'text/plain'],
  ['text', 'text/plain'],
  ['log', 'text/plain'],
  ['csv', 'text/csv'],
  ['md', 'text/markdown'],
  ['markdown', 'text/markdown'],
  ['json', 'application/json'],
])

/** What a browser that guesses would take for a page (WHATWG MIME Sniffing, section 7.1), and what a shell would run. */
const pageBeginning = /^\s*(<!doctype|<\?xml|<!--|<(html|head|body|script|iframe|style|title|svg|table|font|object|embed|link|meta|base)[\s/>]|#!)/i

/**
 * @param head the first bytes, or all of them
 * @param allowed media types, and `image/*` for all of a kind
 * @throws `unsupported_media_type`
 */
export async function kindOf(head: Uint8Array, name: string, allowed: readonly string[]): Promise<FileKind> {
  const kind = (await bySignature(head)) ?? byName(head, name)
  if (kind === undefined || isRefused(kind.contentType) || !isAllowed(kind.contentType, allowed)) throw new AppError('unsupported_media_type', refusal)
  return kind
}

const refusal =
  'Files of this kind are not taken: pictures, audio, video, PDF, ZIP and office documents are, as their bytes say, and plain text whose name ends as such.'

async function bySignature(head: Uint8Array): Promise<FileKind | undefined> {
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  // Parameters (`; codecs=…`) are for players, which look themselves.
  return found && { contentType: found.mime.split(';')[0] ?? found.mime, extension: found.ext, isText: false }
}

function byName(head: Uint8Array, name: string): FileKind | undefined {
  const extension = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const contentType = textKinds.get(extension)
  if (contentType === undefined || pageBeginning.test(new TextDecoder().decode(head))) return undefined
  return { contentType, extension, isText: true }
}

const isRefused = (contentType: string): boolean => !officeFormats.test(contentType) && neverTaken.test(contentType)

const isAllowed = (contentType: string, allowed: readonly string[]): boolean =>
  allowed.includes(contentType) || allowed.includes(`${contentType.split('/')[0]}/*`)

/** @returns what takes the bytes as they come, and at the end nothing. @throws `unsupported_media_type` for what is not UTF-8, or has characters that no text has */
export function textCheck(): (bytes?: Uint8Array) => void {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return (bytes) => {
    try {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      if (!/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(decoder.decode(bytes, { stream: bytes !== undefined }))) return
    } catch {
      // Not UTF-8.
    }
    throw new AppError('unsupported_media_type', refusal)
  }
}

const safePictures: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'])

/** Whether a browser may show it where it is. Viewers of PDF run nothing on behalf of a page's origin; Chromium's shows what comes in a sandbox, too. */
export const isShownInline = (contentType: string): boolean =>
  safePictures.has(contentType) || /^(audio|video)\//.test(contentType) || contentType === 'application/pdf'

export const isPicture = (contentType: string): boolean => contentType.startsWith('image/')
