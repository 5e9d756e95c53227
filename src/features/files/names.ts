/** Names of files: kept for people to read, never part of a path. */

const maximumCharacters = 255

/** Control and format characters, which turn the direction of writing around or are not seen at all. Joiners stay: scripts and emoji need them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
const unwanted = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** Kinds of which one taken for another does no harm; office documents are archives, and not all of them are told from others. */
const kinds: readonly (readonly string[])[] = [
  ['png', 'jpg', 'jpeg', 'jpe', 'jfif', 'webp', 'gif', 'avif', 'heic', 'heif', 'tif', 'tiff', 'bmp'],
  [
    ...['mp3', 'm4a', 'm4b', 'aac', 'ogg', 'oga', 'opus', 'wav', 'weba', 'flac', 'aif', 'aiff', 'amr', 'mid', 'midi', 'wma'],
    ...['mp4', 'm4v', 'mov', 'mpg', 'mpeg', 'ogv', 'webm', 'mkv', 'avi', 'wmv', '3gp', '3g2', 'flv'],
  ],
  ['zip', 'docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'],
]

/**
 * @param given whatever the client said, which may be a path of its own
 * @param extension of what it is: a name that ends as another kind does gets it, for once it is saved its end says what opens it
 */
export function displayName(given: string, extension: string): string {
  const name = given.toWellFormed().normalize('NFC').replace(unwanted, '').split(/[/\\]/).at(-1) ?? ''
  // Windows takes dots and spaces off the end.
  const trimmed = name.trim().replace(/[. ]+$/, '')
  if (trimmed === '') return 'file'
  return shortened(isOfKind(trimmed, extension) ? trimmed : `${trimmed}.${extension}`)
}

function isOfKind(name: string, extension: string): boolean {
  const at = name.lastIndexOf('.')
  const own = name.slice(at + 1).toLowerCase()
  return at === -1 || own === extension || kinds.some((kind) => kind.includes(own) && kind.includes(extension))
}

/** What is too long loses its middle: the end says what it is. */
function shortened(name: string): string {
  const characters = [...name]
  if (characters.length <= maximumCharacters) return name
  const end = /\.\w{1,10}$/.exec(name)?.[0] ?? ''
  return characters.slice(0, maximumCharacters - end.length).join('') + end
}

/** The header of RFC 6266, with the name in both ways: in ASCII for old clients, as it is (RFC 8187) for all others. */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`
}
