import type { UserExport } from '../../../openapi/accounts/schemas.ts'
import type { JsonPieces } from '../../json-text.ts'
import { serializeUser } from '../users/serialize.ts'
import type { AccountExport } from './service.ts'

/** `UserExport`, piece by piece, so that none of it waits in memory for the rest. */
export const exportText = (found: AccountExport): JsonPieces<UserExport> => pieces(found)

async function* pieces({ exportedAt, user, sections }: AccountExport): AsyncGenerator<string> {
  yield `{"exportedAt":${JSON.stringify(exportedAt)},"user":${JSON.stringify(serializeUser(user))},"sections":{`
  let comma = ''
  for (const [name, batches] of sections) {
    yield `${comma}${JSON.stringify(name)}:[`
    comma = ''
    for await (const rows of batches) {
      yield comma + rows.map((row) => JSON.stringify(row)).join(',')
      comma = ','
    }
    yield ']'
    comma = ','
  }
  yield '}}'
}
