/**
 * Links that carry their own credential: whoever has one sees a file as the user sees it who made the link, until it expires. It says which
 * file, which variant, whose and until when, signed; nothing is stored, and what the user may see is asked when it is used.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FileId, UserId } from '../../../openapi/shared/ids.ts'

export interface Linked {
  fileId: FileId
  userId: UserId
  thumbnail: boolean
  expiresAt: Date
}

/** The newest first: it signs, and all of them are believed. */
type Keys = readonly [Buffer, ...Buffer[]]

/** Two ids, seconds, variant. */
const claimBytes = 16 + 16 + 4 + 1
const signatureBytes = 32

export const createFileLinks = (keys: Keys) => ({
  sign(linked: Linked): string {
    const claim = encode(linked)
    return Buffer.concat([claim, signatureOf(claim, keys[0])]).toString('base64url')
  },

  /** @returns undefined for what was not signed here; that it has not expired is for the caller to see */
  verify(token: string): Linked | undefined {
    const bytes = Buffer.from(token, 'base64url')
    if (bytes.length !== claimBytes + signatureBytes || bytes.toString('base64url') !== token) return undefined
    const claim = bytes.subarray(0, claimBytes)
    const signature = bytes.subarray(claimBytes)
    return keys.some((key) => timingSafeEqual(signature, signatureOf(claim, key))) ? decode(claim) : undefined
  },
})

const signatureOf = (claim: Buffer, key: Buffer): Buffer => createHmac('sha256', key).update(claim).digest()

function encode({ fileId, userId, thumbnail, expiresAt }: Linked): Buffer {
  const end = Buffer.alloc(5)
  end.writeUInt32BE(Math.floor(expiresAt.getTime() / 1000))
  end.writeUInt8(thumbnail ? 1 : 0, 4)
  return Buffer.concat([bytesOf(fileId), bytesOf(userId), end])
}

const decode = (claim: Buffer): Linked => ({
  fileId: uuidOf(claim.subarray(0, 16)),
  userId: uuidOf(claim.subarray(16, 32)),
  expiresAt: new Date(claim.readUInt32BE(32) * 1000),
  thumbnail: claim.readUInt8(36) === 1,
})

const bytesOf = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

const uuidOf = <Id extends FileId | UserId>(bytes: Buffer): Id => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') as Id
