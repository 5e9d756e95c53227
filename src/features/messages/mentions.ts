import type { UserId } from '../../../openapi/shared/ids.ts'
import { AppError } from '../../errors/app-error.ts'

/** Names each of the mentioned who is no member. */
export function strangersAmong(mentioned: readonly UserId[], members: readonly UserId[]): AppError {
  const known = new Set(members)
  const details = mentioned.flatMap((userId, index) =>
    known.has(userId) ? [] : [{ field: `body.mentions.${index}`, reason: `${userId} is no member of this conversation` }],
  )
  return new AppError('validation_error', undefined, { details })
}
