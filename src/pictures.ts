/**
 * Pictures of strangers, made into ours. What a file is, its bytes say; only five decoders are there at all. A picture that is small as a
 * file and large when it is unpacked is told by its header, and the work is done by few at a time, off the event loop.
 */
import sharp from 'sharp'
import { AppError, invalidField } from './errors/app-error.ts'
import { createGate } from './gate.ts'

/**
 * @returns 512 × 512 WebP, upright, with nothing else of what was in the file
 * @throws `unsupported_media_type` for what is no PNG, JPEG, WebP or GIF; `validation_error` for one that is broken or too large;
 * `unavailable` when too many wait
 */
export type MakeAvatar = (image: Uint8Array) => Promise<Uint8Array>

/** Upright, in pixels. */
export interface Picture {
  width: number
  height: number
  /** WebP, with nothing else of what was in the file; undefined of what is too large to be unpacked, or broken. */
  thumbnail: Uint8Array | undefined
}

/**
 * @param read gives the bytes, when it is their turn
 * @returns undefined for what is no picture that can be looked at
 * @throws `unavailable` when too many wait
 */
export type MeasurePicture = (read: () => Promise<Uint8Array>) => Promise<Picture | undefined>

const avatarPixels = 512
const thumbnailPixels = 320
const maxMegapixels = 40
const avatarFormats: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp', 'gif'])
const timeoutSeconds = 15

interface Options {
  atOnce?: number
  waiting?: number
  /** They hold nothing while they wait. */
  waitingToBeMeasured?: number
}

const loaders = ['Png', 'Jpeg', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}Buffer`)

export function createPictures({ atOnce = 2, waiting = 20, waitingToBeMeasured = 500 }: Options = {}): { makeAvatar: MakeAvatar; measure: MeasurePicture } {
  // One thread for each picture; the next one is another picture, and there is nothing to be kept for it.
  sharp.concurrency(1)
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: loaders })
  const inTurn = createGate({ atOnce, refusal: tooMany })

  return {
    makeAvatar: (image) => inTurn(() => convert(image), waiting),
    measure: (read) => inTurn(async () => measure(await read()), waitingToBeMeasured),
  }
}

const tooMany = () => new AppError('unavailable', 'Too many pictures are being worked on; try again shortly.', { retryAfterSeconds: 2 })

async function measure(image: Uint8Array): Promise<Picture | undefined> {
  const header = await sharp(image, { limitInputPixels: false })
    .metadata()
    .catch(() => undefined)
  if (header === undefined) return undefined
  const { width, height } = header.autoOrient
  return { width, height, thumbnail: width * height > maxMegapixels * 1_000_000 ? undefined : await makeThumbnail(image) }
}

const makeThumbnail = (image: Uint8Array): Promise<Uint8Array | undefined> =>
  unpack(image)
    .resize(thumbnailPixels, thumbnailPixels, { fit: 'inside', withoutEnlargement: true })
    .timeout({ seconds: timeoutSeconds })
    .webp({ quality: 80 })
    .toBuffer()
    .catch(() => undefined)

const unpack = (image: Uint8Array) => sharp(image, { limitInputPixels: maxMegapixels * 1_000_000, sequentialRead: true }).autoOrient()

async function convert(image: Uint8Array): Promise<Uint8Array> {
  const { width, height } = await readHeader(image)
  if (width * height > maxMegapixels * 1_000_000) throw invalidField('body.file', `has more than ${maxMegapixels} megapixels`)
  try {
    return await unpack(image).resize(avatarPixels, avatarPixels, { fit: 'cover' }).timeout({ seconds: timeoutSeconds }).webp({ quality: 82 }).toBuffer()
  } catch {
    throw brokenPicture()
  }
}

async function readHeader(image: Uint8Array): Promise<{ width: number; height: number }> {
  if (image.length === 0) throw unknownFormat()
  const { format, width, height } = await sharp(image, { limitInputPixels: false }).metadata().catch(refuse)
  if (!avatarFormats.has(format)) throw unknownFormat()
  return { width, height }
}

function refuse(error: unknown): never {
  throw error instanceof Error && error.message.includes('unsupported image format') ? unknownFormat() : brokenPicture()
}

const unknownFormat = () => new AppError('unsupported_media_type', 'A picture must be PNG, JPEG, WebP or GIF.')

const brokenPicture = () => invalidField('body.file', 'is not a whole picture')
