import { type Static, Type } from '@sinclair/typebox'
import { closed, component, described, nullable, streamedFile } from '../contract.ts'
import { Attachment } from '../messages/schemas.ts'
import { ConversationId, FileId, UserId } from '../shared/ids.ts'
import { Sequence, Timestamp } from '../shared/scalars.ts'

/** Where links lead: this and the token is the address. */
export const fileLinksPath = '/v1/file-links/'

export const FileParams = Type.Object({ fileId: FileId })

export const UploadFileRequest = component(
  'UploadFileRequest',
  closed(
    { file: streamedFile({ description: 'The file, with its name: up to 16 MiB unless the server is configured otherwise' }) },
    { description: 'A file to keep' },
  ),
)

export const StoredFile = component(
  'StoredFile',
  Type.Object(
    {
      ...Attachment.properties,
      sha256: Type.String({ description: 'Of its bytes, hexadecimal' }),
      ownerId: described(UserId, 'Who uploaded it'),
      conversationId: nullable(described(ConversationId, 'Where the message is that has it; null until it is sent')),
      seq: nullable(described(Sequence, 'Which message that is; null until it is sent')),
      createdAt: described(Timestamp, 'When it was uploaded: ISO 8601, UTC, milliseconds'),
    },
    { description: 'A file that somebody uploaded' },
  ),
)
export type StoredFile = Static<typeof StoredFile>

const thumbnail = Type.Optional(Type.Boolean({ default: false, description: 'The small picture instead of the file: WebP, 320 × 320 pixels at most' }))

export const FileVariant = Type.Object({ thumbnail })

export const CreateFileLinkRequest = component(
  'CreateFileLinkRequest',
  closed(
    {
      thumbnail,
      expiresInSeconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 86_400, default: 300, description: 'How long it works' })),
    },
    { description: 'What the link leads to, and for how long' },
  ),
)

export const FileLink = component(
  'FileLink',
  Type.Object(
    {
      url: Type.String({ description: 'The path on this server: put it behind its address' }),
      expiresAt: described(Timestamp, 'When it ends: ISO 8601, UTC, milliseconds'),
    },
    { description: 'An address of a file that works without a header, as in `<img>`' },
  ),
)
export type FileLink = Static<typeof FileLink>
