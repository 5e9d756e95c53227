/**
 * Pictures of strangers, made into ours. What a file is, its bytes say; only four decoders are there at all. A picture that is small as a
 * file and large when it is unpacked is refused by its header, and the work is done by few at a time, off the event loop.
 */
import sharp from 'sharp'
import { AppError, invalidField } from '../../errors/app-error.ts'

/**
 * @returns 512 × 512 WebP, upright, with nothing else of what was in the file
 * @throws `unsupported_media_type` for what is no PNG, JPEG, WebP or GIF; `validation_error` for one that is broken or too large;
 * `unavailable` when too many wait
 */
export type MakeAvatar = (image: Uint8Array) => Promise<Uint8Array>

const sidePixels = 512
const maxMegapixels = 40
const formats: ReadonlySet<string> = new Set(['png', 'jpeg', 'webp', 'gif'])
const timeoutSeconds = 15

export function createPictures({ atOnce = 2, waiting = 20 }: { atOnce?: number; waiting?: number } = {}): { makeAvatar: MakeAvatar } {
  // One thread for each picture; the next one is another picture, and there is nothing to be kept for it.
  sharp.concurrency(1)
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({
    operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer', 'VipsForeignLoadNsgifBuffer'],
  })
  const queue: (() => void)[] = []
  let free = atOnce

  const turn = (): Promise<void> | undefined => {
    if (free > 0) {
      free -= 1
      return undefined
    }
    if (queue.length >= waiting) throw new AppError('unavailable', 'Too many pictures are being worked on; try again shortly.', { retryAfterSeconds: 2 })
    return new Promise((resolve) => queue.push(resolve))
  }

  return {
    async makeAvatar(image) {
      await turn()
      try {
        return await convert(image)
      } finally {
        const next = queue.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  }
}

async function convert(image: Uint8Array): Promise<Uint8Array> {
  const { width, height } = await readHeader(image)
  if (width * height > maxMegapixels * 1_000_000) throw invalidField('body.file', `has more than ${maxMegapixels} megapixels`)
  try {
    return await sharp(image, { limitInputPixels: maxMegapixels * 1_000_000, sequentialRead: true })
      .autoOrient()
      .resize(sidePixels, sidePixels, { fit: 'cover' })
      .timeout({ seconds: timeoutSeconds })
      .webp({ quality: 82 })
      .toBuffer()
  } catch {
    throw brokenPicture()
  }
}

async function readHeader(image: Uint8Array): Promise<{ width: number; height: number }> {
  if (image.length === 0) throw unknownFormat()
  const { format, width, height } = await sharp(image, { limitInputPixels: false }).metadata().catch(refuse)
  if (!formats.has(format)) throw unknownFormat()
  return { width, height }
}

function refuse(error: unknown): never {
  throw error instanceof Error && error.message.includes('unsupported image format') ? unknownFormat() : brokenPicture()
}

const unknownFormat = () => new AppError('unsupported_media_type', 'A picture must be PNG, JPEG, WebP or GIF.')

const brokenPicture = () => invalidField('body.file', 'is not a whole picture')
