import type { StoredFile } from '../../../openapi/files/schemas.ts'
import type { FileRow } from '../../db/schema/files.ts'

export const serializeFile = ({ createdAt, ...row }: FileRow): StoredFile => ({ ...row, createdAt: createdAt.toISOString() })
